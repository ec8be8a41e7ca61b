import { afterAll, beforeAll } from 'vitest';
import { createRedisBackplane, type RedisBackplane, type RedisBackplaneOptions } from '../../src/backplane/redis.ts';
import { parseRedisUrl } from '../../src/backplane/redis-url.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { backplaneSuite } from './backplane.suite.ts';
import { RedisReport } from './listener.ts';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

function make(node: string, more: Partial<RedisBackplaneOptions> = {}): RedisBackplane {
  const events = new RedisReport();
  return createRedisBackplane({ target: parseRedisUrl(redis.url()), prefix: 'test@0', node, events, ...more });
}

backplaneSuite('redis', { hub: 'test@0:h:chat', control: 'test@0', make });
