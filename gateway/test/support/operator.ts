import { Inbox } from './inbox.ts';

/** The token of the operators of every node that tests start. */
export const adminToken = 'the-token-of-the-operators-of-these-tests';

/** What the admin port answered. */
export interface OperatorAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared with what is expected of them
  readonly body: any;
}

/** One line of a stream of happenings. */
export type Line = Readonly<Record<string, unknown>> & { readonly event: string };

/** Somebody who asks one node's admin port, with the token unless told otherwise; an empty one is none. */
export class Operator {
  readonly #origin: string;
  readonly #token: string;
  readonly #streams: AbortController[] = [];

  constructor({ adminPort }: { readonly adminPort: number }, token: string = adminToken) {
    this.#origin = `http://127.0.0.1:${adminPort}`;
    this.#token = token;
  }

  async call(method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<OperatorAnswer> {
    const headers = { ...this.#headers, ...(body !== undefined && { 'content-type': 'application/json' }), ...more };
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const response = await fetch(this.#origin + path, { method, headers, ...sent });
    const text = await response.text();
    const isJson = response.headers.get('content-type') === 'application/json';
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== '' ? JSON.parse(text) : text,
    };
  }

  get(path: string): Promise<OperatorAnswer> {
    return this.call('GET', path);
  }

  get #headers(): Record<string, string> {
    return this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` };
  }

  /** Follows; what is told comes into the inbox. Resolves when the node follows. */
  async follow(query: string): Promise<Inbox<Line>> {
    const stream = new AbortController();
    this.#streams.push(stream);
    const response = await fetch(`${this.#origin}/operators/follow?${query}`, {
      headers: this.#headers,
      signal: stream.signal,
    });
    if (response.status !== 200 || response.body === null) throw new Error(await response.text());
    const lines = new Inbox<Line>();
    void this.#read(response.body, lines);
    await lines.one('following', ({ event }) => event === 'following');
    return lines;
  }

  async #read(body: ReadableStream<Uint8Array>, lines: Inbox<Line>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
        const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) lines.add(JSON.parse(part) as Line);
      }
    } catch {
      // this operator left, or the node did
    }
  }

  /** Follows nobody any more. */
  leave(): void {
    for (const stream of this.#streams) stream.abort();
  }
}
