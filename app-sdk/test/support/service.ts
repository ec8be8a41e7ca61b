import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { decodeJwt, type JWTPayload } from 'jose';
import { type WebSocket, WebSocketServer } from 'ws';
import { FrameSplitter } from '../../src/protocol/framing.ts';
import { handshakeRequest } from '../../src/protocol/handshake.ts';
import type { HubMessage } from '../../src/protocol/hub.ts';
import { jsonHubProtocol } from '../../src/protocol/hub-json.ts';
import {
  readServiceMessage,
  type ServiceMessage,
  type ServiceMessageKind,
  type ServiceMessageOf,
  writeServiceMessage,
} from '../../src/protocol/service.ts';
import { type PingMeaning, readPing } from '../../src/protocol/service-ping.ts';

/** A list in which the next element of a kind can be waited for. */
class Inbox<T> {
  readonly all: T[] = [];
  #left: T[] = [];
  #waiting: { matches: (item: T) => boolean; resolve: (item: T) => void }[] = [];

  push(item: T): void {
    this.all.push(item);
    const index = this.#waiting.findIndex(({ matches }) => matches(item));
    const [waiter] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (waiter) waiter.resolve(item);
    else this.#left.push(item);
  }

  /** Takes the first that matches, now or when it comes. */
  next(matches: (item: T) => boolean = () => true): Promise<T> {
    const index = this.#left.findIndex(matches);
    const [found] = index < 0 ? [] : this.#left.splice(index, 1);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => this.#waiting.push({ matches, resolve }));
  }
}

/** The service's end of one link: every message that came was read with the codec. */
export class ServedLink {
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly claims: JWTPayload;
  readonly closed: Promise<number>;
  /** Bodies as they came. */
  readonly bodies: Uint8Array[] = [];
  /** WebSocket messages as they came. */
  readonly writes: Uint8Array[] = [];
  /** Whether commands are answered with Ok at once. */
  acknowledges = false;
  readonly #messages = new Inbox<ServiceMessage>();
  readonly #socket: WebSocket;
  readonly #splitter = new FrameSplitter({ limit: 1 << 30 });

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.#socket = socket;
    this.url = new URL(request.url ?? '', 'http://localhost');
    this.headers = request.headers;
    this.claims = decodeJwt((request.headers.authorization ?? '').replace('Bearer ', ''));
    this.closed = once(socket, 'close').then(([code]) => code as number);
    socket.on('message', (data: Buffer) => {
      this.writes.push(new Uint8Array(data));
      for (const body of this.#splitter.push(new Uint8Array(data))) {
        this.bodies.push(body);
        const message = readServiceMessage(body) as ServiceMessage;
        this.#messages.push(message);
        if (this.acknowledges && 'ackId' in message) this.ack(message.ackId);
      }
    });
  }

  /** All messages in their order, pings left out. */
  get received(): ServiceMessage[] {
    return this.#messages.all.filter(({ kind }) => kind !== 'Ping');
  }

  /** The next message of a kind, or the next that is no ping. */
  async next<K extends ServiceMessageKind>(kind?: K): Promise<ServiceMessageOf<K>> {
    const matches = (message: ServiceMessage) => (kind === undefined ? message.kind !== 'Ping' : message.kind === kind);
    return (await this.#messages.next(matches)) as ServiceMessageOf<K>;
  }

  /** The next ping about something. */
  async ping<T extends PingMeaning['topic']>(topic: T): Promise<Extract<PingMeaning, { topic: T }>> {
    const message = await this.#messages.next((item) => item.kind === 'Ping' && readPing(item).topic === topic);
    return readPing(message as ServiceMessageOf<'Ping'>) as Extract<PingMeaning, { topic: T }>;
  }

  /** How many pings about something have come. */
  pings(topic: PingMeaning['topic']): number {
    return this.#messages.all.filter((item) => item.kind === 'Ping' && readPing(item).topic === topic).length;
  }

  /** Sends messages, all in one WebSocket message. */
  say(...messages: ServiceMessage[]): void {
    this.write(new Uint8Array(Buffer.concat(messages.map(writeServiceMessage))));
  }

  write(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  text(data: string): void {
    this.#socket.send(data);
  }

  /** Acknowledges. */
  ack(ackId: number, status = 1, message = ''): void {
    this.say({ kind: 'Ack', ackId, status, message });
  }

  /** A client comes, with its handshake, and is answered. */
  async connect(connectionId: string, more: Partial<ServiceMessageOf<'OpenConnection'>> = {}): Promise<void> {
    this.open(connectionId, more);
    await this.next('ConnectionData');
  }

  open(connectionId: string, more: Partial<ServiceMessageOf<'OpenConnection'>> = {}): void {
    const extensions = { protocol: 'json' };
    this.say(
      { kind: 'OpenConnection', connectionId, claims: [], headers: [], queryString: '', extensions, ...more },
      { kind: 'ConnectionData', connectionId, payload: handshakeRequest('json', 1) },
    );
  }

  /** A client says hub messages. */
  from(connectionId: string, ...messages: HubMessage[]): void {
    const payload = new Uint8Array(Buffer.concat(messages.map((message) => jsonHubProtocol.write(message))));
    this.say({ kind: 'ConnectionData', connectionId, payload });
  }

  close(code = 1000): void {
    this.#socket.close(code);
  }

  /** Breaks the connection. */
  cut(): void {
    this.#socket.terminate();
  }

  /** Takes no bytes, until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

/** A scripted service: links are accepted unless told otherwise, and do what the test says. */
export class Service {
  readonly links: ServedLink[] = [];
  /** HTTP status for the next upgrades; `undefined`: they are accepted. */
  refuse: number | undefined;
  /** Text of the answer to a handshake; `undefined`: no answer. */
  greeting: string | undefined = '';
  /** Upgrades that were asked for. */
  attempts = 0;
  readonly #up = new Inbox<ServedLink>();
  readonly #asked = new Inbox<number>();
  readonly #server = createServer();
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: 1 << 30 });

  async start(port = 0): Promise<this> {
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return this;
  }

  get connectionString(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `Endpoint=http://localhost;Port=${port};ServerEndpoint=http://127.0.0.1:${port}/;AccessKey=secret;`;
  }

  /** The next link that has shaken hands. */
  link(): Promise<ServedLink> {
    return this.#up.next();
  }

  /** Resolves at the next attempt, the number of which it gives. */
  asked(): Promise<number> {
    return this.#asked.next();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#asked.push(++this.attempts);
    if (this.refuse !== undefined) {
      socket.end(`HTTP/1.1 ${this.refuse} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (client) => void this.#serve(new ServedLink(client, request)));
  }

  async #serve(link: ServedLink): Promise<void> {
    this.links.push(link);
    await link.next('HandshakeRequest');
    if (this.greeting === undefined) return;
    link.say({ kind: 'HandshakeResponse', errorMessage: this.greeting });
    if (this.greeting !== '') return link.close();
    this.#up.push(link);
  }
}
