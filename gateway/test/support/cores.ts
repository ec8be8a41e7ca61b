import type { Backplane, BackplaneTraits } from '../../src/backplane/backplane.ts';
import { type Bus, createBus } from '../../src/backplane/bus.ts';
import { createMemoryBackplane, MemoryExchange } from '../../src/backplane/memory.ts';
import type { NodeRecord, Records } from '../../src/backplane/records.ts';
import { createMemoryRecords } from '../../src/backplane/records-memory.ts';
import { createRedisRecords } from '../../src/backplane/records-redis.ts';
import { createRedisBackplane } from '../../src/backplane/redis.ts';
import { parseRedisUrl } from '../../src/backplane/redis-url.ts';
import { type Config, readConfig } from '../../src/config.ts';
import type { App } from '../../src/core/app.ts';
import type { Identity } from '../../src/core/connection.ts';
import { Core } from '../../src/core/core.ts';
import { Topics } from '../../src/core/topics.ts';
import { isSheddableCommand } from '../../src/protocol/command-codec.ts';
import { ServerlessApp } from '../../src/upstream/serverless-app.ts';
import { Cuttable } from './cuttable.ts';
import { EventLog } from './event-log.ts';
import { FakeClient } from './fake-client.ts';

const prefix = 'test@0';
const secret = 'the routing secret of these tests';

/** A machine that runs tests may stand still for seconds. Cores take that for no fault, unless a test says otherwise. */
const patience = { askMs: 10_000, lateMs: 60_000, backplaneQueueMs: 60_000 };

/** One core with its surroundings. */
export interface TestCore {
  readonly node: string;
  readonly core: Core;
  readonly log: EventLog;
  readonly topics: Topics;
  readonly bus: Bus;
  /** Its backplane, which can be cut. */
  readonly backplane: Cuttable;
  readonly warnings: string[];
  /** A new client; its handshake is still to be made. */
  arrive(more?: ClientOptions): FakeClient;
  /** A new client that was told that it is connected. */
  connect(more?: ClientOptions): Promise<FakeClient>;
}

export interface ClientOptions extends Partial<Identity> {
  readonly protocol?: 'json' | 'messagepack';
}

export interface CoresOptions {
  readonly config?: Partial<Config>;
  /** Whoever ends the hub protocol. Default: the gateway itself. */
  readonly app?: App;
  /** Clock of the records in memory, in milliseconds. */
  readonly now?: () => number;
}

/** Cores of one service; disposing closes them. */
export class Cores {
  readonly all: readonly TestCore[];

  constructor(all: readonly TestCore[]) {
    this.all = all;
  }

  /** The core at this place. */
  at(index: number): TestCore {
    const core = this.all[index];
    if (core === undefined) throw new RangeError(`there are ${this.all.length} cores, no core ${index}`);
    return core;
  }

  /** A core drawn at random. */
  any(): TestCore {
    return this.at(Math.floor(Math.random() * this.all.length));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map(({ core }) => core.stop()));
  }
}

/** Where cores meet. */
interface Meeting {
  backplane(node: string): Backplane & BackplaneTraits;
  records(node: string, backplane: Cuttable): Records;
}

/** One core that knows of no other. */
export async function startAlone(options: CoresOptions = {}): Promise<TestCore & AsyncDisposable> {
  const cores = await start(['alone'], () => inMemory(undefined, ['alone'], options.now), options);
  return Object.assign(cores.at(0), { [Symbol.asyncDispose]: () => cores[Symbol.asyncDispose]() });
}

/** Cores that meet in this process. */
export function startCores(count: number, options: CoresOptions = {}): Promise<Cores> {
  return start(names(count), (nodes) => inMemory(new MemoryExchange(), nodes, options.now), options);
}

/** Cores that meet in Redis, each with its own connections. */
export function startCoresOverRedis(url: string, count: number, options: CoresOptions = {}): Promise<Cores> {
  return start(names(count), () => inRedis(url), options);
}

function names(count: number): string[] {
  return Array.from({ length: count }, () => `node-${Math.random().toString(36).slice(2, 9)}`);
}

async function start(nodes: string[], meet: (nodes: string[]) => Meeting, options: CoresOptions): Promise<Cores> {
  const meeting = meet(nodes);
  const cores = nodes.map((node) => make(node, meeting, options));
  const record: NodeRecord = { accessKeys: ['key'], routingSecret: 'secret', envelope: 1, data: null };
  for (const { bus, core } of cores) {
    await bus.start(core.handlers);
    await core.start(record);
  }
  return new Cores(cores);
}

function make(node: string, meeting: Meeting, options: CoresOptions): TestCore {
  const config: Config = { ...readConfig({}), ...patience, ...options.config };
  const log = new EventLog();
  const warnings: string[] = [];
  const backplane = new Cuttable(meeting.backplane(node));
  const records = meeting.records(node, backplane);
  const { events } = log;
  const { messageBytes, lateMs } = config;
  const bus = createBus({ backplane, node, events, sheddable: isSheddableCommand, limits: { messageBytes, lateMs } });
  const topics = new Topics(prefix, secret, bus.hashTags);
  const app =
    options.app ??
    new ServerlessApp({
      events,
      messageBytes: config.clientMessageBytes,
      completed: (...answer) => core.invocations.completed(...answer),
    });
  const warn = (text: string): void => void warnings.push(text);
  const core = new Core({ node, config, bus, records, topics, events, appOf: () => app, serves: () => true, warn });
  const arrive = ({ protocol, ...identity }: ClientOptions = {}): FakeClient =>
    new FakeClient(core.arrivals, identityOf(topics, identity), protocol);
  return {
    node,
    core,
    log,
    topics,
    bus,
    backplane,
    warnings,
    arrive,
    connect: (more) => arrive(more).shakeHands(),
  };
}

function identityOf(topics: Topics, identity: Partial<Identity>): Identity {
  const { hub = 'chat', userId } = identity;
  const connectionId = topics.mint(hub, userId);
  return { connectionId, detailedErrors: false, authExpires: undefined, handshakeMs: 15_000, ...identity, hub, userId };
}

function inRedis(url: string): Meeting {
  const made = new Map<string, ReturnType<typeof createRedisBackplane>>();
  return {
    backplane(node) {
      const events = { deafFor: () => undefined, warning: () => undefined, probe: () => undefined };
      const queueMs = patience.backplaneQueueMs;
      const backplane = createRedisBackplane({ target: parseRedisUrl(url), prefix, node, events, queueMs });
      made.set(node, backplane);
      return backplane;
    },
    records: (node) => createRedisRecords({ backplane: made.get(node)!, prefix, node }),
  };
}

/** Records of one memory, shared by all nodes; those of a node whose backplane is cut fail. */
function inMemory(
  exchange: MemoryExchange | undefined,
  nodes: readonly string[],
  now: () => number = Date.now,
): Meeting {
  const publish = async (topic: string, envelope: Uint8Array): Promise<number> =>
    exchange?.publish(topic, envelope) ?? 0;
  const shared = createMemoryRecords({ node: 'shared', publish, now });
  return {
    backplane: () => createMemoryBackplane(exchange === undefined ? { prefix } : { prefix, exchange }),
    records: (_node, backplane) => {
      const own =
        <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
        async (...args: A): Promise<R> => {
          backplane.check();
          return call.apply(shared, args);
        };
      return {
        start: own(shared.start),
        lease: own(shared.lease),
        secret: own(shared.secret),
        close: async () => undefined,
        nodes: own(async () => ({ settled: true, nodes: new Map(nodes.map((node) => [node, {} as NodeRecord])) })),
        claim: own(shared.claim),
        owner: own(shared.owner),
        standing: own(shared.standing),
        joinStanding: own(shared.joinStanding),
        leaveStanding: own(shared.leaveStanding),
        stands: own(shared.stands),
      };
    },
  };
}
