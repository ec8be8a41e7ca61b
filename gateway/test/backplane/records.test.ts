import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryBackplane } from '../../src/backplane/memory.ts';
import { createMemoryRecords } from '../../src/backplane/records-memory.ts';
import { createRedisRecords, type RedisRecordsOptions } from '../../src/backplane/records-redis.ts';
import { createRedisBackplane } from '../../src/backplane/redis.ts';
import { fullPrefix, parseRedisUrl } from '../../src/backplane/redis-url.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { RecordsListener, RedisReport } from './listener.ts';
import { type RecordsNode, record, recordsSuite } from './records.suite.ts';

const prefix = 'test@0';
const topic = `${prefix}:h:chat:p:tag`;
let redis: TestRedis;
let raw: Redis;

beforeAll(async () => {
  redis = await startRedis();
  raw = new Redis(redis.url());
});

afterAll(async () => {
  raw.disconnect();
  await redis[Symbol.asyncDispose]();
});

async function inMemory(node: string): Promise<RecordsNode> {
  const backplane = createMemoryBackplane({ prefix });
  const told = new RecordsListener();
  await backplane.start(told);
  await backplane.watch(topic);
  const records = createMemoryRecords({ node, publish: (to, envelope) => backplane.publish(to, envelope) });
  return { records, told, close: () => backplane.close() };
}

async function inRedis(node: string, more: Partial<RedisRecordsOptions> = {}): Promise<RecordsNode> {
  const target = parseRedisUrl(redis.url());
  const backplane = createRedisBackplane({ target, prefix, node, events: new RedisReport() });
  const told = new RecordsListener();
  await backplane.start(told);
  await backplane.watch(topic);
  const records = createRedisRecords({ backplane, prefix, node, ...more });
  const close = async (): Promise<void> => {
    await records.close();
    await backplane.close();
  };
  return { records, told, close };
}

beforeEach(() => raw.flushall());

recordsSuite('memory', { topic, make: inMemory });
recordsSuite('redis', { topic, make: inRedis });

/** One node of a service of its own. */
async function startService({ url, name }: { url: string; name: string }) {
  const target = parseRedisUrl(url);
  const own = fullPrefix(name, target);
  const backplane = createRedisBackplane({ target, prefix: own, node: 'one', events: new RedisReport() });
  const told = new RecordsListener();
  await backplane.start(told);
  await backplane.watch(`${own}:h:chat:all`);
  return { prefix: own, backplane, told, records: createRedisRecords({ backplane, prefix: own, node: 'one' }) };
}

const quick = { leaseMs: 400, renewMs: 100 };

/** Only Redis has other nodes, leases that end and a memory that can be lost. */
describe('records of several nodes in Redis', () => {
  it('list every node that is alive, and none that left', async () => {
    const [one, two] = [await inRedis('one'), await inRedis('two')];
    await one.records.start({ ...record, data: 1 }, one.told);
    await two.records.start({ ...record, data: 2 }, two.told);
    expect([...(await one.records.nodes()).nodes.entries()].map(([node, { data }]) => [node, data])).toEqual([
      ['one', 1],
      ['two', 2],
    ]);
    await two.close();
    expect([...(await one.records.nodes()).nodes.keys()]).toEqual(['one']);
    await one.close();
  });

  it('lose a node that renews its lease no more, on the clock of Redis', async () => {
    const one = await inRedis('one');
    const [two, last] = [await inRedis('two', { renewMs: 1_000_000 }), await inRedis('two', { leaseMs: 400 })];
    await one.records.start(record, one.told);
    await two.records.start(record, two.told);
    expect((await one.records.nodes()).nodes.size).toBe(2);
    await last.records.lease(record);
    await expect.poll(async () => [...(await one.records.nodes()).nodes.keys()]).toEqual(['one']);
    await Promise.all([one.close(), two.close(), last.close()]);
  });

  it('are settled only after this node held its own lease for one lease time', async () => {
    let now = 0;
    const one = await inRedis('one', { leaseMs: 10_000, renewMs: 100, now: () => now });
    const settled = async (): Promise<boolean> => (await one.records.nodes()).settled;
    await one.records.start(record, one.told);
    now = 9_999;
    expect(await settled()).toBe(false);
    now = 10_000;
    expect(await settled()).toBe(true);
    await raw.flushall();
    expect(await settled()).toBe(false);
    await expect.poll(async () => (await one.records.nodes()).nodes.size).toBe(1);
    now = 19_999;
    expect(await settled()).toBe(false);
    now = 20_000;
    expect(await settled()).toBe(true);
    await one.close();
  });

  it('refuse a node that shares no access key with one alive', async () => {
    const [one, two] = [await inRedis('one'), await inRedis('two')];
    await one.records.start({ ...record, accessKeys: ['old', 'new'] }, one.told);
    await expect(two.records.start({ ...record, accessKeys: ['strange'] }, two.told)).rejects.toMatchObject({
      name: 'StartRefused',
      code: 'access_keys_differ',
      message: '"SIGNALBOX_ACCESS_KEY" must share a key with node one, which is alive under the prefix "test@0"',
    });
    expect([...(await one.records.nodes()).nodes.keys()]).toEqual(['one']);
    await two.records.start({ ...record, accessKeys: ['new', 'newer'] }, two.told);
    await Promise.all([one.close(), two.close()]);
  });

  it('refuse a node that uses another routing secret', async () => {
    const [one, two] = [await inRedis('one'), await inRedis('two')];
    await one.records.start(record, one.told);
    await expect(two.records.start({ ...record, routingSecret: 's2' }, two.told)).rejects.toMatchObject({
      code: 'routing_secret_differs',
      message: '"SIGNALBOX_ROUTING_SECRET" must be that of node one, which is alive under the prefix "test@0"',
    });
    await Promise.all([one.close(), two.close()]);
  });

  it('refuse at least one of two nodes that do not fit and start at the same moment', async () => {
    const [one, two] = [await inRedis('one'), await inRedis('two')];
    const starts = await Promise.allSettled([
      one.records.start({ ...record, accessKeys: ['a'] }, one.told),
      two.records.start({ ...record, accessKeys: ['b'] }, two.told),
    ]);
    expect(starts.map((start) => start.status)).toContain('rejected');
    await Promise.all([one.close(), two.close()]);
  });

  it('share one routing secret, which a living node puts back when Redis lost it', async () => {
    const [one, two] = [await inRedis('one', quick), await inRedis('two', quick)];
    expect(await one.records.secret(() => 'first')).toBe('first');
    expect(await two.records.secret(() => 'second')).toBe('first');
    await one.records.start(record, one.told);
    await raw.flushall();
    await expect.poll(() => raw.get(`${prefix}:secret`)).toBe('first');
    await Promise.all([one.close(), two.close()]);
  });

  it('tell when Redis holds another routing secret than this node', async () => {
    const one = await inRedis('one', quick);
    await one.records.secret(() => 'mine');
    await one.records.start(record, one.told);
    await raw.set(`${prefix}:secret`, 'other');
    await one.told.until(() => one.told.events.includes('secretDiffers'));
    await one.close();
  });

  it('tell when the lease could not be renewed for its whole life, and when it is held again', async () => {
    const own = await startRedis();
    const target = parseRedisUrl(own.url());
    const backplane = createRedisBackplane({ target, prefix, node: 'one', events: new RedisReport() });
    const told = new RecordsListener();
    await backplane.start(told);
    const records = createRedisRecords({ backplane, prefix, node: 'one', ...quick });
    await records.start(record, told);
    await own.stop();
    await told.until(() => told.events.join() === 'leaseLost');
    await expect(records.nodes()).rejects.toMatchObject({ code: 'backplane_down' });
    await expect(records.claim('id', 60, 'one')).rejects.toMatchObject({ code: 'backplane_down' });
    await own.restart();
    await told.until(() => told.events.join() === 'leaseLost,leaseHeld');
    await records.close();
    await backplane.close();
    await own.stop();
  });

  it('keep their order with what the same lane publishes', async () => {
    const target = parseRedisUrl(redis.url());
    const backplane = createRedisBackplane({ target, prefix, node: 'one', events: new RedisReport() });
    const told = new RecordsListener();
    await backplane.start(told);
    await backplane.watch(topic);
    const records = createRedisRecords({ backplane, prefix, node: 'one' });
    const text = (i: number): Buffer => Buffer.from(String(i));
    const calls = Array.from({ length: 100 }, (_, i) =>
      i % 2 === 0 ? backplane.publish(topic, text(i)) : records.joinStanding('chat', 'u', 'g', 60, topic, text(i)),
    );
    await Promise.all(calls);
    await told.received(100);
    expect(told.messages.map(([, message]) => Number(message))).toEqual(Array.from({ length: 100 }, (_, i) => i));
    await backplane.close();
  });

  it('are apart by prefix and by database, as topics are', async () => {
    const services = [
      { url: redis.url(0), name: 'a' },
      { url: redis.url(0), name: 'b' },
      { url: redis.url(1), name: 'a' },
    ];
    const nodes = await Promise.all(services.map(startService));
    for (const [i, { records, told, prefix: own, backplane }] of nodes.entries()) {
      await records.start({ ...record, accessKeys: [`key ${i}`] }, told);
      expect(await records.secret(() => `secret ${i}`)).toBe(`secret ${i}`);
      expect(await records.claim('id', 60, `owner ${i}`)).toEqual({ won: true, owner: `owner ${i}` });
      expect(await backplane.publish(`${own}:h:chat:all`, Buffer.from(String(i)))).toBe(1);
    }
    for (const [i, { records, told, backplane }] of nodes.entries()) {
      expect((await records.nodes()).nodes.size).toBe(1);
      await told.received(1);
      expect(told.messages.map(([, text]) => text)).toEqual([String(i)]);
      await records.close();
      await backplane.close();
    }
  });

  it('leave no key without an end, but the routing secret', async () => {
    const one = await inRedis('one');
    await one.records.secret(() => 'secret');
    await one.records.start(record, one.told);
    await one.records.claim('id', 60, 'one');
    await one.records.joinStanding('chat', 'u', 'g', undefined, topic, Buffer.from('x'));
    const keys = await raw.keys('*');
    const endless = [];
    for (const key of keys) if ((await raw.pttl(key)) < 0) endless.push(key);
    expect(keys.length).toBe(5);
    expect(keys.every((key) => key.startsWith(`${prefix}:`))).toBe(true);
    expect(endless).toEqual([`${prefix}:secret`]);
    await one.close();
  });
});
