import type { Dispatcher } from 'undici';
import type { Deadline } from './deadline.ts';

/** One HTTP request as it goes out. `path` carries the query. */
export interface RestRequest {
  readonly origin: string;
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A whole answer. Header names are lower-case, each with its first value. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** No answer came. `started`: the request may have left this machine, so that its fate is not known. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly started: boolean;

  constructor(started: boolean, cause: unknown) {
    super('no answer came', { cause });
    this.started = started;
  }
}

/** A page of members and a client's result are far below it; an endless answer must not fill the memory. */
const maxAnswerBytes = 8 * 1024 * 1024;

function firstValues(headers: Readonly<Record<string, string | string[] | undefined>>): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) values.set(name.toLowerCase(), first);
  }
  return values;
}

/** One request on the wire: collects the answer, and knows whether the request had begun. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #deadline: Deadline;
  readonly #resolve: (answer: RestAnswer) => void;
  readonly #reject: (reason: NoAnswer) => void;
  readonly #stopWatching: () => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #headers: ReadonlyMap<string, string> = new Map();
  #controller: Dispatcher.DispatchController | undefined;

  constructor(deadline: Deadline, resolve: (answer: RestAnswer) => void, reject: (reason: NoAnswer) => void) {
    this.#deadline = deadline;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#stopWatching = deadline.onEnd(() => this.#giveUp());
  }

  /** undici calls it on a connected socket, just before the first byte is written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#deadline.reason !== undefined) controller.abort(new Error('the deadline came first'));
    else this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    this.#headers = firstValues(headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > maxAnswerBytes) controller.abort(new Error(`an answer must be at most ${maxAnswerBytes} bytes`));
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#stopWatching();
    const body = Buffer.concat(this.#chunks).toString('utf8');
    this.#resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error);
  }

  /** No answer will come. */
  fail(error: unknown): void {
    this.#stopWatching();
    this.#reject(new NoAnswer(this.#controller !== undefined, error));
  }

  #giveUp(): void {
    const error = new Error('the deadline came first');
    this.fail(error);
    this.#controller?.abort(error);
  }
}

/**
 * Sends one request and reads its answer, whatever its status. Rejects with `NoAnswer` at once when the deadline
 * comes, or when the connection fails; a request that has not begun by then is never written.
 */
export function exchange(dispatcher: Dispatcher, request: RestRequest, deadline: Deadline): Promise<RestAnswer> {
  return new Promise((resolve, reject) => {
    if (deadline.reason !== undefined) return reject(new NoAnswer(false, undefined));
    const handler = new Exchange(deadline, resolve, reject);
    const { origin, method, path, headers, body } = request;
    try {
      dispatcher.dispatch({ origin, method, path, headers: { ...headers }, body: body ?? null }, handler);
    } catch (error) {
      handler.fail(error);
    }
  });
}
