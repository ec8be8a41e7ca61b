import type { Connection } from '../core/connection.ts';
import type { Frame, Transport } from '../core/transport.ts';
import type { BodyStream } from '../http.ts';

/** Headers of a stream (client-transports, 5.1); the last one is for nginx, which would hold events back. */
export const eventHeaders = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache,no-store',
  Pragma: 'no-cache',
  'Content-Encoding': 'identity',
  'X-Accel-Buffering': 'no',
} as const;

const comment = Buffer.from(':\r\n');
const lineStart = Buffer.from('data: ');
const lineEnd = Buffer.from('\r\n');
const [lineFeed, carriageReturn] = [10, 13];

/**
 * Hub bytes as one event (client-transports, 5.2): a line of its own for each line. Every way to end a line counts, a
 * lone CR too: what follows it would be lost to the receiver, who joins the lines with LF.
 */
export function eventOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return lineEnd;
  if (!bytes.includes(lineFeed) && !bytes.includes(carriageReturn)) {
    return Buffer.concat([lineStart, bytes, lineEnd, lineEnd]);
  }
  const parts: Uint8Array[] = [];
  for (const line of linesOf(bytes)) parts.push(lineStart, line, lineEnd);
  return Buffer.concat([...parts, lineEnd]);
}

function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  let start = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== lineFeed && bytes[at] !== carriageReturn) continue;
    yield bytes.subarray(start, at);
    if (bytes[at] === carriageReturn && bytes[at + 1] === lineFeed) at++;
    start = at + 1;
  }
  yield bytes.subarray(start);
}

/** What the stream of one client needs of its surroundings. */
export interface SseOptions {
  readonly queueBytes: number;
  /** The connection is over: called once. */
  over(): void;
}

/** The wire of a client that hears server-sent events; what it says comes by POST. */
export class SseTransport implements Transport {
  readonly kind = 'ServerSentEvents';
  readonly #options: SseOptions;
  #stream: BodyStream | undefined;
  #connection: Connection | undefined;
  #ended = false;

  constructor(options: SseOptions) {
    this.#options = options;
  }

  /** Its connection; undefined once it has ended. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** The client arrived; until {@link open} nothing is written. */
  attach(connection: Connection): void {
    if (!this.#ended) this.#connection = connection;
  }

  /** The head of the stream is written. The comment goes out at once: without it some browsers do not see it as open. */
  open(stream: BodyStream): void {
    stream.write(comment);
    if (this.#ended) stream.end();
    else this.#stream = stream;
  }

  /** The client has dropped the stream: the connection ends at once (client-transports, CT-21). */
  gone(): void {
    this.#stream = undefined;
    this.#connection?.gone();
  }

  write(frame: Frame): void {
    this.#stream?.write(eventOf(frame.bytes));
  }

  writeAll(frames: readonly Frame[]): void {
    this.#stream?.write(Buffer.concat(frames.map(({ bytes }) => eventOf(bytes))));
  }

  buffered(): number {
    return this.#stream?.buffered() ?? 0;
  }

  /** A client that did not read what it may is cut off, which frees its queue at once. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const stream = this.#stream;
    this.#stream = undefined;
    this.#connection = undefined;
    if (stream !== undefined && stream.buffered() > this.#options.queueBytes) stream.cut();
    else stream?.end();
    this.#options.over();
  }
}
