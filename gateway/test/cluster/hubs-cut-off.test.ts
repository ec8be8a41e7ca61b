import type { IRetryPolicy } from '@microsoft/signalr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { Balancer } from '../support/balancer.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import type { OfficialClient } from '../support/official-client.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { patience, Service } from '../support/service.ts';
import { Stage } from '../support/stage.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { accessKey } from '../support/tokens.ts';
import { until } from '../support/until.ts';

/*
 * Node 1 has its Redis behind a wire that can fall silent. App server A is linked to node 0, B to node 1. A node knows after
 * 3 s that Redis is silent. The others give it up 10 s after they last saw its lease, which lasts for 10 s: after 22 s at most.
 */
const patient: IRetryPolicy = { nextRetryDelayInMilliseconds: () => 200 };
/** For what takes 22 s in the end. */
const longMs = 60_000;
/** A cut-off that no test reaches, and a ping that never falls into a silence: it would be lost, and its client closed. */
const neverMs = 600_000;

interface Parts {
  readonly redis: TestRedis;
  readonly wire: TcpProxy;
  readonly stage: Stage;
  readonly a: AppProcess;
  readonly b: AppProcess;
}

/** Two nodes, two app servers, and a client for each way between them. */
class Scene {
  readonly #redis: TestRedis;
  readonly wire: TcpProxy;
  readonly stage: Stage;
  readonly a: AppProcess;
  readonly b: AppProcess;
  /** On node 1, carried by the link on node 0. */
  readonly away: OfficialClient;
  /** On node 1, carried by the link there. */
  readonly home: OfficialClient;
  /** On node 0, carried by the link on node 1. */
  readonly guest: OfficialClient;
  /** On node 0, carried by the link there. */
  readonly safe: OfficialClient;

  private constructor({ redis, wire, stage, a, b }: Parts, clients: Pick<Scene, 'away' | 'home' | 'guest' | 'safe'>) {
    this.#redis = redis;
    this.wire = wire;
    this.stage = stage;
    [this.a, this.b] = [a, b];
    ({ away: this.away, home: this.home, guest: this.guest, safe: this.safe } = clients);
  }

  static async open({ cutOffMs, pings }: { cutOffMs?: number; pings: boolean }): Promise<Scene> {
    const redis = await startRedis();
    const wire = await TcpProxy.start(redis.port);
    const env = {
      ...patience,
      SIGNALBOX_ACCESS_KEY: accessKey,
      SIGNALBOX_MODES: '*=default',
      ...(cutOffMs !== undefined && { SIGNALBOX_CUT_OFF_MS: String(cutOffMs) }),
    };
    const urls = [redis.url(), `redis://127.0.0.1:${wire.port}/0`];
    const nodes = await Promise.all(urls.map((url) => GatewayProcess.start({ ...env, REDIS_URL: url })));
    const balancer = await Balancer.start(nodes.map((node) => node.port));
    const stage = new Stage(new Service(redis, nodes, balancer, false), 'stage');
    const keepAliveMs = pings ? 15_000 : neverMs;
    const [a, b] = [await stage.app('A', { at: 0, keepAliveMs }), await stage.app('B', { at: 1, keepAliveMs })];
    const common = { stickiness: 'preferred', reconnect: patient } as const;
    const away = await stage.client({ at: 1, app: a, ...common });
    const home = await stage.client({ at: 1, app: b, ...common });
    const guest = await stage.client({ at: 0, app: b, ...common });
    const safe = await stage.client({ at: 0, app: a, ...common });
    const scene = new Scene({ redis, wire, stage, a, b }, { away, home, guest, safe });
    if (!pings) scene.neverPing();
    const places = await Promise.all(scene.clients.map((client) => stage.where(client)));
    expect(places.map(({ at, app }) => `${at} ${app}`)).toEqual(['1 A', '1 B', '0 B', '0 A']);
    return scene;
  }

  get clients(): readonly OfficialClient[] {
    return [this.away, this.home, this.guest, this.safe];
  }

  /** From their next call on, clients do not ping, and miss no pings. */
  neverPing(): void {
    for (const { connection } of this.clients) {
      connection.keepAliveIntervalInMilliseconds = neverMs;
      connection.serverTimeoutInMilliseconds = neverMs;
    }
  }

  /** Clients ping once a second, so that whoever was forgotten notices soon. */
  async pingOften(): Promise<void> {
    for (const { connection } of this.clients) connection.keepAliveIntervalInMilliseconds = 1000;
    await this.callAll();
  }

  /** Resolves when node 1 knows that Redis is away, or back. */
  knownDown(down: boolean): Promise<void> {
    const node = this.stage.service.node(1);
    const isKnown = async () => (await node.metric('signalbox_backplane_down')) === Number(down);
    return until(`down is ${down}`, isKnown, longMs);
  }

  /** Seconds for which node 1 has known that Redis is away. */
  async silentFor(): Promise<number> {
    const { body } = await this.stage.service.node(1).admin('/readyz');
    return JSON.parse(body).parts.backplane.seconds;
  }

  async callAll(): Promise<void> {
    for (const client of this.clients) expect(await client.connection.invoke('echo', 'well')).toBe('well');
  }

  /** Everybody is served again: calls, and a broadcast of each app server to all four. */
  async allIsWell(): Promise<void> {
    await this.callAll();
    for (const app of [this.a, this.b]) {
      await app.tellAll(`from ${app.name}`);
      await Promise.all(this.clients.map((client) => client.heard(`from ${app.name}`)));
    }
  }

  async close(): Promise<void> {
    await this.stage[Symbol.asyncDispose]();
    await this.wire.close();
    await this.#redis.stop();
  }
}

const isBack = (client: OfficialClient): Promise<void> =>
  client.returns.until('it is back', (ids) => ids.length > 0, longMs);

/** Who is carried at home never had to come back. */
function expectUntouched({ home, safe }: Scene): void {
  expect([home, safe].map((client) => client.returns.items)).toEqual([[], []]);
}

/** One for each test, which spends its time waiting. */
const scenes: Scene[] = [];

beforeAll(async () => {
  scenes.push(await Scene.open({ cutOffMs: neverMs, pings: false }));
  scenes.push(await Scene.open({ cutOffMs: 1000, pings: false }));
  scenes.push(await Scene.open({ cutOffMs: neverMs, pings: true }));
  scenes.push(await Scene.open({ pings: true }));
}, 180_000);

afterAll(async () => {
  await Promise.all(scenes.map((scene) => scene.close()));
});

function scene(number: number): Scene {
  const found = scenes[number];
  if (found === undefined) throw new RangeError(`there is no scene ${number}`);
  return found;
}

describe.concurrent('Redis is silent for a node', { timeout: 180_000 }, () => {
  test('but not as long as its lease and its cut-off: nobody is closed, and all goes on', async () => {
    const { wire, home } = scene(0);
    wire.silence();
    await scene(0).knownDown(true);
    expect(await home.connection.invoke('echo', 'at home')).toBe('at home');
    wire.mend();
    await scene(0).knownDown(false);
    await scene(0).allIsWell();
    expect(scene(0).clients.map((client) => client.returns.items)).toEqual([[], [], [], []]);
  });

  test('longer than its cut-off: it closes its clients that are carried elsewhere, tells its app server of those of other nodes, and keeps its own', async () => {
    const { stage, wire, a, b, away, home, guest } = scene(1);
    const [awayId, guestId] = [away.id, guest.id];
    wire.silence();
    expect(await b.goodbyes(guestId, longMs)).toEqual(['connection_lost']);
    expect(await home.connection.invoke('echo', 'at home')).toBe('at home');
    await isBack(away);
    expect(await stage.where(away), 'at the app server here').toEqual({ at: 1, app: 'B' });
    expect(await a.goodbyes(awayId, longMs)).toEqual(['connection_lost']);
    await isBack(guest);
    expect(await stage.where(guest)).toEqual({ at: 0, app: 'A' });
    wire.mend();
    await scene(1).knownDown(false);
    await scene(1).allIsWell();
    expectUntouched(scene(1));
  });

  test('longer than its lease, less than its cut-off: the others give its clients up, and all of them are back after it is', async () => {
    const { stage, wire, a, b, away, guest } = scene(2);
    await scene(2).pingOften();
    const [awayId, guestId] = [away.id, guest.id];
    wire.silence();
    expect(await a.goodbyes(awayId, longMs)).toEqual(['connection_lost']);
    await isBack(guest);
    expect(await stage.where(guest), 'at the app server there').toEqual({ at: 0, app: 'A' });
    wire.mend();
    await scene(2).knownDown(false);
    await isBack(away);
    expect(await b.goodbyes(guestId, longMs)).toHaveLength(1);
    await scene(2).allIsWell();
    expectUntouched(scene(2));
  });

  test('for half a minute, with the cut-off as it comes: those that are carried elsewhere are back, and nobody else notices', async () => {
    const { wire, a, away, guest } = scene(3);
    await scene(3).pingOften();
    const awayId = away.id;
    wire.silence();
    await scene(3).knownDown(true);
    await until('Redis is away for long', async () => (await scene(3).silentFor()) > 27, longMs);
    wire.mend();
    await scene(3).knownDown(false);
    expect(await a.goodbyes(awayId, longMs)).toEqual(['connection_lost']);
    for (const client of [away, guest]) await isBack(client);
    await scene(3).allIsWell();
    expectUntouched(scene(3));
  });
});
