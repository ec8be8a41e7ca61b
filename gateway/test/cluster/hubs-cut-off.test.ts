import type { IRetryPolicy } from '@microsoft/signalr';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { Balancer } from '../support/balancer.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import type { OfficialClient } from '../support/official-client.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { Service } from '../support/service.ts';
import { Stage } from '../support/stage.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { accessKey } from '../support/tokens.ts';
import { until } from '../support/until.ts';

/*
 * Node 1 has its Redis behind a wire that can fall silent. App server A is linked to node 0, B to node 1. A node knows after
 * 3 s that Redis is silent, and its lease lasts 10 s.
 */
const patient: IRetryPolicy = { nextRetryDelayInMilliseconds: () => 200 };
let redis: TestRedis;
let wire: TcpProxy;
let stage: Stage;
let a: AppProcess;
let b: AppProcess;
/** On node 1, carried by the link on node 0. */
let away: OfficialClient;
/** On node 1, carried by the link there. */
let home: OfficialClient;
/** On node 0, carried by the link on node 1. */
let guest: OfficialClient;
/** On node 0, carried by the link there. */
let safe: OfficialClient;

async function open(cutOffMs?: number): Promise<void> {
  const env = {
    SIGNALBOX_ACCESS_KEY: accessKey,
    SIGNALBOX_MODES: '*=default',
    ...(cutOffMs !== undefined && { SIGNALBOX_CUT_OFF_MS: String(cutOffMs) }),
  };
  const urls = [redis.url(), `redis://127.0.0.1:${wire.port}/0`];
  const nodes = await Promise.all(urls.map((url) => GatewayProcess.start({ ...env, REDIS_URL: url })));
  const balancer = await Balancer.start(nodes.map((node) => node.port));
  stage = new Stage(new Service(redis, nodes, balancer, false), 'stage');
  [a, b] = [await stage.app('A', { at: 0 }), await stage.app('B', { at: 1 })];
  const common = { stickiness: 'preferred', reconnect: patient } as const;
  [away, home, guest, safe] = await Promise.all([
    stage.client({ at: 1, app: a, ...common }),
    stage.client({ at: 1, app: b, ...common }),
    stage.client({ at: 0, app: b, ...common }),
    stage.client({ at: 0, app: a, ...common }),
  ]);
  const places = await Promise.all([away, home, guest, safe].map((client) => stage.where(client)));
  expect(places.map(({ at, app }) => `${at} ${app}`)).toEqual(['1 A', '1 B', '0 B', '0 A']);
}

/** Clients ping once a second, so that whoever was forgotten notices soon. */
function pingOften(): void {
  for (const client of [away, home, guest, safe]) client.connection.keepAliveIntervalInMilliseconds = 1000;
}

const knownDown = (at: number, down: boolean): Promise<void> => {
  const node = stage.service.node(at);
  return until(`down is ${down}`, async () => (await node.metric('signalbox_backplane_down')) === Number(down), 20_000);
};

/** Seconds for which a node has known that Redis is away. */
async function silentFor(at: number): Promise<number> {
  const { body } = await stage.service.node(at).admin('/readyz');
  return JSON.parse(body).parts.backplane.seconds;
}

const returns = (): number[] => [away, home, guest, safe].map((client) => client.returns.items.length);

beforeEach(async () => {
  redis = await startRedis();
  wire = await TcpProxy.start(redis.port);
});

afterEach(async () => {
  await stage[Symbol.asyncDispose]();
  await wire.close();
  await redis.stop();
});

/** Everybody is served again: calls, and a broadcast of each app server to all four. */
async function allIsWell(): Promise<void> {
  const clients = [away, home, guest, safe];
  for (const client of clients) expect(await client.connection.invoke('echo', 'well')).toBe('well');
  for (const app of [a, b]) {
    await app.tellAll(`from ${app.name}`);
    await Promise.all(clients.map((client) => client.heard(`from ${app.name}`)));
  }
}

test('Redis is silent for a node, but not as long as its lease and its cut-off: nobody is closed, and all goes on', {
  timeout: 50_000,
}, async () => {
  await open(20_000);
  wire.silence();
  await knownDown(1, true);
  expect(await home.connection.invoke('echo', 'at home')).toBe('at home');
  wire.mend();
  await knownDown(1, false);
  await allIsWell();
  expect(returns()).toEqual([0, 0, 0, 0]);
});

test('longer than its cut-off: it closes its clients that are carried elsewhere, tells its app server of those of other nodes, and keeps its own', {
  timeout: 50_000,
}, async () => {
  await open(1000);
  const [awayId, guestId] = [away.id, guest.id];
  wire.silence();
  await until('the client is closed', () => away.connection.state !== 'Connected');
  expect(await b.goodbyes(guestId)).toEqual(['connection_lost']);
  expect(await home.connection.invoke('echo', 'at home')).toBe('at home');
  await away.returns.until('it is back, at the app server here', (ids) => ids.length > 0);
  expect(await stage.where(away)).toEqual({ at: 1, app: 'B' });
  expect(await a.goodbyes(awayId, 20_000)).toEqual(['connection_lost']);
  await guest.returns.until('it is back', (ids) => ids.length > 0, 20_000);
  expect(await stage.where(guest)).toEqual({ at: 0, app: 'A' });
  wire.mend();
  await knownDown(1, false);
  await allIsWell();
  expect([home, safe].map((client) => client.returns.items.length)).toEqual([0, 0]);
});

test('longer than its lease, less than its cut-off: the others give its clients up, and all of them are back after it is', {
  timeout: 60_000,
}, async () => {
  await open(60_000);
  pingOften();
  const [awayId, guestId] = [away.id, guest.id];
  wire.silence();
  expect(await a.goodbyes(awayId, 20_000)).toEqual(['connection_lost']);
  await guest.returns.until('it is back at the app server there', (ids) => ids.length > 0, 20_000);
  expect(await stage.where(guest)).toEqual({ at: 0, app: 'A' });
  wire.mend();
  await knownDown(1, false);
  await away.returns.until('it is back', (ids) => ids.length > 0, 20_000);
  expect(await b.goodbyes(guestId, 20_000)).toHaveLength(1);
  await allIsWell();
  expect([home, safe].map((client) => client.returns.items.length)).toEqual([0, 0]);
});

test('for half a minute, with every setting as it comes: those that are carried elsewhere are back, and nobody else notices', {
  timeout: 120_000,
}, async () => {
  await open();
  pingOften();
  const awayId = away.id;
  wire.silence();
  await knownDown(1, true);
  await until('Redis is away for long', async () => (await silentFor(1)) > 27, 60_000);
  wire.mend();
  await knownDown(1, false);
  expect(await a.goodbyes(awayId, 20_000)).toEqual(['connection_lost']);
  for (const client of [away, guest]) await client.returns.until('it is back', (ids) => ids.length > 0, 20_000);
  await allIsWell();
  expect([home, safe].map((client) => client.returns.items.length)).toEqual([0, 0]);
});
