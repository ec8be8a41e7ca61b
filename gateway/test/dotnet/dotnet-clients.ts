import type { NegotiateResponse } from '@signalbox/app-sdk';
import { Inbox } from '../support/inbox.ts';
import { DotnetOrders, type Line } from './dotnet-orders.ts';
import { buildProject, DotnetProgram } from './dotnet-program.ts';

/** A transport by the name that negotiation has for it. */
export type TransportName = 'WebSockets' | 'ServerSentEvents' | 'LongPolling';

/** How a .NET client connects. */
export interface DotnetClientOptions {
  readonly transport?: TransportName;
  /** What it answers when it is asked for its name. */
  readonly name?: string;
  /** Whether it asks for stateful reconnect. */
  readonly stateful?: boolean;
}

interface News extends Line {
  readonly client?: number;
  readonly what?: string;
}

/** A process of Microsoft's .NET client, in one version, that holds any number of connections. */
export class DotnetClients {
  readonly #program: DotnetProgram;
  readonly #orders: DotnetOrders;
  readonly #clients = new Map<number, DotnetClient>();

  private constructor(program: DotnetProgram) {
    this.#program = program;
    this.#orders = new DotnetOrders(program, ({ client = 0, what = '', value }: News) =>
      this.#clients.get(client)?.inbox.add({ what, value }),
    );
  }

  /** Builds it with this version of the client, and starts it. Rejects with a `DotnetError` when it cannot be restored. */
  static async start(version: string): Promise<DotnetClients> {
    const assembly = await buildProject({
      folder: 'gateway/test/dotnet/client',
      name: 'DotnetClient',
      properties: { ClientVersion: version },
    });
    const ready = new RegExp(`\\{"ready":"${version}"\\}\n`);
    return new DotnetClients(await DotnetProgram.start(assembly, { ready }));
  }

  /** Connects, with the answer of an app's negotiate. */
  async connect(where: NegotiateResponse, options: DotnetClientOptions = {}): Promise<DotnetClient> {
    const { transport = 'WebSockets', name = 'Nobody', stateful = false } = options;
    const number = this.#clients.size + 1;
    const client = new DotnetClient((ask, more) => this.#orders.ask(ask, { client: number, ...more }));
    this.#clients.set(number, client);
    const invitation = { url: where.url, accessToken: where.accessToken, transport, stateful };
    await client.start({ invitation, name });
    return client;
  }

  async stop(): Promise<void> {
    await this.#program.stop('SIGKILL');
  }
}

type Ask = (ask: string, more: object) => Promise<unknown>;

/** One connection of Microsoft's .NET client, with automatic reconnect. */
export class DotnetClient {
  /** `news`, and `reconnecting`, `reconnected`, `closed` with their facts. */
  readonly inbox = new Inbox<{ readonly what: string; readonly value: unknown }>();
  /** Whether the service agreed to stateful reconnect. */
  stateful = false;
  id = '';
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async start(how: object): Promise<void> {
    const { id, stateful } = (await this.#ask('start', how)) as { id: string; stateful: boolean };
    this.id = id;
    this.stateful = stateful;
  }

  invoke(target: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.#ask('invoke', { target, args });
  }

  /** The items up to so many; then the stream is cancelled. */
  stream(target: string, args: readonly unknown[], most?: number): Promise<unknown> {
    return this.#ask('stream', { target, args, ...(most !== undefined && { most }) });
  }

  upload(target: string, items: readonly unknown[]): Promise<unknown> {
    return this.#ask('upload', { target, args: items });
  }

  /** Breaks its connection as a network does. */
  async cut(): Promise<void> {
    await this.#ask('cut', {});
  }

  async stop(): Promise<void> {
    await this.#ask('stop', {});
  }

  /** What it heard by `news`. */
  get news(): unknown[] {
    return this.inbox.items.filter(({ what }) => what === 'news').map(({ value }) => value);
  }

  /** Resolves when it was told this. @returns with which fact, the last time. */
  async told(what: string): Promise<unknown> {
    await this.inbox.one(what, (item) => item.what === what);
    return this.inbox.items.findLast((item) => item.what === what)?.value;
  }

  /** Resolves when this came by `news`. */
  heard(value: unknown): Promise<void> {
    return this.inbox.one(`the news ${value}`, (item) => item.what === 'news' && item.value === value);
  }
}
