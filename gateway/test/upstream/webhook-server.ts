import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Inbox } from '../support/inbox.ts';

/** One webhook as it came. */
export interface Posted {
  readonly method: string | undefined;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they stood on the wire. */
  readonly raw: readonly string[];
  readonly body: Buffer;
}

type Answer = (post: Posted, response: ServerResponse) => void;

/** A customer's endpoint: keeps what was posted, and answers as it is told; 204 unless said. */
export class WebhookServer implements AsyncDisposable {
  readonly posts = new Inbox<Posted>();
  answer: Answer = (_post, response) => void response.writeHead(204).end();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method, url = '', headers, rawHeaders: raw } = request;
      const post = { method, path: url, headers, raw, body: Buffer.concat(chunks) };
      this.posts.add(post);
      this.answer(post, response);
    });
  }

  static async start(port = 0): Promise<WebhookServer> {
    const server = createServer();
    server.keepAliveTimeout = 0; // else it may close a connection just when the next webhook comes over it
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new WebhookServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Names of the events so far, in order. */
  get events(): unknown[] {
    return this.posts.items.map(({ headers }) => headers['x-asrs-event']);
  }

  /** Resolves with the n-th post, counted from 0. */
  async post(at: number): Promise<Posted> {
    await this.posts.until(`${at + 1} webhooks came`, (items) => items.length > at);
    return this.posts.items[at]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}
