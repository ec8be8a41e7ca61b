import type { ServiceMessage } from '@signalbox/app-sdk/protocol';
import type { CarriedClient, ClientInfo, Link, LinkHost } from '../../src/apps/link.ts';
import { serverPaths, serviceDoor } from '../../src/apps/service-door.ts';
import { importKeys } from '../../src/auth/keys.ts';
import { Tokens } from '../../src/auth/tokens.ts';
import { type Config, readConfig } from '../../src/config.ts';
import type { Door, Reach, Reply } from '../../src/core/router.ts';
import { GatewayError } from '../../src/errors.ts';
import { createHttpServer } from '../../src/http.ts';
import type { Facts } from '../../src/observe/log.ts';
import type { Trace } from '../../src/observe/trace.ts';
import { createTracing } from '../../src/observe/tracing.ts';
import type { AppCommand } from '../../src/protocol/command.ts';
import { otherKey, testKey } from '../auth/sign.ts';
import { Changes } from '../support/changes.ts';
import { EventLog } from '../support/event-log.ts';
import { type AppOptions, ScriptedApp } from './scripted-app.ts';

/** A client that keeps what its link told it: `data …`, `closed …`, `lost …`, `migrate`. */
export class FakeCarried extends Changes implements CarriedClient {
  readonly connectionId: string;
  readonly told: string[] = [];
  readonly bytes: Uint8Array[] = [];

  constructor(connectionId: string) {
    super();
    this.connectionId = connectionId;
  }

  fromApp(bytes: Uint8Array): void {
    this.bytes.push(bytes);
    this.#tell(`data ${Buffer.from(bytes).toString()}`);
  }

  closedByApp(error: string): void {
    this.#tell(`closed ${error}`);
  }

  linkLost(reason: string): void {
    this.#tell(`lost ${reason}`);
  }

  migrate(): boolean {
    this.#tell('migrate');
    return false;
  }

  #tell(text: string): void {
    this.told.push(text);
    this.changed();
  }

  /** What the app is told of it. */
  info(more: Partial<ClientInfo> = {}): ClientInfo {
    const { connectionId } = this;
    return { connectionId, claims: [], headers: [], queryString: '', protocol: 'json', ...more };
  }
}

/** A node that records what its links ask and tell. */
export class FakeHost extends Changes implements LinkHost {
  readonly node = 'node1';
  readonly links: Link[] = [];
  readonly commands: AppCommand[] = [];
  /** Traces of the commands that came with one. */
  readonly causes: Trace[] = [];
  /** How often a link said that it changed. */
  changes = 0;
  /** Makes the answer to a command; a throw refuses it. */
  answer: (command: AppCommand) => Reply | Promise<Reply> = () => 'yes';
  hasAny: boolean | Error = false;
  ids: readonly string[] = ['srvA'];
  #count = 0;

  readonly router = {
    send: async (command: AppCommand, _door: Door, cause?: Trace): Promise<Reach> => {
      await this.#record(command, cause);
      return 'all';
    },
    ask: (command: AppCommand, _door: Door, cause?: Trace): Promise<Reply> => this.#record(command, cause),
  };

  readonly invocations: LinkHost['invocations'] = {
    invoke: () => Promise.reject(new GatewayError('no_answer', 'this node calls no clients')),
    completedAnywhere: () => undefined,
  };
  readonly inquiries: LinkHost['inquiries'] = {
    list: () => Promise.reject(new GatewayError('no_answer', 'this node lists nobody')),
  };

  readonly logins: LinkHost['logins'] = {
    change: () => Promise.reject(new GatewayError('no_answer', 'this node knows no logins')),
  };

  connectionOf(): undefined {
    return undefined;
  }

  async #record(command: AppCommand, cause: Trace | undefined): Promise<Reply> {
    this.commands.push(command);
    if (cause !== undefined) this.causes.push(cause);
    this.changed();
    return this.answer(command);
  }

  /** What was to be said to an app server on another of its links. */
  readonly redirected: ServiceMessage[] = [];

  sayToServer(_hub: string, _server: string, message: ServiceMessage): void {
    this.redirected.push(message);
    super.changed();
  }

  nextLinkId(): string {
    return `${this.node}-${++this.#count}`;
  }

  added(link: Link): void {
    this.links.push(link);
    super.changed();
  }

  override changed(_link?: Link): void {
    this.changes++;
    super.changed();
  }

  removed(link: Link): void {
    this.links.splice(this.links.indexOf(link), 1);
    super.changed();
  }

  async hasClients(): Promise<boolean> {
    if (this.hasAny instanceof Error) throw this.hasAny;
    return this.hasAny;
  }

  servers(): readonly string[] {
    return this.ids;
  }
}

export type LinkDoor = Awaited<ReturnType<typeof startLinkDoor>>;

/** The door for app servers on a port of its own, in front of a node that records. */
export async function startLinkDoor(limits: Partial<Config> = {}) {
  const host = new FakeHost();
  const log = new EventLog();
  const defects: unknown[] = [];
  const logged: string[] = [];
  const traced: Facts[] = [];
  /** Stands still until a test moves it: no keep-alive comes between because the machine was busy. */
  const clock = { ms: 0 };
  const keys = await importKeys([testKey, otherKey]);
  const door = serviceDoor({
    host,
    tokens: new Tokens({ keys, hosts: [], events: log.events }),
    events: log.events,
    log: { info: (message) => void logged.push(message), error: (message) => void defects.push(message) },
    tracing: createTracing({ log: { debug: (_, facts) => void traced.push(facts ?? {}) }, share: 1 }),
    config: { ...readConfig({}), ...limits },
    now: () => clock.ms,
  });
  const server = await createHttpServer({ bodyBytes: 10_000, defect: (error) => defects.push(error) });
  server.upgrade(serverPaths, door);
  const port = await server.listen('127.0.0.1', 0, true);
  return {
    port,
    host,
    door,
    log,
    logged,
    /** Facts of the spans that are over. */
    traced,
    defects,
    clock,
    app: (options?: AppOptions) => ScriptedApp.connect(port, options),
    opened: (options?: AppOptions) => new ScriptedApp(port, options).opened(),
    /** An app server, and its link. */
    async linked(options?: AppOptions) {
      const app = await ScriptedApp.connect(port, options);
      const { connectionId } = await app.hears('HandshakeResponse');
      return { app, link: host.links.find(({ id }) => id === connectionId)! };
    },
    /** Why links ended, in order, once so many have. */
    async ends(count: number): Promise<unknown[]> {
      await log.until(() => log.of('linkClosed').length >= count);
      return log.of('linkClosed').map(([, , reason]) => reason);
    },
    [Symbol.dispose]: () => server.close(),
  };
}
