import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis } from 'ioredis';
import { afterAwake } from '../observe/awake.ts';
import type { RedisTarget } from './redis-url.ts';

/** A connection to Redis, or to all nodes of a cluster. */
export type RedisClient = Redis | Cluster;

/** How `rediss://` is verified. */
export interface RedisTls {
  /** File with certificate authorities in PEM. Default: those of Node. */
  readonly caFile?: string;
  /** `false` accepts any certificate: only for tests. Default true. */
  readonly verify?: boolean;
}

/** Milliseconds until a connection that is not ready is given up. */
const connectMs = 3_000;

/** Makes connections of one target. None of them reconnects, queues, resends or resubscribes by itself. */
export class RedisConnections {
  readonly target: RedisTarget;
  readonly #options: ReturnType<typeof baseOptions>;
  readonly #address: ReturnType<typeof address>;

  constructor(target: RedisTarget, tls: RedisTls = {}) {
    this.target = target;
    this.#address = address(target);
    this.#options = baseOptions(target, tls);
  }

  /** Pub/sub by shard (`SSUBSCRIBE`, `SPUBLISH`)? Only on a cluster. */
  get sharded(): boolean {
    return this.target.kind === 'cluster';
  }

  /** Opens a connection that is ready for commands; rejects after 3 s. `name` is shown by `CLIENT LIST`. */
  async open(name: string, subscriber: boolean): Promise<RedisClient> {
    const client = this.#make(name, subscriber);
    let failure: unknown;
    client.on('error', (error: unknown) => {
      failure = error;
    });
    const callOff = afterAwake(connectMs, () => client.disconnect());
    try {
      await client.connect();
      return client;
    } catch (error) {
      client.disconnect();
      throw failure ?? error;
    } finally {
      callOff();
    }
  }

  #make(connectionName: string, shardedSubscribers: boolean): RedisClient {
    if (this.target.kind !== 'cluster') return new Redis({ ...this.#options, ...this.#address, connectionName });
    return new Cluster([...this.target.hosts], {
      redisOptions: { ...this.#options, connectionName },
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: null,
      shardedSubscribers,
      slotsRefreshTimeout: connectMs,
    });
  }
}

function baseOptions(target: RedisTarget, tls: RedisTls) {
  return {
    db: target.db,
    ...(target.username !== undefined && { username: target.username }),
    ...(target.password !== undefined && { password: target.password }),
    ...(target.tls && { tls: tlsOptions(tls), enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(tls) }),
    lazyConnect: true,
    connectTimeout: connectMs,
    autoResubscribe: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: null,
  };
}

function address(target: RedisTarget) {
  const once = { retryStrategy: null, sentinelRetryStrategy: () => null };
  if (target.kind === 'sentinel') return { ...once, sentinels: [...target.hosts], name: target.master };
  return { ...once, ...target.hosts[0] };
}

function tlsOptions(tls: RedisTls): ConnectionOptions {
  return {
    ...(tls.caFile !== undefined && { ca: readFileSync(tls.caFile) }),
    rejectUnauthorized: tls.verify ?? true,
  };
}
