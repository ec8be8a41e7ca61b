import { encode } from '@msgpack/msgpack';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backplane, BackplaneTraits } from '../../src/backplane/backplane.ts';
import { createMemoryBackplane, MemoryExchange } from '../../src/backplane/memory.ts';
import { createRedisBackplane, type RedisBackplane } from '../../src/backplane/redis.ts';
import { parseRedisUrl } from '../../src/backplane/redis-url.ts';
import { Inbox } from '../support/inbox.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { busSuite, startBus } from './bus.suite.ts';
import { RedisReport } from './listener.ts';

const prefix = 'test@0';
const all = `${prefix}:h:chat:all`;
const exchange = new MemoryExchange();
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

function overRedis(node: string): RedisBackplane {
  return createRedisBackplane({ target: parseRedisUrl(redis.url()), prefix, node, events: new RedisReport() });
}

const topics = { hub: `${prefix}:h:chat`, control: prefix };

busSuite('memory', { ...topics, make: () => createMemoryBackplane({ prefix, exchange }) });
busSuite('redis', { ...topics, make: overRedis });

describe('a bus', () => {
  it('sends one PUBLISH for all that one turn owes a topic', async () => {
    const raw = new Redis(redis.url());
    const { bus, heard } = await startBus(overRedis('here'), 'here');
    await bus.watch(all);
    const monitor = await raw.monitor();
    const commands = new Inbox<string[]>();
    monitor.on('monitor', (_time, args: string[]) => commands.add(args));
    await Promise.all(Array.from({ length: 200 }, (_, i) => bus.send('chat', all, encode(i), true)));
    await heard.received(200);
    await raw.echo('behind them');
    await commands.one('what came behind them', (args) => args.includes('behind them'));
    expect(heard.envelopes).toHaveLength(1);
    expect(commands.items.filter(([name, topic]) => name?.toLowerCase() === 'publish' && topic === all)).toHaveLength(
      1,
    );
    await bus.close();
    monitor.disconnect();
    raw.disconnect();
  });

  it('publishes before the turn ends when more than one message may hold would wait, in order', async () => {
    const here = createMemoryBackplane({ prefix, exchange });
    const sizes: number[] = [];
    const counting = Object.assign(here, {
      publish: async (_topic: string, envelope: Uint8Array) => sizes.push(envelope.length),
    });
    const { bus } = await startBus(counting, 'here', { messageBytes: 1000 });
    const sent = Array.from({ length: 10 }, () => bus.send('chat', all, encode('x'.repeat(400)), false));
    expect(sizes).toHaveLength(4);
    await Promise.all(sent);
    expect(sizes).toHaveLength(5);
    expect(Math.max(...sizes)).toBeLessThan(1000);
    await bus.close();
  });

  it('sheds the sheddable while its own probe is late, keeps the rest, and counts what it shed', async () => {
    let late = 0;
    const backplane: Backplane & BackplaneTraits = Object.assign(createMemoryBackplane({ prefix, exchange }), {
      lateness: () => late,
    });
    const there = await startBus(backplane, 'there', { lateMs: 2_000 });
    const here = await startBus(createMemoryBackplane({ prefix, exchange }), 'here');
    await there.bus.watch(all);
    const sendAll = (...values: string[]): Promise<unknown> =>
      Promise.all(values.map((value) => here.bus.send('chat', all, encode(value), false)));
    await sendAll('broadcast 1', 'direct 1');
    await there.heard.received(2);
    late = 2_001;
    await sendAll('broadcast 2', 'direct 2', 'broadcast 3');
    await there.heard.received(3);
    late = 0;
    await sendAll('broadcast 4');
    await there.heard.received(4);
    expect(there.heard.values).toEqual(['broadcast 1', 'direct 1', 'direct 2', 'broadcast 4']);
    expect(there.heard.drops).toEqual({ behind: 2 });
    await Promise.all([here.bus.close(), there.bus.close()]);
  });

  it('remembers so many topics: what was forgotten makes no hole', async () => {
    const here = await startBus(createMemoryBackplane({ prefix, exchange }), 'here', { rememberedTopics: 1 });
    const there = await startBus(createMemoryBackplane({ prefix, exchange }), 'there');
    await there.bus.watch(all);
    await here.bus.send('chat', all, encode(1), false);
    await here.bus.sendVia('chat', all, encode('lost'), false, async () => 0);
    await here.bus.send('chat', `${prefix}:h:chat:g:a`, encode('makes the first forgotten'), false);
    await here.bus.send('chat', all, encode(2), false);
    await there.heard.received(2);
    expect(there.heard.drops).toEqual({});
    await Promise.all([here.bus.close(), there.bus.close()]);
  });

  it('counts what Redis did not take, so that nobody has to listen to the promise', async () => {
    const own = await startRedis();
    const target = parseRedisUrl(own.url());
    const backplane = createRedisBackplane({ target, prefix, node: 'here', events: new RedisReport() });
    const { bus, heard } = await startBus(backplane, 'here');
    await own.stop();
    await heard.felt('deaf');
    expect(bus.hearing).toBe(false);
    for (let i = 0; i < 3; i++) void bus.send('chat', all, encode(i), false);
    await heard.until(() => heard.drops.backplane_down === 3);
    await bus.close();
  });
});
