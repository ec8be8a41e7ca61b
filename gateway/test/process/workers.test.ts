import { SignalboxClient } from '@signalbox/app-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Env, GatewayProcess, type Page, type RunningWorker } from '../support/gateway-process.ts';
import { OfficialClient } from '../support/official-client.ts';
import { RawClient } from '../support/raw-client.ts';
import { RawRest } from '../support/raw-rest.ts';
import { freePort, startRedis, type TestRedis } from '../support/redis.ts';
import { connectionString, patience } from '../support/service.ts';
import { accessKey } from '../support/tokens.ts';
import { until, within } from '../support/until.ts';

const hub = 'workers';
let redis: TestRedis;
let prefixes = 0;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** Workers that are a service of their own. */
function startWorkers(workers: number, env: Env = {}): Promise<GatewayProcess> {
  const own = { SIGNALBOX_PREFIX: `workers${++prefixes}`, SIGNALBOX_WORKERS: String(workers) };
  return GatewayProcess.start({ ...patience, REDIS_URL: redis.url(), SIGNALBOX_ACCESS_KEY: accessKey, ...own, ...env });
}

/** Clients of each worker, in their order. */
function spread(parent: GatewayProcess, workers = parent.workers): Promise<number[]> {
  const counts = workers.map(({ adminPort }) => parent.metric('signalbox_connections', { hub }, adminPort));
  return Promise.all(counts);
}

/** Waits for a sum: a worker that stands still for seconds is counted as it was before. */
function sums(parent: GatewayProcess, name: string, whole: number, labels: Record<string, string> = {}): Promise<void> {
  return until(`${name} is ${whole}`, async () => (await parent.metric(name, labels)) === whole);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

describe('three workers', () => {
  let parent: GatewayProcess;
  beforeAll(async () => {
    parent = await startWorkers(3, { SIGNALBOX_APP_PORT: '0' });
  });
  afterAll(() => parent.kill());

  test('clients of one port spread over them, messages cross, and the sums are those of all', async () => {
    const users = Array.from({ length: 60 }, (_, at) => `user${at}`);
    const clients = await Promise.all(users.map((user) => RawClient.connect(parent.port, { hub, user })));
    const held = await spread(parent);
    expect([held.length, sum(held)]).toEqual([3, 60]);
    expect(Math.min(...held)).toBeGreaterThan(0); // by chance: once in ten thousand million runs
    await sums(parent, 'signalbox_connections', 60, { hub });

    await using rest = new RawRest(`http://127.0.0.1:${parent.appPort}`);
    await Promise.all(users.map((user) => rest.post(`/api/v1/hubs/${hub}/users/${user}`, 'news', `for ${user}`)));
    await rest.post(`/api/v1/hubs/${hub}`, 'news', 'for all');
    for (const [at, client] of clients.entries()) {
      await client.heard(`for ${users[at]}`);
      await client.heard('for all');
    }
    const sends = { operation: 'send_to_user', status: '202' };
    await sums(parent, 'signalbox_rest_requests_total', 60, sends);
    await sums(parent, 'signalbox_build_info', 3);
    await sums(parent, 'signalbox_known_nodes', 3);
    for (const client of clients) client.leave();
  });

  test('the port of apps is shared too, and has nothing for clients', async () => {
    await using inside = new RawRest(`http://127.0.0.1:${parent.appPort}`);
    await using outside = new RawRest(parent.origin);
    expect((await inside.post(`/api/v1/hubs/${hub}`, 'news', 'x')).status).toBe(202);
    expect((await outside.post(`/api/v1/hubs/${hub}`, 'news', 'x')).status).toBe(404);
  });

  test('/livez and /readyz of the parent tell of each worker', async () => {
    for (const path of ['/livez', '/readyz']) {
      let page: Page | undefined;
      await until(`${path} says that all is well`, async () => {
        page = await parent.admin(path);
        return page.status === 200;
      });
      const fine = expect.objectContaining({ ok: true, parts: expect.objectContaining({ backplane: { up: true } }) });
      expect(JSON.parse(page?.body ?? '')).toEqual({
        ok: true,
        draining: false,
        workers: { 1: fine, 2: fine, 3: fine },
      });
    }
  });
});

test('a worker that is killed is replaced, its clients come back, and no sum falls', async () => {
  await using parent = await startWorkers(2);
  await using app = new SignalboxClient(connectionString(parent.origin), { hub });
  const reconnect = { nextRetryDelayInMilliseconds: () => 10 };
  const connecting = Array.from({ length: 20 }, async (_, at) =>
    OfficialClient.connect(await app.negotiate({ userId: `user${at}` }), { reconnect }),
  );
  const clients = await Promise.all(connecting);
  const [first = 0] = await spread(parent);
  expect(first).toBeGreaterThan(0);
  await sums(parent, 'signalbox_connections_opened_total', 20, { hub });

  const killed = parent.workers.find(({ worker }) => worker === 1) as RunningWorker;
  process.kill(killed.pid, 'SIGKILL');
  await until('another process is worker 1', () =>
    parent.workers.some((one) => one.worker === 1 && one !== killed && one.pid !== killed.pid),
  );
  const ends = parent.lines.filter(({ msg }) => msg === 'a worker ended and is started again');
  expect(ends).toEqual([expect.objectContaining({ level: 'error', worker: 1, signal: 'SIGKILL', pauseMs: 100 })]);
  await sums(parent, 'signalbox_connections', 20, { hub });
  await Promise.all(
    clients.map((client, at) => app.send(`user${at}`, 'news', 'back').then(() => client.heard('back'))),
  );
  expect(sum(clients.map((client) => client.returns.items.length))).toBe(first);
  await sums(parent, 'signalbox_connections_opened_total', 20 + first, { hub });
  await Promise.all(clients.map((client) => client.stop()));
});

describe('SIGTERM', () => {
  test('drains all workers, also when a supervisor sends it to each of their processes: code 0', async () => {
    const parent = await startWorkers(2);
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(parent.port, { hub })));
    expect(Math.min(...(await spread(parent)))).toBeGreaterThan(0);
    for (const { pid } of parent.workers) process.kill(pid, 'SIGTERM');
    parent.signal('SIGTERM');
    for (const client of clients) {
      expect(await within('the close', client.closed)).toBe(1000);
      expect(client.inbox.items).toEqual([{}, { type: 7, allowReconnect: true }]);
    }
    expect((await within('the exit', parent.ended)).code).toBe(0);
  });

  test('makes the parent not ready while its workers drain; a second one ends all at once, with code 1', async () => {
    const parent = await startWorkers(2, { SIGNALBOX_DRAIN_RATE: '1' });
    // Half a minute of stopping: no time that a test takes to look.
    const clients = await Promise.all(Array.from({ length: 60 }, () => RawClient.connect(parent.port, { hub })));
    parent.signal('SIGTERM');
    await until('it stops', async () => (await parent.admin('/readyz')).status === 503);
    expect(JSON.parse((await parent.admin('/readyz')).body)).toMatchObject({ ok: false, draining: true });
    expect((await parent.admin('/livez')).status).toBe(200);
    parent.signal('SIGTERM');
    expect((await within('the exit', parent.ended)).code).toBe(1);
    await Promise.all(clients.map((client) => within('the close', client.closed)));
  });
});

test('workers do not outlive their parent: they drain and free the port', async () => {
  const own = { PORT: String(await freePort()) }; // which nobody else is given while it is free again
  const parent = await startWorkers(2, own);
  const client = await RawClient.connect(parent.port, { hub });
  process.kill(parent.pid, 'SIGKILL');
  expect(await within('the close', client.closed)).toBe(1000);
  await within('the exit', parent.ended); // of whoever writes to its standard output, so of the workers too
  await using next = await startWorkers(2, own);
  await RawClient.connect(next.port, { hub });
});

test('a worker that hangs makes the parent neither live nor ready, and the body says which', async () => {
  await using parent = await startWorkers(2);
  const [one] = parent.workers;
  process.kill(one?.pid ?? 0, 'SIGSTOP');
  const pages = await Promise.all(['/livez', '/readyz'].map((path) => parent.admin(path)));
  process.kill(one?.pid ?? 0, 'SIGCONT');
  expect(pages.map(({ status }) => status)).toEqual([503, 503]);
  expect(JSON.parse(pages[0]?.body ?? '')).toMatchObject({
    workers: { [one?.worker ?? 0]: { ok: false, why: 'no answer within 3000 ms' } },
  });
});

test('scraped each: the parent shows no sums, so that nothing is counted twice', async () => {
  await using parent = await startWorkers(2, { SIGNALBOX_WORKER_METRICS: 'each' });
  const page = await parent.admin('/metrics');
  expect([page.status, JSON.parse(page.body)]).toEqual([
    404,
    {
      code: 'Error.Request.NotFound',
      error: 'route_unknown',
      message: 'SIGNALBOX_WORKER_METRICS is "each": scrape the admin port of each worker',
    },
  ]);
  for (const { adminPort } of parent.workers) {
    expect(await parent.metric('signalbox_build_info', {}, adminPort)).toBe(1);
  }
});

test('without an access key the parent makes one for all, and prints it', async () => {
  await using parent = await startWorkers(2, { SIGNALBOX_ACCESS_KEY: '' });
  await using app = new SignalboxClient(await parent.printed(), { hub });
  const client = await OfficialClient.connect(await app.negotiate({ userId: 'ann' }));
  await app.send('ann', 'news', 'hello');
  await client.heard('hello');
  await client.stop();
});

describe('what is wrong ends the start with code 2 and one line', () => {
  const good = { SIGNALBOX_ACCESS_KEY: accessKey, SIGNALBOX_WORKERS: '2' };
  test.each([
    [{}, 'REDIS_URL must be set when SIGNALBOX_WORKERS is 2: workers meet in Redis'],
    [{ SIGNALBOX_WORKERS: 'all' }, 'SIGNALBOX_WORKERS must be an integer from 1 to 128, got "all"'],
    [
      { REDIS_URL: 'redis://127.0.0.1:1', SIGNALBOX_ADMIN_PORT: '65534' },
      'SIGNALBOX_ADMIN_PORT must be at most 65533 with 2 workers, each of which takes one of the ports behind it, got 65534',
    ],
    [
      { REDIS_URL: 'redis://127.0.0.1:1', SIGNALBOX_HOST: '0.0.0.0', SIGNALBOX_ACCESS_KEY: '' },
      'SIGNALBOX_ACCESS_KEY must be set to listen beyond loopback, on 0.0.0.0',
    ],
    [
      { REDIS_URL: 'rediss://127.0.0.1:1', SIGNALBOX_REDIS_CA: '/nowhere' }, // found by the first worker
      'SIGNALBOX_REDIS_CA must name a readable file, got "/nowhere" (ENOENT)',
    ],
  ])('%j', async (env, line) => {
    const ended = await GatewayProcess.run({ ...good, ...env });
    expect(ended).toMatchObject({ code: 2, stdout: '', stderr: `signalbox-gateway: ${line}\n` });
  });

  test.each(['PORT', 'SIGNALBOX_ADMIN_PORT'])('%s that others share too', async (name) => {
    await using first = await startWorkers(2);
    const taken = String(name === 'PORT' ? first.port : first.adminPort);
    const ended = await GatewayProcess.run({ ...good, REDIS_URL: redis.url(), [name]: taken });
    expect([ended.code, ended.stderr.trimEnd().split('\n').length]).toEqual([2, 1]);
    expect(ended.stderr).toContain(`port ${taken}`);
  });
});
