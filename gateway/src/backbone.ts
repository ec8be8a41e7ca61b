import { readFileSync } from 'node:fs';
import type { BackplaneTraits } from './backplane/backplane.ts';
import { type Bus, createBus } from './backplane/bus.ts';
import { createMemoryBackplane } from './backplane/memory.ts';
import type { Records } from './backplane/records.ts';
import { createMemoryRecords } from './backplane/records-memory.ts';
import { createRedisRecords } from './backplane/records-redis.ts';
import { createRedisBackplane } from './backplane/redis.ts';
import { fullPrefix, parseRedisUrl, type RedisTarget } from './backplane/redis-url.ts';
import { noWills, type Wills } from './backplane/wills.ts';
import { createRedisWills } from './backplane/wills-redis.ts';
import { type Config, ConfigError } from './config.ts';
import type { Events } from './observe/events.ts';
import type { Log } from './observe/log.ts';
import { isSheddableCommand } from './protocol/command-codec.ts';

/** What joins this node to the others, or lets it be alone. */
export interface Backbone {
  readonly bus: Bus;
  readonly records: Records;
  readonly wills: Wills;
  /** Full prefix of topics and keys, the database number included. */
  readonly prefix: string;
  readonly traits: BackplaneTraits;
  /** Bytes published that Redis has not answered. */
  outstandingBytes(): number;
}

/** What a backbone is made from. */
export interface BackboneParts {
  readonly config: Config;
  readonly node: string;
  readonly events: Events;
  readonly log: Log;
}

/**
 * Redis when `REDIS_URL` is set, memory otherwise: then nothing tries to reach Redis.
 * @throws {ConfigError} when a setting about Redis is wrong.
 */
export function createBackbone(parts: BackboneParts): Backbone {
  const { redisUrl } = parts.config;
  return redisUrl === undefined ? alone(parts) : together(parts, redisTargetOf(redisUrl));
}

function alone(parts: BackboneParts): Backbone {
  const { config, node } = parts;
  const prefix = fullPrefix(config.prefix);
  const backplane = createMemoryBackplane({ prefix });
  const records = createMemoryRecords({ node, publish: async () => 0 });
  return {
    bus: busOf(parts, backplane),
    records,
    wills: noWills,
    prefix,
    traits: backplane,
    outstandingBytes: () => 0,
  };
}

function together(parts: BackboneParts, target: RedisTarget): Backbone {
  const { config, node, events, log } = parts;
  const prefix = fullPrefix(config.prefix, target);
  const backplane = createRedisBackplane({
    target,
    prefix,
    node,
    queueBytes: config.backplaneQueueBytes,
    queueMs: config.backplaneQueueMs,
    messageBytes: config.messageBytes,
    tls: { ...(config.redisCa && { ca: readCa(config.redisCa) }), verify: !config.redisInsecureTls },
    events: {
      deafFor: () => undefined,
      probe: (ms) => events.probe(ms),
      warning: (message, facts) => log.warn(message, facts),
    },
  });
  const records = createRedisRecords({ backplane, prefix, node });
  const wills = createRedisWills({ backplane, prefix, node });
  const outstandingBytes = (): number => backplane.outstandingBytes();
  return { bus: busOf(parts, backplane), records, wills, prefix, traits: backplane, outstandingBytes };
}

function busOf({ config, node, events }: BackboneParts, backplane: Parameters<typeof createBus>[0]['backplane']): Bus {
  return createBus({
    backplane,
    node,
    events,
    sheddable: isSheddableCommand,
    limits: { messageBytes: config.messageBytes, lateMs: config.lateMs },
  });
}

/** What REDIS_URL says. @throws {ConfigError} */
export function redisTargetOf(url: string): RedisTarget {
  try {
    return parseRedisUrl(url);
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error));
  }
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError(`SIGNALBOX_REDIS_CA must name a readable file, got ${JSON.stringify(file)} (${code})`);
  }
}
