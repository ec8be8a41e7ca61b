import { GatewayError } from '../errors.ts';
import { Probe } from './probe.ts';
import type { RedisClient, RedisConnections } from './redis-connections.ts';
import { hashTag, type PublisherLimits, type RedisCommand, RedisPublisher } from './redis-publisher.ts';
import { type Subscriber, Watchlist } from './rewatch.ts';

/** What a road tells. */
export interface RoadEvents {
  message(topic: string, envelope: Uint8Array): void;
  /** Nothing can be trusted to pass any more. */
  down(): void;
  /** All that is wanted is watched. */
  up(): void;
  /** A probe came back after so many milliseconds. */
  probe(milliseconds: number): void;
  /** The connection was lost, or could not be made. Told once per outage and reason. */
  trouble(reason: string): void;
}

export interface RoadOptions {
  /** Shown by `CLIENT LIST`. */
  readonly name: string;
  readonly connections: RedisConnections;
  readonly limits: PublisherLimits;
  /** This node's probe topic: a topic that nobody else publishes on, in the slot of `tag` on a cluster. */
  probeTopic(tag: string): string;
  /** The hash tag of the probe that is always sent. */
  readonly probeTag: string;
  readonly events: RoadEvents;
}

/** Slots that are probed at most. */
const mostProbes = 100;

/** Waits between attempts to connect, in milliseconds; the last one repeats. */
const waits = [50, 100, 200, 500, 1_000, 2_000];

interface Pair {
  readonly publisher: RedisPublisher;
  readonly clients: readonly RedisClient[];
}

/**
 * One publisher and one subscriber, made anew together whenever either ends or their probe stays out: what one of them
 * still does says nothing about the way through both.
 */
export class RedisRoad {
  readonly #options: RoadOptions;
  readonly #watchlist: Watchlist;
  /** On a cluster each slot in use has a probe of its own: shards fail one by one. */
  readonly #probed = new Set<string>();
  #pair: Pair | undefined;
  #probe: Probe | undefined;
  #retry: NodeJS.Timeout | undefined;
  #attempts = 0;
  #trouble = '';
  #up = false;
  #closed = false;

  constructor(options: RoadOptions) {
    this.#options = options;
    this.#watchlist = new Watchlist(options.connections.sharded, {
      caughtUp: () => this.#caughtUp(),
      failed: (error) => this.#drop(error),
    });
    this.#probed.add(options.probeTopic(options.probeTag));
    for (const topic of this.#probed) this.#watchlist.want(topic);
  }

  get up(): boolean {
    return this.#up;
  }

  /** Begins to connect, and never stops trying until {@link close}. */
  open(): void {
    void this.#connect();
  }

  watch(topic: string): Promise<void> {
    if (this.#options.connections.sharded) void this.#probeSlot(topic);
    return this.#watchlist.watch(topic);
  }

  unwatch(topic: string): void {
    this.#watchlist.unwatch(topic);
  }

  /** Runs a command in order with everything else that this road sends. As {@link RedisPublisher.run}. */
  run(key: string, command: RedisCommand, payloadBytes = 0): Promise<unknown> {
    return this.#pair?.publisher.run(key, command, payloadBytes) ?? Promise.reject(down('Redis is known down'));
  }

  publish(topic: string, envelope: Uint8Array): Promise<number> {
    const verb = this.#options.connections.sharded ? 'spublish' : 'publish';
    return this.run(topic, [verb, topic, asBuffer(envelope)], envelope.length) as Promise<number>;
  }

  /** Bytes sent that Redis has not answered. */
  get outstandingBytes(): number {
    return this.#pair?.publisher.outstandingBytes ?? 0;
  }

  lateness(): number {
    return this.#probe?.lateness() ?? 0;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#leave(down('the backplane is closed'));
  }

  async #probeSlot(topic: string): Promise<void> {
    const probe = this.#options.probeTopic(hashTag(topic));
    if (this.#watchlist.has(probe) || this.#probed.size >= mostProbes) return;
    try {
      await this.#watchlist.watch(probe);
      this.#probed.add(probe);
    } catch {
      this.#watchlist.unwatch(probe); // the next topic of the slot tries again
    }
  }

  async #connect(): Promise<void> {
    const { connections, name } = this.#options;
    const made = await Promise.allSettled([connections.open(name, false), connections.open(`${name}-sub`, true)]);
    const clients = made.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failed = made.find((result) => result.status === 'rejected');
    const [publisher, subscriber] = clients;
    const ready = clients.every((client) => client.status === 'ready');
    if (this.#closed || !ready || publisher === undefined || subscriber === undefined) {
      for (const client of clients) client.disconnect();
      this.#tryAgain(failed?.reason instanceof Error ? failed.reason : new Error('Redis is not reachable'));
      return;
    }
    this.#enter(publisher, subscriber);
  }

  #enter(publisher: RedisClient, subscriber: RedisClient): void {
    const clients = [publisher, subscriber];
    const pair = { publisher: new RedisPublisher(publisher, this.#options.limits), clients };
    this.#pair = pair;
    for (const client of clients) {
      client.on('error', (error: Error) => this.#dropPair(pair, error));
      for (const event of ['close', 'end']) {
        client.on(event, () => this.#dropPair(pair, new Error('Redis closed the connection')));
      }
    }
    const event = this.#options.connections.sharded ? 'smessageBuffer' : 'messageBuffer';
    subscriber.on(event, (channel: Buffer, envelope: Buffer) => {
      if (pair === this.#pair) this.#receive(channel.toString(), envelope);
    });
    this.#watchlist.attach(this.#subscriber(subscriber));
  }

  #subscriber(client: RedisClient): Subscriber {
    if (this.#options.connections.sharded) {
      return {
        subscribe: (topics) => client.ssubscribe(...topics),
        unsubscribe: (topics) => client.sunsubscribe(...topics),
      };
    }
    return {
      subscribe: (topics) => client.subscribe(...topics),
      unsubscribe: (topics) => client.unsubscribe(...topics),
    };
  }

  #receive(topic: string, envelope: Uint8Array): void {
    if (this.#probed.has(topic)) this.#probe?.received(topic, envelope);
    else if (this.#watchlist.has(topic)) this.#options.events.message(topic, envelope);
  }

  #caughtUp(): void {
    this.#attempts = 0;
    this.#trouble = '';
    this.#up = true;
    this.#probe = new Probe({
      topics: () => [...this.#probed],
      send: (topic, probe) => void this.#sendProbe(topic, probe),
      returned: (milliseconds) => this.#options.events.probe(milliseconds),
      silent: () => this.#drop(new Error('no probe came back through Redis')),
    });
    this.#options.events.up();
  }

  async #sendProbe(topic: string, probe: Uint8Array): Promise<void> {
    try {
      await this.publish(topic, probe);
    } catch {
      // a probe that could not be sent is one that does not come back
    }
  }

  #dropPair(pair: Pair, error: Error): void {
    if (pair === this.#pair) this.#drop(error);
  }

  #drop(error: Error): void {
    this.#leave(down('Redis was lost'));
    this.#tryAgain(error);
  }

  #leave(error: GatewayError): void {
    this.#probe?.stop();
    this.#probe = undefined;
    const pair = this.#pair;
    this.#pair = undefined;
    for (const client of pair?.clients ?? []) client.disconnect();
    pair?.publisher.close(error);
    this.#watchlist.detach();
    if (!this.#up) return;
    this.#up = false;
    this.#options.events.down();
  }

  #tryAgain(error: Error): void {
    if (this.#closed) return;
    if (error.message !== this.#trouble) this.#options.events.trouble(error.message);
    this.#trouble = error.message;
    const wait = waits[Math.min(this.#attempts++, waits.length - 1)] ?? 0;
    this.#retry = setTimeout(() => void this.#connect(), wait * (0.75 + Math.random() / 2));
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function down(why: string): GatewayError {
  return new GatewayError('backplane_down', why);
}
