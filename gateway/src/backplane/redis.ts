import { GatewayError } from '../errors.ts';
import { afterAwake } from '../observe/awake.ts';
import { type Backplane, type BackplaneEvents, type BackplaneTraits, controlTopics } from './backplane.ts';
import { RedisConnections, type RedisTls } from './redis-connections.ts';
import type { RedisCommand } from './redis-publisher.ts';
import { RedisRoad } from './redis-road.ts';
import type { RedisTarget } from './redis-url.ts';

/** What happened, for metrics and logs. */
export interface RedisEvents {
  /** So many more seconds were spent deaf: told once a second while it lasts, and at its end. */
  deafFor(seconds: number): void;
  /** A probe came back through Redis after so many milliseconds. */
  probe(milliseconds: number): void;
  /** Something an operator should know; never a secret. */
  warning(message: string, facts: Record<string, string | number>): void;
}

export interface RedisBackplaneOptions {
  readonly target: RedisTarget;
  /** Full prefix of topics and keys, with the database number: see `fullPrefix`. */
  readonly prefix: string;
  /** This node's id. */
  readonly node: string;
  readonly events: RedisEvents;
  readonly tls?: RedisTls;
  /** Bytes of publishes that Redis has not answered, per road. Default 16 MiB. */
  readonly queueBytes?: number;
  /** Age in milliseconds of the oldest publish that Redis has not answered. Default 2,000. */
  readonly queueMs?: number;
  /** Largest message between nodes, in bytes: compared with Redis' output buffers. Default 1 MiB. */
  readonly messageBytes?: number;
  /** How long {@link Backplane.start} tries, in milliseconds. Default 10,000. */
  readonly startMs?: number;
}

/** Which connections a command takes: those of sends, in order with them, or those of control. */
export type RoadName = 'lane' | 'control';

/** The Redis maker, and what records need of it: one set of connections, one health. */
export interface RedisBackplane extends Backplane, BackplaneTraits {
  /** Runs one command, in order with what the road publishes. `key` decides the slot on a cluster. */
  run(road: RoadName, key: string, command: RedisCommand, payloadBytes?: number): Promise<unknown>;
  /** The command that publishes: `PUBLISH`, or `SPUBLISH` on a cluster. For scripts. */
  readonly publishVerb: 'PUBLISH' | 'SPUBLISH';
  /** Bytes published that Redis has not answered. */
  outstandingBytes(): number;
}

/** A backplane for many nodes, over Redis pub/sub. */
export function createRedisBackplane(options: RedisBackplaneOptions): RedisBackplane {
  return new RedisPubSub(options);
}

class RedisPubSub implements RedisBackplane {
  readonly remote = true;
  readonly hashTags: boolean;
  readonly publishVerb: 'PUBLISH' | 'SPUBLISH';
  readonly isControl: (topic: string) => boolean;
  readonly #options: RedisBackplaneOptions;
  readonly #roads: Readonly<Record<RoadName, RedisRoad>>;
  #on: BackplaneEvents | undefined;
  #hears = false;
  #trouble = 'no answer';
  #started: (() => void) | undefined;
  #deafSince = performance.now();
  #deafTimer: NodeJS.Timeout | undefined;

  constructor(options: RedisBackplaneOptions) {
    const connections = new RedisConnections(options.target, options.tls);
    this.#options = options;
    this.hashTags = connections.sharded;
    this.publishVerb = connections.sharded ? 'SPUBLISH' : 'PUBLISH';
    this.isControl = controlTopics(options.prefix);
    this.#roads = { lane: this.#road('lane', connections), control: this.#road('control', connections) };
  }

  async start(on: BackplaneEvents): Promise<void> {
    this.#on = on;
    const ready = new Promise<void>((resolve) => {
      this.#started = resolve;
    });
    for (const road of Object.values(this.#roads)) road.open();
    const { startMs = 10_000 } = this.#options;
    const callOff = afterAwake(startMs, () => void this.close());
    await ready;
    callOff();
    if (!this.#hears) {
      throw new GatewayError('backplane_down', `Redis was not reachable within ${startMs} ms: ${this.#trouble}`);
    }
    await this.#checkOutputBuffer();
  }

  watch(topic: string): Promise<void> {
    return this.#roadOf(topic).watch(topic);
  }

  async unwatch(topic: string): Promise<void> {
    this.#roadOf(topic).unwatch(topic);
  }

  publish(topic: string, envelope: Uint8Array): Promise<number> {
    return this.#roadOf(topic).publish(topic, envelope);
  }

  async watchers(topic: string): Promise<number> {
    if (!this.hashTags) {
      const counts = await this.run('control', topic, ['pubsub', 'NUMSUB', topic]);
      return Number((counts as unknown[])[1]);
    }
    // A script has a key, so that the cluster's client finds the shard whose answer counts.
    const script = "return redis.call('PUBSUB', 'SHARDNUMSUB', KEYS[1])[2]";
    return Number(await this.run('control', topic, ['eval', script, 1, topic]));
  }

  run(road: RoadName, key: string, command: RedisCommand, payloadBytes = 0): Promise<unknown> {
    return this.#roads[road].run(key, command, payloadBytes);
  }

  /** The lane's: control is always quicker, and its backlog drops nothing. */
  lateness(): number {
    return this.#roads.lane.lateness();
  }

  outstandingBytes(): number {
    return this.#roads.lane.outstandingBytes + this.#roads.control.outstandingBytes;
  }

  async close(): Promise<void> {
    this.#on = undefined;
    this.#countDeafness();
    for (const road of Object.values(this.#roads)) road.close();
    clearInterval(this.#deafTimer);
    this.#started?.();
  }

  #roadOf(topic: string): RedisRoad {
    return this.isControl(topic) ? this.#roads.control : this.#roads.lane;
  }

  #road(name: RoadName, connections: RedisConnections): RedisRoad {
    const { prefix, node, events, queueBytes = 16 * 1024 * 1024, queueMs = 2_000 } = this.#options;
    const ending = `:n:${node}:${name}:probe`;
    return new RedisRoad({
      name: `signalbox-${node}-${name}`,
      connections,
      limits: { queueBytes, queueMs },
      probeTag: prefix,
      probeTopic: (tag) => (connections.sharded ? `{${tag}}${ending}` : `${tag}${ending}`),
      events: {
        message: (topic, envelope) => this.#on?.message(topic, envelope),
        down: () => this.#roadIsDown(),
        up: () => this.#roadIsUp(),
        probe: (milliseconds) => events.probe(milliseconds),
        trouble: (reason) => {
          this.#trouble = reason;
          events.warning('Redis connection lost', { road: name, reason });
        },
      },
    });
  }

  #roadIsDown(): void {
    if (!this.#hears) return;
    this.#hears = false;
    this.#deafSince = performance.now();
    this.#deafTimer = setInterval(() => this.#countDeafness(), 1_000).unref();
    this.#on?.deaf();
  }

  #roadIsUp(): void {
    if (!Object.values(this.#roads).every((road) => road.up)) return;
    const first = this.#started;
    this.#countDeafness();
    clearInterval(this.#deafTimer);
    this.#hears = true;
    this.#started = undefined;
    if (first !== undefined) first();
    else this.#on?.hearing();
  }

  #countDeafness(): void {
    if (this.#deafTimer === undefined || this.#hears) return;
    const now = performance.now();
    this.#options.events.deafFor((now - this.#deafSince) / 1_000);
    this.#deafSince = now;
  }

  /** Redis cuts a subscriber off that is owed more than its output buffer: one burst of large messages must fit. */
  async #checkOutputBuffer(): Promise<void> {
    const { events, messageBytes = 1024 * 1024 } = this.#options;
    const limits = await this.#outputBuffer();
    const wanted = messageBytes * burst;
    if (limits === undefined || limits.every((limit) => limit === 0 || limit >= wanted)) return;
    const [hard = 0, soft = 0] = limits;
    events.warning('Redis cuts off subscribers early: raise client-output-buffer-limit pubsub', { hard, soft, wanted });
  }

  async #outputBuffer(): Promise<number[] | undefined> {
    const setting = 'client-output-buffer-limit';
    try {
      const reply = await this.run('control', this.#options.prefix, ['config', 'GET', setting]);
      const limits = /pubsub (\d+) (\d+)/.exec(String((reply as unknown[])[1]));
      return limits === null ? undefined : [Number(limits[1]), Number(limits[2])];
    } catch {
      return undefined; // managed Redis services forbid CONFIG: then nothing is known, and nothing is to be said
    }
  }
}

/** How many of the largest messages Redis must be able to hold back for a subscriber. */
const burst = 8;
