import { Agent, type Dispatcher } from 'undici';
import { signToken } from './tokens.ts';

/** An answer of the REST API. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: string;
}

/** How a request differs from a plain one with a good token. */
export interface RestOptions {
  readonly body?: string | Uint8Array;
  /** Content type of the body; JSON unless said. */
  readonly type?: string;
  /** In place of a good token. */
  readonly token?: string;
  /** Beside the usual ones. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The REST API as any program speaks it: HTTP with a token made for the very path. */
export class RawRest {
  readonly #origin: string;
  readonly #agent: Agent;
  /** Tokens are signed once per path: signing is not what is tested. */
  readonly #tokens = new Map<string, string>();

  /** @param connections sockets at a time. */
  constructor(origin: string, connections = 16) {
    this.#origin = origin;
    this.#agent = new Agent({ connections });
  }

  /** @param target path and query, `/api/…` */
  async call(method: Dispatcher.HttpMethod, target: string, options: RestOptions = {}): Promise<RestAnswer> {
    const token = options.token ?? (await this.#token(target.split('?')[0] ?? ''));
    const { statusCode, headers, body } = await this.#agent.request({
      origin: this.#origin,
      path: target,
      method,
      headers: {
        ...options.headers,
        authorization: `Bearer ${token}`,
        ...(options.body !== undefined && { 'content-type': options.type ?? 'application/json' }),
      },
      body: options.body ?? null,
    });
    return { status: statusCode, headers, body: await body.text() };
  }

  /** Sends the arguments to a client method, as JSON. */
  post(target: string, method: string, ...args: unknown[]): Promise<RestAnswer> {
    return this.call('POST', target, { body: JSON.stringify({ target: method, arguments: args }) });
  }

  async #token(path: string): Promise<string> {
    const known = this.#tokens.get(path);
    if (known !== undefined) return known;
    const token = await signToken(`${this.#origin}${path}`);
    if (this.#tokens.size < 1000) this.#tokens.set(path, token);
    return token;
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
