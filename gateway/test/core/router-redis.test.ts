import { afterAll, beforeAll } from 'vitest';
import { startCoresOverRedis } from '../support/cores.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { routerSuite } from './router.suite.ts';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

routerSuite('Redis', (count, options) => startCoresOverRedis(redis.url(), count, options));
