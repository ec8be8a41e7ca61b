import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Certificates } from '../support/certificates.ts';
import { type Env, GatewayProcess } from '../support/gateway-process.ts';
import { OtherVersion } from '../support/other-version.ts';
import { type Labels, PrometheusProcess, shippedFiles } from '../support/prometheus.ts';
import { RawClient } from '../support/raw-client.ts';
import { RawRest } from '../support/raw-rest.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { patience } from '../support/service.ts';
import { Stage } from '../support/stage.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { accessKey } from '../support/tokens.ts';
import { until } from '../support/until.ts';

/*
 * Alerts that `prometheus.test.ts` does not see fire, each in its fault. Windows and thresholds are those that are shipped,
 * but for SignalboxCoreBusy: the core must have been busy for nine tenths of its window, which is cut from 5 min to 10 s.
 */

/** The nodes by what they are for: one that stays well, one that will hang, one whose wire to Redis will be bad. */
const [well, hanging, far] = [0, 1, 2] as const;

let redis: TestRedis;
let wire: TcpProxy;
let stage: Stage;
let prometheus: PrometheusProcess;
/** Added by a test. */
let late: GatewayProcess | undefined;

beforeAll(async () => {
  redis = await startRedis();
  wire = await TcpProxy.start(redis.port);
  stage = await Stage.open({
    redis,
    env: { SIGNALBOX_MODES: '*=default,plain=serverless' },
    envOf: {
      [well]: { SIGNALBOX_ASK_MS: '1000' },
      [hanging]: { SIGNALBOX_MAX_CONNECTIONS: '10' },
      [far]: { REDIS_URL: `redis://127.0.0.1:${wire.port}`, SIGNALBOX_BACKPLANE_QUEUE_BYTES: '65536' },
    },
  });
  prometheus = await PrometheusProcess.start(files());
  await until('the nodes know each other', async () => (await leastKnown()) === stage.service.nodes.length);
  await prometheus.scraped(1);
}, 90_000);

afterEach(async () => {
  await late?.kill();
  if (late !== undefined) prometheus.reload(files());
  late = undefined;
});

afterAll(async () => {
  await prometheus?.stop();
  await stage?.[Symbol.asyncDispose]();
  await wire?.close();
  await redis?.stop();
});

/** For the nodes of the service, and for one more with this admin port. */
function files(more: readonly number[] = []): Readonly<Record<string, string>> {
  const made = shippedFiles([...stage.service.nodes.map(({ adminPort }) => adminPort), ...more]);
  const [before, after = '', ...others] = made['alerts.yml'].split('signalbox_event_loop_busy_seconds_total[5m]');
  expect(others).toEqual([]);
  return { ...made, 'alerts.yml': `${before}signalbox_event_loop_busy_seconds_total[10s]${after}` };
}

async function leastKnown(): Promise<number | undefined> {
  const [least] = await prometheus.query('min(signalbox_known_nodes)');
  return least?.value;
}

/** The label of a node. */
function instance({ adminPort }: GatewayProcess): Labels {
  return { instance: `127.0.0.1:${adminPort}` };
}

/** Adds a node to the service. @returns its label */
async function add(env: Env, main?: string): Promise<Labels> {
  const common = { ...patience, SIGNALBOX_ACCESS_KEY: accessKey, REDIS_URL: redis.url() };
  late = await GatewayProcess.start({ ...common, ...env }, main);
  prometheus.reload(files([late.adminPort]));
  return instance(late);
}

/**
 * Makes a fault again and again until the alert fires.
 * @param abreast so many at a time
 */
async function firesWhile(fault: () => Promise<unknown>, name: string, labels: Labels, abreast = 1): Promise<void> {
  let over = false;
  const fires = prometheus.fires(name, labels, 60_000).finally(() => {
    over = true;
  });
  const faults = async (): Promise<void> => {
    while (!over) await fault();
  };
  await Promise.all([fires, ...Array.from({ length: abreast }, faults)]);
}

const quiet = [
  'SignalboxAcksLate',
  'SignalboxBackplaneQueueLong',
  'SignalboxCertificateExpiring',
  'SignalboxClientsReconnecting',
  'SignalboxConnectionsNearLimit',
  'SignalboxNodesApart',
  'SignalboxVersionsMixed',
];

test('before the faults none of those fires that a tired machine alone does not bring about', async () => {
  const firing = (await prometheus.firing()).map(({ alertname }) => alertname);
  expect(firing.filter((name) => name !== undefined && quiet.includes(name))).toEqual([]);
});

describe('fires in the fault that it is for', { timeout: 90_000 }, () => {
  test('all places are taken: SignalboxConnectionsNearLimit', async () => {
    const { port } = stage.service.node(hanging);
    const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(port, { hub: 'plain' })));
    await prometheus.fires('SignalboxConnectionsNearLimit', instance(stage.service.node(hanging)));
    for (const client of clients) client.leave();
    await Promise.all(clients.map(({ closed }) => closed));
  });

  test('clients that come and go: SignalboxClientsReconnecting', async () => {
    const visit = async (): Promise<void> => {
      const client = await RawClient.connect(stage.service.node(well).port, { hub: 'plain' });
      client.leave();
    };
    await visit();
    await prometheus.scraped(1); // the first one begins the series
    for (let n = 0; n < 16; n++) await Promise.all(Array.from({ length: 20 }, visit));
    await prometheus.fires('SignalboxClientsReconnecting');
  });

  test('a node hangs, and an app server asks for a client there: SignalboxAcksLate', async () => {
    const app = await stage.app('one', { at: well });
    const client = await stage.client({ at: hanging });
    stage.service.node(hanging).pause();
    await expect(app.join(client.id, 'all of them')).rejects.toThrow();
    await prometheus.fires('SignalboxAcksLate');
    stage.service.node(hanging).resume();
  });

  test('a node hangs for more than a second: SignalboxEventLoopLate', async () => {
    const node = stage.service.node(hanging);
    const hang = async (): Promise<void> => {
      node.pause();
      await setTimeout(1500);
      node.resume();
      await prometheus.scraped(1);
    };
    await firesWhile(hang, 'SignalboxEventLoopLate', instance(stage.service.node(hanging)));
  });

  test('the wire to Redis is long: SignalboxBackplaneSlow', async () => {
    wire.slow(300);
    await prometheus.fires('SignalboxBackplaneSlow', instance(stage.service.node(far)));
  });

  test('more is published than such a wire takes: SignalboxBackplaneQueueLong', async () => {
    await using rest = new RawRest(stage.service.node(far).origin);
    const bulk = 'x'.repeat(40_000);
    await firesWhile(
      () => rest.post('/api/v1/hubs/plain', 'news', bulk),
      'SignalboxBackplaneQueueLong',
      instance(stage.service.node(far)),
    );
  });

  test('a node is cut off from Redis: SignalboxNodesApart on those that lost it', async () => {
    wire.silence();
    await prometheus.fires('SignalboxNodesApart', instance(stage.service.node(well)), 60_000);
    wire.mend();
  });

  test('a node with another prefix: SignalboxNodesApart', async () => {
    await prometheus.fires('SignalboxNodesApart', await add({ SIGNALBOX_PREFIX: 'another' }));
  });

  test('a certificate that ends in 13 days: SignalboxCertificateExpiring', async () => {
    using certificates = new Certificates();
    certificates.make('short', { days: 13 });
    const [SIGNALBOX_TLS_CERT = '', SIGNALBOX_TLS_KEY = ''] = ['short.crt', 'short.key'].map((name) =>
      certificates.path(name),
    );
    await prometheus.fires('SignalboxCertificateExpiring', await add({ SIGNALBOX_TLS_CERT, SIGNALBOX_TLS_KEY }));
  });

  test('one node is of another version: SignalboxVersionsMixed', async () => {
    using other = new OtherVersion('0.0.1');
    await add({}, other.main);
    await prometheus.fires('SignalboxVersionsMixed');
  });

  test('a node has more to do than one core can: SignalboxCoreBusy', async () => {
    await using rest = new RawRest(stage.service.node(well).origin);
    const line = '{"to":{"user":"nobody"},"target":"news","arguments":["all the time"]}\n';
    const batch = { body: line.repeat(50_000), type: 'application/x-ndjson' };
    const path = '/api/signalbox/hubs/plain/:sendMany';
    const send = async (): Promise<void> => expect((await rest.call('POST', path, batch)).status).toBe(200);
    await firesWhile(send, 'SignalboxCoreBusy', instance(stage.service.node(well)), 4);
  });
});
