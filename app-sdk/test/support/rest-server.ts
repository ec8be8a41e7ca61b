import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { decodeJwt, type JWTPayload } from 'jose';

/** A request as it came. `claims` are those of its token, unverified. */
export interface Seen {
  method: string;
  path: string;
  query: string;
  headers: IncomingMessage['headers'];
  claims: JWTPayload;
  body: string;
  /** The client's end of the connection: equal for requests on one. */
  clientPort: number | undefined;
}

/** What to answer: a status, more of an answer, `drop` (cut the connection) or `hang` (say nothing). */
export type Answer = number | { status: number; headers?: Record<string, string>; body?: string } | 'drop' | 'hang';

/** A real HTTP server in place of the service. It records what it is asked and answers as told; 202 unless told. */
export class RestServer {
  readonly seen: Seen[] = [];
  answer: (seen: Seen, index: number) => Answer | Promise<Answer> = () => 202;
  /** The most requests that were open at once. */
  mostOpen = 0;
  #open = 0;
  readonly #arrivals: { count: number; resolve: () => void }[] = [];
  /** Idle connections stay for as long as any test: one that closes just as it is used again would lose a request. */
  readonly #server = createServer(
    { keepAliveTimeout: 120_000 },
    (request, response) => void this.#handle(request, response),
  );

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** As if nothing had been asked; 202 again. */
  forget(): void {
    this.seen.length = 0;
    this.mostOpen = 0;
    this.answer = () => 202;
  }

  /** `more`: further parts of the connection string. */
  connectionString(more = ''): string {
    return `Endpoint=http://localhost;Port=${this.port};ServerEndpoint=http://127.0.0.1:${this.port}/;AccessKey=secret;${more}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when so many requests have come in all. */
  arrived(count: number): Promise<void> {
    if (this.seen.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#arrivals.push({ count, resolve }));
  }

  /** Connections that are open now. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
  }

  /** Cuts all connections. May be called again. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.mostOpen = Math.max(this.mostOpen, ++this.#open);
    response.once('close', () => this.#open--);
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const { method = '', headers } = request;
    const claims = decodeJwt((headers.authorization ?? '').replace('Bearer ', ''));
    const clientPort = request.socket.remotePort;
    const seen = { method, path, query, headers, claims, clientPort, body: await text(request) };
    const index = this.seen.push(seen) - 1;
    for (const arrival of this.#arrivals) if (arrival.count <= this.seen.length) arrival.resolve();
    this.#reply(request, response, await this.answer(seen, index));
  }

  #reply(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
    if (answer === 'hang') return;
    if (answer === 'drop') {
      request.socket.destroy();
      return;
    }
    const { status, headers = {}, body = '' } = typeof answer === 'number' ? { status: answer } : answer;
    response.writeHead(status, headers).end(body);
  }
}

/** An error answer as the service gives it. */
export function refusal(status: number, code: string, message = 'no'): Answer {
  const headers = { 'x-ms-error-code': code, 'content-type': 'application/json' };
  return { status, headers, body: JSON.stringify({ code, message }) };
}

/** A request as one line: method, path and query. */
export function requestLine({ method, path, query }: Seen): string {
  return `${method} ${path}${query === '' ? '' : `?${query}`}`;
}
