import { once } from 'node:events';
import {
  FrameSplitter,
  frame,
  type Ping,
  type PingMeaning,
  readPing,
  readServiceMessage,
  type ServiceMessage,
  type ServiceMessageKind,
  type ServiceMessageOf,
  writeServiceMessage,
} from '@signalbox/app-sdk/protocol';
import { WebSocket } from 'ws';
import { sign } from '../auth/sign.ts';
import { Changes } from '../support/changes.ts';

/** Claims of an app server's token for this hub, valid for an hour. */
export function serverClaims(hub: string, more: object = {}): object {
  const now = Math.floor(Date.now() / 1000);
  return { nbf: now, iat: now, exp: now + 3600, aud: `http://localhost/server/?hub=${hub}`, nameid: 'srvA', ...more };
}

export interface AppOptions {
  readonly hub?: string;
  readonly token?: string;
  /** Replaces `/server/?hub=…&cid=…`. */
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly handshake?: Partial<ServiceMessageOf<'HandshakeRequest'>>;
}

/** An app server that does what a test says: the service protocol over a plain WebSocket. */
export class ScriptedApp extends Changes {
  readonly heard: ServiceMessage[] = [];
  readonly socket: WebSocket;
  /** The close code of the WebSocket. */
  readonly closed: Promise<number>;
  /** WebSocket messages that came. */
  frames = 0;
  /** What cannot be read is kept, for the test to fail on. */
  readonly faults: unknown[] = [];

  constructor(port: number, options: AppOptions = {}) {
    super();
    const hub = options.hub ?? 'chat';
    const token = options.token ?? sign(serverClaims(hub.toLowerCase()));
    const target = options.target ?? `/server/?hub=${hub}&cid=c1`;
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${target}`, {
      headers: { authorization: `Bearer ${token}`, 'x-asrs-server-id': 'srvA', ...options.headers },
    });
    const splitter = new FrameSplitter({ limit: Number.POSITIVE_INFINITY });
    this.socket.on('message', (data: Buffer) => this.#came(splitter, data));
    this.socket.on('error', () => undefined); // `closed` tells
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
    void this.closed.then(() => this.changed());
  }

  #came(splitter: FrameSplitter, data: Buffer): void {
    this.frames++;
    try {
      for (const body of splitter.push(data)) {
        const message = readServiceMessage(Buffer.from(body));
        if (message !== undefined) this.heard.push(message);
      }
    } catch (error) {
      this.faults.push(error);
    }
    this.changed();
  }

  /** Resolves when the WebSocket is open; rejects with the status of a refusal. */
  async opened(): Promise<this> {
    const refused = once(this.socket, 'unexpected-response').then(([, answer]) => {
      this.socket.terminate();
      throw new Error(`refused with ${(answer as { statusCode: number }).statusCode}`);
    });
    await Promise.race([once(this.socket, 'open'), refused]);
    return this;
  }

  /** Opens and shakes hands. */
  static async connect(port: number, options: AppOptions = {}): Promise<ScriptedApp> {
    const app = await new ScriptedApp(port, options).opened();
    app.shakeHands(options.handshake);
    await app.hears('HandshakeResponse');
    return app;
  }

  shakeHands(more: Partial<ServiceMessageOf<'HandshakeRequest'>> = {}): void {
    this.say({
      kind: 'HandshakeRequest',
      version: 1,
      connectionType: 0,
      target: '',
      migrationLevel: 0,
      allowStatefulReconnects: false,
      ...more,
    });
  }

  /** Sends messages, each in a WebSocket message of its own. */
  say(...messages: readonly ServiceMessage[]): void {
    for (const message of messages) this.socket.send(writeServiceMessage(message));
  }

  /** Sends a body of these bytes, framed. */
  sayBody(hex: string): void {
    this.socket.send(frame(Buffer.from(hex, 'hex')));
  }

  /** All messages of a kind that came. */
  of<K extends ServiceMessageKind>(kind: K): ServiceMessageOf<K>[] {
    return this.heard.filter((message): message is ServiceMessageOf<K> => message.kind === kind);
  }

  /** Resolves with the last message of a kind, once there are so many of it. */
  async hears<K extends ServiceMessageKind>(kind: K, count = 1): Promise<ServiceMessageOf<K>> {
    await this.until(() => this.of(kind).length >= count);
    return this.of(kind)[count - 1]!;
  }

  /** What the pings said that came, in order. */
  get pings(): PingMeaning[] {
    return this.of('Ping').map((ping: Ping) => readPing(ping));
  }

  /** Resolves when a ping of this topic came so many times. */
  async hearsPing<T extends PingMeaning['topic']>(topic: T, count = 1): Promise<Extract<PingMeaning, { topic: T }>[]> {
    const of = () => this.pings.filter((ping): ping is Extract<PingMeaning, { topic: T }> => ping.topic === topic);
    await this.until(() => of().length >= count);
    return of();
  }

  /** Resolves when all that was sent so far was acted on: an ack comes behind it. */
  async settled(): Promise<void> {
    const ackId = 900_000 + this.heard.length;
    this.say({ kind: 'GetConnectionClaims', connectionToken: 'nobody', ackId });
    await this.until(() => this.of('Ack').some((ack) => ack.ackId === ackId));
  }

  leave(): void {
    this.socket.terminate();
  }
}
