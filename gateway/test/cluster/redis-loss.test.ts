import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';
import type { OfficialClient } from '../support/official-client.ts';
import { RawRest } from '../support/raw-rest.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Service, startService } from '../support/service.ts';
import { accessKey } from '../support/tokens.ts';
import { until } from '../support/until.ts';

const hub = 'loss';
const graceMs = 1500;
let folder: string;
let redis: TestRedis;
let service: Service;
/** One client on each node. */
let clients: readonly OfficialClient[];
/** The REST API of each node. */
let rest: readonly RawRest[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signalbox-'));
  redis = await startRedis('--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always');
  service = await startService({ redis, env: { SIGNALBOX_READY_GRACE: String(graceMs) } });
  clients = await Promise.all([0, 1].map((at) => service.client(hub, { at, userId: `user${at}` })));
  rest = service.nodes.map((node) => new RawRest(node.origin));
  for (const [at, client] of clients.entries()) await service.app(hub, at).groups.addToGroup(client.id, 'both');
});

afterEach(async () => {
  await Promise.all(rest.map((one) => one.close()));
  await service[Symbol.asyncDispose]();
  await redis.stop();
  await rm(folder, { recursive: true });
});

interface Ready {
  readonly status: number;
  readonly backplane: { readonly up: boolean; readonly tolerated?: boolean; readonly why?: string };
}

async function ready(node: GatewayProcess): Promise<Ready> {
  const { status, body } = await node.admin('/readyz');
  return { status, backplane: (JSON.parse(body) as { parts: { backplane: Ready['backplane'] } }).parts.backplane };
}

function eachNode(what: string, holds: (node: GatewayProcess) => Promise<boolean>, deadlineMs?: number): Promise<void> {
  const all = async (): Promise<boolean> => (await Promise.all(service.nodes.map(holds))).every((held) => held);
  return until(what, all, deadlineMs);
}

const knownDown = (): Promise<void> =>
  eachNode('Redis is known down', async (node) => (await node.metric('signalbox_backplane_down')) === 1);
const knownUp = (): Promise<void> =>
  eachNode('Redis is known up', async (node) => (await node.metric('signalbox_backplane_down')) === 0, 30_000);

/** Without Redis: each node serves its own, refuses what is for nobody here, admits new clients, and says all of it. */
async function servesItsOwn(): Promise<OfficialClient> {
  for (const [at, client] of clients.entries()) {
    const before = await service.node(at).metric('signalbox_dropped_total', { reason: 'backplane_down' });
    for (const path of ['', '/groups/both', `/users/user${at}`, `/connections/${client.id}`]) {
      const what = `local ${path}`;
      const sent = await rest[at]?.post(`/api/v1/hubs/${hub}${path}`, 'news', what);
      expect([sent?.status, sent?.headers['x-signalbox-reach']]).toEqual([202, 'local']);
      await client.heard(what);
    }
    const lost = await rest[at]?.post(`/api/v1/hubs/${hub}/users/user${1 - at}`, 'news', 'for nobody here');
    expect([lost?.status, lost?.headers['x-ms-error-code']]).toEqual([503, 'Error.Request.Unavailable']);
    const dropped = await service.node(at).metric('signalbox_dropped_total', { reason: 'backplane_down' });
    expect(dropped - before).toBeGreaterThanOrEqual(5);
    const standing = await rest[at]?.call('PUT', `/api/hubs/${hub}/users/user${at}/groups/later`);
    expect(standing?.status).toBe(503);
  }
  const late = await service.client(hub, { at: 1, userId: 'late' });
  await rest[1]?.post(`/api/v1/hubs/${hub}/users/late`, 'news', 'welcome');
  await late.heard('welcome');
  return late;
}

/** After the return: sends cross nodes again, and a client that came meanwhile is in its standing groups. */
async function isWhole(late: OfficialClient): Promise<void> {
  for (const [at, one] of rest.entries()) {
    for (const path of ['', '/groups/both', `/users/user${1 - at}`, `/connections/${clients[1 - at]?.id}`]) {
      const what = `across from ${at} ${path}`;
      const sent = await one.post(`/api/v1/hubs/${hub}${path}`, 'news', what);
      expect([sent.status, sent.headers['x-signalbox-reach']]).toEqual([202, undefined]);
      await clients[1 - at]?.heard(what);
    }
  }
  await until('the standing group is joined', async () => {
    await rest[0]?.post(`/api/v1/hubs/${hub}/groups/standing`, 'news', 'standing');
    return late.inbox.items.includes('standing');
  });
  for (const node of service.nodes) {
    expect(await node.metric('signalbox_backplane_deaf_seconds_total')).toBeGreaterThan(0);
    expect(await node.metric('signalbox_connections_closed_total')).toBe(0);
  }
}

/** Sends to all without a pause, one after the other, until the test is over; notes how it was answered. */
function traffic(): { readonly statuses: ReadonlySet<number> } & AsyncDisposable {
  const statuses = new Set<number>();
  let going = true;
  const run = async (): Promise<void> => {
    while (going) {
      const answer = await rest[0]?.post(`/api/v1/hubs/${hub}`, 'noise', 0);
      statuses.add(answer?.status ?? 0);
    }
  };
  const running = run();
  return {
    statuses,
    async [Symbol.asyncDispose]() {
      going = false;
      await running;
    },
  };
}

describe.each([
  { loss: 'Redis is stopped and started again', lose: () => redis.stop(), back: () => redis.restart() },
  {
    loss: 'Redis hangs and goes on',
    lose: async () => redis.pause(),
    back: async () => redis.resume(),
  },
])('$loss during traffic', ({ lose, back }) => {
  test('local sends go on, clients are admitted, health and metrics tell, and afterwards everything is whole again', {
    timeout: 60_000,
  }, async () => {
    await service.app(hub).userGroups.addToGroup('late', 'standing');
    await using noise = traffic();
    await lose();
    await knownDown();
    for (const node of service.nodes) {
      expect(await ready(node)).toMatchObject({ backplane: { up: false, why: 'Redis does not answer' } });
    }
    const late = await servesItsOwn();
    await eachNode(`not ready after ${graceMs} ms`, async (node) => (await ready(node)).status === 503);
    for (const node of service.nodes) expect((await node.admin('/livez')).status).toBe(200);
    await back();
    await knownUp();
    await eachNode('ready again', async (node) => (await ready(node)).status === 200);
    await isWhole(late);
    expect([...noise.statuses].filter((status) => status !== 202 && status !== 503)).toEqual([]);
  });
});

test('for as long as SIGNALBOX_READY_GRACE says a node without Redis says 200, and that its backplane is down', async () => {
  const patientMs = 6000; // time to see it, and to look again
  const settings = { SIGNALBOX_ACCESS_KEY: accessKey, SIGNALBOX_READY_GRACE: String(patientMs) };
  await using node = await GatewayProcess.start({ ...settings, REDIS_URL: redis.url() });
  const before = performance.now();
  await redis.stop();
  await until('the body names the part', async () => !(await ready(node)).backplane.up);
  expect(await ready(node)).toMatchObject({ status: 200, backplane: { up: false, tolerated: true } });
  await until('not ready', async () => (await ready(node)).status === 503);
  expect(performance.now() - before).toBeGreaterThan(patientMs);
  expect(await ready(node)).toMatchObject({ status: 503, backplane: { up: false, tolerated: false } });
});

test('a Redis that comes back empty gets the routing secret again: a node that starts then reaches ids of before', {
  timeout: 40_000,
}, async () => {
  await redis.stop();
  await knownDown();
  await rm(join(folder, 'appendonlydir'), { recursive: true });
  await redis.restart();
  await knownUp();
  const direct = new Redis(redis.url());
  await until('a living node put the secret back', async () => (await direct.exists('signalbox@0:secret')) === 1);
  direct.disconnect();
  await using newcomer = await GatewayProcess.start({ REDIS_URL: redis.url(), SIGNALBOX_ACCESS_KEY: accessKey });
  await using through = new RawRest(newcomer.origin);
  for (const [at, client] of clients.entries()) {
    for (const path of [`/connections/${client.id}`, `/users/user${at}`, '/groups/both']) {
      expect((await through.post(`/api/v1/hubs/${hub}${path}`, 'news', path)).status).toBe(202);
      await client.heard(path);
    }
  }
});
