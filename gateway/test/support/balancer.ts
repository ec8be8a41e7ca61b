import { once } from 'node:events';
import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/**
 * A balancer without any stickiness: every request and every upgrade goes to a node drawn at random, over a socket of its
 * own. A node that takes no sockets is passed over.
 */
export class Balancer {
  /** What it refuses, as some proxies do. */
  readonly refuses = { upgrades: false, events: false };
  /** Requests that it passed on, by node. */
  readonly passed = new Map<number, number>();
  readonly #server: Server;
  readonly #ports: readonly number[];
  readonly #sockets = new Set<Socket>();

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    // Node's 5 s would end a socket in the moment in which a client that was held up uses it again.
    this.#server = createServer(
      { keepAliveTimeout: 600_000 },
      (request, response) => void this.#forward(request, response),
    );
    this.#server.on('connection', (socket) => this.#keep(socket));
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket as Socket, head));
  }

  /** Starts one in front of the nodes that listen on these ports. */
  static async start(ports: readonly number[]): Promise<Balancer> {
    const balancer = new Balancer(ports);
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refused = this.refuses.events && request.headers.accept === 'text/event-stream';
    const node = refused ? undefined : await this.#node();
    if (node === undefined) {
      response.writeHead(502).end();
      return;
    }
    if (!endsWith(node, response)) return;
    const forwarded = send(request, node, { ...request.headers, connection: 'close' });
    forwarded.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  }

  async #upgrade(request: IncomingMessage, client: Socket, head: Buffer): Promise<void> {
    client.on('error', () => client.destroy());
    const node = this.refuses.upgrades ? undefined : await this.#node();
    if (node === undefined) {
      client.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n');
      return;
    }
    if (!endsWith(node, client)) return;
    const forwarded = send(request, node, request.headers);
    forwarded.on('upgrade', (answer, _socket, first) => {
      client.write(headOf(answer));
      client.write(first);
      node.write(head);
      node.pipe(client).pipe(node);
      node.on('close', () => client.destroySoon());
    });
    forwarded.on('response', (answer) => {
      client.write(headOf(answer));
      answer.pipe(client);
    });
    forwarded.on('error', () => client.destroy());
    forwarded.end();
  }

  /** A socket to a node drawn at random; the next one when that refuses. */
  async #node(): Promise<Socket | undefined> {
    const [first, ...others] = [...this.#ports].sort(() => Math.random() - 0.5);
    for (const port of first === undefined ? [] : [first, ...others]) {
      const socket = connect(port, '127.0.0.1').setNoDelay();
      this.#keep(socket);
      socket.on('error', () => socket.destroy());
      if (!(await connected(socket))) continue;
      this.passed.set(port, (this.passed.get(port) ?? 0) + 1);
      return socket;
    }
    return undefined;
  }
}

/** A node's socket does not outlive who asked. @returns false: who asked is gone already. */
function endsWith(node: Socket, asker: Socket | ServerResponse): boolean {
  asker.once('close', () => node.destroy());
  if (asker.destroyed) node.destroy();
  return !asker.destroyed;
}

/** Passes a request on over this socket. */
function send(request: IncomingMessage, node: Socket, headers: IncomingHttpHeaders): ClientRequest {
  const { method, url: path } = request;
  return httpRequest({ method, path, headers, createConnection: () => node });
}

function connected(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('close', () => resolve(false));
  });
}

function headOf(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let i = 0; i < answer.rawHeaders.length; i += 2)
    lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
