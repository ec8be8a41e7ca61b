import {
  type AnyContract,
  AppServer,
  type AppServerOptions,
  defineHub,
  type HubDefinition,
  type HubOptions,
  type Logger,
  type Observer,
} from '@signalbox/app-sdk';
import { afterEach, beforeEach, vi } from 'vitest';
import { type ServedLink, Service } from './service.ts';

type AnyOptions = Partial<HubOptions<AnyContract, Record<string, unknown>>>;

/** A hub named `Chat` with any methods. */
export function chatHub(options: AnyOptions = {}): HubDefinition<AnyContract> {
  return defineHub<AnyContract>({ name: 'Chat', methods: {}, ...options });
}

/** What a test of links stands on: a scripted service, made anew for each test, and app servers that stop after it. */
export interface LinkSetup {
  service: Service;
  readonly logger: { [K in keyof Logger]: ReturnType<typeof vi.fn<Logger[K]>> };
  /** Facts that observers were told, with their names. */
  readonly facts: { fact: string; [key: string]: unknown }[];
  /** Resolves when so many facts of a name were told. */
  told(fact: keyof Observer, count?: number): Promise<void>;
  server(hub?: HubDefinition<AnyContract>, options?: Partial<AppServerOptions>): AppServer;
  /** A server that has started, with one link unless said otherwise, and the service's ends of its links. */
  started(
    hub?: HubDefinition<AnyContract>,
    options?: Partial<AppServerOptions>,
  ): Promise<{
    server: AppServer;
    hub: ReturnType<typeof AppServer.prototype.hub<AnyContract>>;
    links: ServedLink[];
    link: ServedLink;
  }>;
}

function observer(facts: LinkSetup['facts'], told: () => void): Observer {
  const tell = (fact: string) => (event: object) => {
    facts.push({ fact, ...event });
    told();
  };
  return new Proxy({} as Observer, { get: (_, fact: string) => tell(fact) });
}

/** Registers the hooks of a file. */
export function linkSetup(): LinkSetup {
  const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  let made: AppServer[] = [];
  let listeners: (() => void)[] = [];
  const told = (): void => {
    for (const listener of listeners) listener();
  };
  const setup: LinkSetup = {
    service: new Service(),
    logger,
    facts: [],
    told: (fact, count = 1) =>
      new Promise((resolve) => {
        const listener = (): void => {
          if (setup.facts.filter((item) => item.fact === fact).length >= count) resolve();
        };
        listeners.push(listener);
        listener();
      }),
    server(hub = chatHub(), options = {}) {
      const { connectionString } = setup.service;
      const server = new AppServer(connectionString, {
        hubs: [hub],
        logger,
        observe: observer(setup.facts, told),
        links: 1,
        ...options,
      });
      made.push(server);
      return server;
    },
    async started(definition = chatHub(), options = {}) {
      const server = setup.server(definition, options);
      const [links] = await Promise.all([
        Promise.all(Array.from({ length: options.links ?? 1 }, () => setup.service.link())),
        server.start(),
        setup.told('linkUp', options.links ?? 1),
      ]);
      const [link] = links;
      if (link === undefined) throw new TypeError('a server must have a link');
      return { server, hub: server.hub(definition), links, link };
    },
  };
  beforeEach(async () => {
    for (const log of Object.values(logger)) log.mockReset();
    setup.facts.length = 0;
    setup.service = await new Service().start();
    made = [];
    listeners = [];
  });
  afterEach(async () => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    await setup.service.stop();
    await Promise.all(made.map((server) => server.stop({ graceMs: 0 })));
  });
  return setup;
}
