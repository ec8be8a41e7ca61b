import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRedisBackplane, type RedisBackplane } from '../../src/backplane/redis.ts';
import { parseRedisUrl } from '../../src/backplane/redis-url.ts';
import type { Will, Wills } from '../../src/backplane/wills.ts';
import { createRedisWills } from '../../src/backplane/wills-redis.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { RecordsListener, RedisReport } from './listener.ts';

const prefix = 'test@0';
let redis: TestRedis;
let raw: Redis;
let open: RedisBackplane[];

beforeAll(async () => {
  redis = await startRedis();
  raw = new Redis(redis.url());
});
afterAll(async () => {
  raw.disconnect();
  await redis.stop();
});
beforeEach(async () => {
  open = [];
  await raw.flushall();
});
afterEach(() => Promise.all(open.map((backplane) => backplane.close())));

async function of(node: string): Promise<Wills> {
  const target = parseRedisUrl(redis.url());
  const backplane = createRedisBackplane({ target, prefix, node, events: new RedisReport() });
  await backplane.start(new RecordsListener());
  open.push(backplane);
  return createRedisWills({ backplane, prefix, node });
}

const wills = (count: number): Will[] =>
  Array.from({ length: count }, (_, i) => ({ connection: `c${i}`, text: `will of c${i}, "ü"\0` }));

const sorted = (some: readonly Will[]): Will[] => [...some].sort((a, b) => a.connection.localeCompare(b.connection));

async function leave(node: string, count: number): Promise<void> {
  const dead = await of(node);
  for (const will of wills(count)) await dead.keep(will);
}

describe('wills in Redis', () => {
  it('of the living are nobody’s to take, their own included', async () => {
    await leave('one', 3);
    const two = await of('two');
    await two.keep({ connection: 'x', text: 'y' });
    expect(await two.inherit(['one', 'two'], 10)).toEqual([]);
    expect(await two.inherit(['one'], 10)).toEqual([]);
  });

  it('of the dead go to whoever asks, with their texts, and not twice', async () => {
    await leave('dead', 5);
    const heir = await of('heir');
    const first = await heir.inherit(['heir'], 3);
    expect(first).toHaveLength(3);
    expect(sorted([...first, ...(await heir.inherit(['heir'], 3))])).toEqual(wills(5));
    expect(await heir.inherit(['heir'], 3)).toEqual([]);
  });

  it('are shared by those who ask at once', async () => {
    await leave('dead', 40);
    const heirs = await Promise.all(['a', 'b', 'c'].map(of));
    const taken: Will[] = [];
    const takeAll = async (heir: Wills): Promise<void> => {
      for (let found = await heir.inherit(['a', 'b', 'c'], 4); found.length > 0; ) {
        taken.push(...found);
        found = await heir.inherit(['a', 'b', 'c'], 4);
      }
    };
    await Promise.all(heirs.map(takeAll));
    expect(sorted(taken)).toEqual(sorted(wills(40)));
  });

  it('that were dropped are not found', async () => {
    await leave('dead', 2);
    await (await of('dead')).drop('c0');
    expect(await (await of('heir')).inherit([], 10)).toEqual(wills(2).slice(1));
  });

  it('that were taken over pass on when the heir dies too, until they are done', async () => {
    await leave('dead', 3);
    const heir = await of('heir');
    expect(await heir.inherit(['heir', 'last'], 10)).toHaveLength(3);
    await heir.drop('c1');
    const last = await (await of('last')).inherit(['last'], 10);
    expect(sorted(last).map(({ connection }) => connection)).toEqual(['c0', 'c2']);
  });

  it('are put back when Redis forgot them, without those that ended', async () => {
    await leave('one', 3);
    await raw.flushall();
    const one = await of('one');
    await one.keep({ connection: 'ended', text: '' });
    expect(await one.restore(wills(450))).toBe(true);
    expect(sorted(await (await of('heir')).inherit([], 1000))).toEqual(sorted(wills(450)));
  });

  it('are not put back by a node that was taken for dead; it learns it once, and starts anew', async () => {
    await leave('one', 2);
    await (await of('heir')).inherit([], 1);
    const one = await of('one');
    expect(await one.restore(wills(2))).toBe(false);
    expect(await one.restore([])).toBe(true);
  });
});
