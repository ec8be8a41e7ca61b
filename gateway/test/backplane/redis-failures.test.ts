import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRedisBackplane, type RedisBackplane, type RedisBackplaneOptions } from '../../src/backplane/redis.ts';
import { parseRedisUrl } from '../../src/backplane/redis-url.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { Listener, RedisReport } from './listener.ts';

const prefix = 'test@0';
const all = `${prefix}:h:chat:all`;
/** Privileged and given to no program of our times. */
const nobodysPort = 1;
const bytes = (value: string | number): Uint8Array => Buffer.from(String(value));

interface Node {
  readonly backplane: RedisBackplane;
  readonly heard: Listener;
  readonly report: RedisReport;
}

describe('a Redis backplane', () => {
  let redis: TestRedis;
  let raw: Redis;
  const open: RedisBackplane[] = [];

  beforeEach(async () => {
    redis = await startRedis();
    raw = new Redis(redis.url(), { lazyConnect: true });
    raw.on('error', () => undefined);
  });

  afterEach(async () => {
    redis.resume();
    await Promise.all(open.splice(0).map((backplane) => backplane.close()));
    raw.disconnect();
    await redis.stop();
  });

  function make(node: string, more: Partial<RedisBackplaneOptions> = {}): Node {
    const report = new RedisReport();
    const target = parseRedisUrl(redis.url());
    const backplane = createRedisBackplane({ target, prefix, node, events: report, ...more });
    open.push(backplane);
    return { backplane, heard: new Listener(), report };
  }

  async function start(node: string, more: Partial<RedisBackplaneOptions> = {}): Promise<Node> {
    const made = make(node, more);
    await made.backplane.start(made.heard);
    return made;
  }

  it('delivers at most once, in order, when its connections are killed during traffic', async () => {
    const [here, there] = [await start('here'), await start('there')];
    await there.backplane.watch(all);
    const results: Promise<number>[] = [];
    const publishSome = (): void => {
      for (let i = 0; i < 50; i++) {
        const result = here.backplane.publish(all, bytes(results.length));
        result.catch(() => undefined);
        results.push(result);
      }
    };
    const traffic = setInterval(publishSome, 2);
    await there.heard.received(500);
    for (const id of await clientIds(raw, 'signalbox-here-lane')) await raw.call('CLIENT', 'KILL', 'ID', id);
    await here.heard.felt('deaf', 'hearing');
    const after = there.heard.messages.length;
    await there.heard.received(after + 500);
    clearInterval(traffic);
    publishSome();
    const settled = await Promise.allSettled(results);
    await there.heard.until(() => there.heard.texts.at(-1) === String(results.length - 1));

    const arrived = there.heard.texts.map(Number);
    expect(arrived).toEqual([...new Set(arrived)].sort((a, b) => a - b));
    const taken = settled.flatMap((result, i) => (result.status === 'fulfilled' ? i : []));
    const missing = new Set(taken);
    for (const i of arrived) missing.delete(i);
    expect([...missing]).toEqual([]);
    expect(settled.some((result) => result.status === 'rejected')).toBe(true);
  });

  it('goes deaf when only its subscriber is lost, and makes both connections anew', async () => {
    const here = await start('here');
    const idsBefore = await clientIds(raw, 'signalbox-here-lane');
    const [subscriber = ''] = await clientIds(raw, 'signalbox-here-lane-sub');
    await raw.call('CLIENT', 'KILL', 'ID', subscriber);
    await here.heard.felt('deaf', 'hearing');
    const idsAfter = await clientIds(raw, 'signalbox-here-lane');
    expect(idsAfter).toHaveLength(2);
    expect(idsAfter.filter((id) => idsBefore.includes(id))).toEqual([]);
  });

  it('watches all 5,000 topics again after Redis was stopped and started, and only then hears', async () => {
    const here = await start('here');
    const topics = Array.from({ length: 5_000 }, (_, i) => `${prefix}:h:chat:g:${i}`);
    // Piece by piece: a watch gives up after two seconds, and a busy Redis may need more for all of them.
    for (let i = 0; i < topics.length; i += 500) {
      await Promise.all(topics.slice(i, i + 500).map((topic) => here.backplane.watch(topic)));
    }
    await redis.stop();
    await here.heard.felt('deaf');
    await expect(here.backplane.publish(all, bytes('x'))).rejects.toMatchObject({ code: 'backplane_down' });
    await expect(here.backplane.watchers(all)).rejects.toMatchObject({ code: 'backplane_down' });
    await expect(here.backplane.watch(all)).rejects.toMatchObject({ code: 'backplane_down' });
    await here.backplane.unwatch(topics[0] ?? '');
    await redis.restart();
    await here.heard.felt('deaf', 'hearing');
    const watched = new Set((await raw.call('PUBSUB', 'CHANNELS', `${prefix}:h:*`)) as string[]);
    expect(watched).toEqual(new Set([all, ...topics.slice(1)]));
    expect(await here.backplane.publish(topics[4_999] ?? '', bytes('back'))).toBe(1);
    await here.heard.received(1);
    expect(here.report.deafSeconds).toBeGreaterThan(0);
    expect(here.report.warnings.map(([message]) => message)).toContain('Redis connection lost');
  });

  it('notices by its probe that Redis hangs, and hears when Redis goes on', async () => {
    const here = await start('here');
    await here.backplane.watch(all);
    redis.pause();
    await here.heard.felt('deaf');
    redis.resume();
    await here.heard.felt('deaf', 'hearing');
    expect(await here.backplane.publish(all, bytes('x'))).toBe(1);
    expect(here.report.deafSeconds).toBeGreaterThan(0);
    expect(here.report.warnings[0]?.[1]).toMatchObject({ reason: 'no probe came back through Redis' });
  });

  it('takes no more than its bytes while Redis does not answer, and goes on when it does', async () => {
    const here = await start('here', { queueBytes: 10_000 });
    await here.backplane.watch(all);
    redis.pause();
    const taken = [1, 2].map(() => here.backplane.publish(all, new Uint8Array(4_000)));
    await expect(here.backplane.publish(all, new Uint8Array(4_000))).rejects.toMatchObject({ code: 'backplane_full' });
    redis.resume();
    expect(await Promise.all(taken)).toEqual([1, 1]);
    expect(await here.backplane.publish(all, new Uint8Array(4_000))).toBe(1);
  });

  it('takes nothing more once Redis has not answered for its time', async () => {
    const here = await start('here', { queueMs: 100 });
    redis.pause();
    const first = here.backplane.publish(all, bytes('first'));
    const refusal = async (): Promise<unknown> =>
      here.backplane.publish(all, bytes('next')).catch((error) => error.code);
    const next: Promise<unknown>[] = [];
    await expect
      .poll(async () => {
        next.push(refusal());
        return Promise.race([next.at(-1), new Promise((resolve) => setImmediate(resolve, 'taken'))]);
      })
      .toBe('backplane_full');
    redis.resume();
    expect(await first).toBe(0);
  });

  it('takes what it slept through itself for no silence of Redis', async () => {
    const here = await start('here', { queueMs: 500 });
    const watched = here.backplane.watch(all);
    const before = here.backplane.publish(all, bytes('before'));
    await Promise.resolve(); // it leaves
    // Timers come before the answers that lie in the sockets.
    const next = new Promise((resolve) => setTimeout(() => resolve(here.backplane.publish(all, bytes('next'))), 0));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
    await Promise.all([watched, before, next]);
    expect(here.heard.health).toEqual([]);
  });

  it('tells how late its probe is', async () => {
    const here = await start('here');
    redis.pause();
    await expect.poll(() => here.backplane.lateness()).toBeGreaterThan(1_000);
    redis.resume();
    await expect.poll(() => here.backplane.lateness()).toBeLessThan(500);
    expect(here.heard.health).toEqual([]);
  });

  it('does not start without Redis, and says so in time', async () => {
    const target = parseRedisUrl(`redis://127.0.0.1:${nobodysPort}`);
    const here = make('here', { target, startMs: 1_500 });
    await expect(here.backplane.start(here.heard)).rejects.toMatchObject({
      code: 'backplane_down',
      message: expect.stringMatching(/^Redis was not reachable within 1500 ms: .*ECONNREFUSED/),
    });
    expect(here.report.warnings.map(([, { road }]) => road).sort()).toEqual(['control', 'lane']);
  });

  it('does not start with a wrong password, and never shows it', async () => {
    await raw.config('SET', 'requirepass', 'right');
    const target = parseRedisUrl(`redis://:wrong-secret@127.0.0.1:${redis.port}`);
    const here = make('here', { target });
    const refused = expect(here.backplane.start(here.heard)).rejects.toMatchObject({ code: 'backplane_down' });
    await here.report.warned('WRONGPASS');
    await here.backplane.close();
    await refused;
    expect(JSON.stringify(here.report.warnings)).not.toContain('secret');
  });

  it('warns when Redis would cut subscribers off early, and not otherwise', async () => {
    const fine = await start('fine');
    await raw.config('SET', 'client-output-buffer-limit', 'pubsub 1mb 512kb 60');
    const early = await start('early');
    expect(fine.report.warnings).toEqual([]);
    expect(early.report.warnings).toEqual([
      [
        'Redis cuts off subscribers early: raise client-output-buffer-limit pubsub',
        { hard: 1_048_576, soft: 524_288, wanted: 8_388_608 },
      ],
    ]);
  });

  it('keeps control topics on connections of their own', async () => {
    await start('here');
    expect(await clientIds(raw, 'signalbox-here-lane')).toHaveLength(2);
    expect(await clientIds(raw, 'signalbox-here-control')).toHaveLength(2);
  });

  it('leaves no connection behind when it is closed', async () => {
    const here = await start('here');
    await here.backplane.close();
    await expect.poll(() => clientIds(raw, 'signalbox-here')).toEqual([]);
  });
});

/** Ids of the connections whose name begins so, the oldest first. */
async function clientIds(raw: Redis, name: string): Promise<string[]> {
  const lines = String(await raw.call('CLIENT', 'LIST')).split('\n');
  return lines.flatMap((line) => (line.includes(` name=${name}`) ? (/^id=(\d+)/.exec(line)?.[1] ?? []) : []));
}
