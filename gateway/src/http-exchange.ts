import { type HttpAnswer, piecesOf, writeAnswer, writeHead } from './http-answer.ts';
import { Body } from './http-body.ts';
import type { Sender } from './http-forwarded.ts';
import { Head } from './http-guard.ts';
import type { NativeContext, NativeRequest, NativeResponse } from './http-native.ts';
import { ResponseStream } from './http-stream.ts';

/** A request, copied: it may be read at any time, after any `await`. */
export interface HttpRequest {
  /** In upper case. */
  readonly method: string;
  /** As sent, not decoded, without the query. */
  readonly path: string;
  /** As sent, without the question mark; empty when there is none. Never logged: tokens stand in it. */
  readonly queryText: string;
  /** Parsed at the first use; a repeated key keeps all its values. */
  readonly query: URLSearchParams;
  /** Who sent it: behind trusted proxies, whom they name. */
  readonly sender: Sender;
  /** By lower-case name; repeated headers are joined by `, `. */
  header(name: string): string | undefined;
  /**
   * The whole body, empty when there is none; to be called once, at any time.
   * @throws {GatewayError} `too_large` above `limit` bytes or what the server keeps; `request_invalid` when cut off.
   */
  body(limit: number): Promise<Uint8Array>;
  /** Who is told, once, when the client goes before its answer is complete; at once when it has gone. The last one counts. */
  onGone(told: () => void): void;
}

/** What is the same for all requests of a server. */
export interface ExchangeOptions {
  /** The most that is kept of a body on this path. */
  readonly bodyBytes: (path: string) => number;
  readonly senderOf: (peer: string, header: (name: string) => string | undefined) => Sender;
}

/** One request and its answer, and the only place that touches the native pair of them. */
export class Exchange implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly queryText: string;
  readonly sender: Sender;
  /** The framing rule that is broken, or undefined. */
  readonly fault: string | undefined;
  readonly #head = new Head();
  readonly #body: Body;
  #query: URLSearchParams | undefined;
  /** Undefined once answered, upgraded or aborted: any further use of it would throw. */
  #response: NativeResponse | undefined;
  /** Who waits until the client has taken what was written. */
  #drained: (() => void) | undefined;
  #stream: ResponseStream | undefined;
  #isGone = false;
  #toldGone: (() => void) | undefined;

  constructor(response: NativeResponse, request: NativeRequest, { bodyBytes, senderOf }: ExchangeOptions) {
    this.#response = response;
    response.onAborted(this.#aborted);
    this.method = request.getCaseSensitiveMethod().toUpperCase();
    this.path = request.getUrl();
    // Typed as string, yet undefined when there is no question mark.
    this.queryText = (request.getQuery() as string | undefined) ?? '';
    const peer = Buffer.from(response.getRemoteAddressAsText()).toString('latin1');
    request.forEach(this.#head.add);
    this.sender = senderOf(peer, this.#head.get);
    const { fault, length, chunked } = this.#head.framing();
    this.fault = fault;
    this.#body = new Body(bodyBytes(this.path), length);
    if (length > 0 || chunked) response.onData((piece, last) => this.#body.take(piece, last));
    else this.#body.take(new ArrayBuffer(0), true);
  }

  readonly #aborted = (): void => {
    this.#response = undefined;
    this.#isGone = true;
    this.#body.cutOff();
    this.#drained?.();
    this.#stream?.gone();
    this.#toldGone?.();
  };

  onGone(told: () => void): void {
    this.#toldGone = told;
    if (this.#isGone) told();
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.queryText);
    return this.#query;
  }

  header(name: string): string | undefined {
    return this.#head.get(name);
  }

  body(limit: number): Promise<Uint8Array> {
    return this.#body.read(limit);
  }

  /**
   * Answers. Does nothing when the client has gone. What cannot be written closes the socket and is thrown. Resolves when
   * all is written.
   */
  async answer(answer: HttpAnswer): Promise<void> {
    const pieces = this.method === 'HEAD' ? undefined : piecesOf(answer);
    if (pieces !== undefined) return await this.#pieces(answer, pieces);
    const response = this.#take();
    if (response !== undefined) corked(response, () => this.#write(response, answer));
    answer.written?.(response !== undefined);
  }

  #write(response: NativeResponse, answer: HttpAnswer): void {
    if (answer.stream === undefined) {
      writeAnswer(response, answer, this.method === 'HEAD');
      return;
    }
    writeHead(response, answer);
    this.#stream = new ResponseStream(response);
    answer.stream(this.#stream);
  }

  /**
   * No piece is asked for before the client has taken those written. A client that takes nothing is cut off by
   * uWebSockets.js (after 12 s: measured), which ends the pieces as well.
   */
  async #pieces(answer: HttpAnswer, pieces: AsyncIterable<string>): Promise<void> {
    const response = this.#response;
    if (response === undefined) return;
    response.onWritable(() => {
      this.#drained?.();
      return true;
    });
    corked(response, () => writeHead(response, answer));
    try {
      for await (const piece of pieces) {
        await this.#piece(piece);
        if (this.#response === undefined) return;
      }
    } catch (error) {
      this.#take()?.close(); // half an answer must not look whole
      throw error;
    }
    this.#take()?.cork(() => response.end());
  }

  async #piece(piece: string): Promise<void> {
    const response = this.#response;
    if (response === undefined || piece === '') return;
    let taken = true;
    response.cork(() => {
      taken = response.write(piece);
    });
    if (taken) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    this.#drained = undefined;
  }

  /** Becomes a WebSocket with this user data, without sub-protocol and extensions. Does nothing when the client has gone. */
  upgrade(userData: object, context: NativeContext): void {
    const key = this.header('sec-websocket-key') ?? '';
    // Not in a cork, though uWebSockets.js warns of that once: see `nativeDoor`.
    this.#take()?.upgrade(userData, key, '', '', context);
  }

  #take(): NativeResponse | undefined {
    const response = this.#response;
    this.#response = undefined;
    return response;
  }
}

/** What is thrown inside a cork would end the process: it is taken out, and the socket closed. */
function corked(response: NativeResponse, write: () => void): void {
  let failure: unknown;
  response.cork(() => {
    try {
      write();
    } catch (error) {
      failure = error;
      response.close();
    }
  });
  if (failure !== undefined) throw failure;
}
