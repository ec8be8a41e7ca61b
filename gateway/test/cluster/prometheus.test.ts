import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rows } from '../../../deploy/grafana/panels.ts';
import type { AppProcess } from '../support/app-process.ts';
import { PrometheusProcess, shipped, shippedFiles } from '../support/prometheus.ts';
import { RawClient } from '../support/raw-client.ts';
import { RawRest } from '../support/raw-rest.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';
import { WebhookServer } from '../upstream/webhook-server.ts';

/** A Redis, two nodes, app servers, an upstream, official clients, and a real Prometheus with the files that are shipped. */
let stage: Stage;
let app: AppProcess;
let upstream: WebhookServer;
let rest: RawRest;
let prometheus: PrometheusProcess;
let slow: RawClient;
/** Before the faults. */
let calm: number;

/** The shipped job for Kubernetes, told of pods by hand, of which one runs with this admin port. */
function kubernetes(port: number): string {
  const pod = (name: string, phase: string, container: string): string =>
    `      - targets: ["127.0.0.1:${port}"]\n        labels: { __meta_kubernetes_pod_container_port_name: ${container}, ` +
    `__meta_kubernetes_pod_phase: ${phase}, __meta_kubernetes_namespace: live, __meta_kubernetes_pod_name: ${name} }\n`;
  const pods =
    pod('signalbox-0', 'Running', 'admin') + pod('done-1', 'Succeeded', 'admin') + pod('x-2', 'Running', 'http');
  const [, job = ''] = readFileSync(new URL('kubernetes.yml', shipped), 'utf8').split('scrape_configs:\n');
  return job
    .replace('job_name: signalbox', 'job_name: kubernetes')
    .replace(/ {4}kubernetes_sd_configs:\n(.*\n)*?(?= {4}\w)/, `    static_configs:\n${pods}`);
}

beforeAll(async () => {
  upstream = await WebhookServer.start();
  stage = await Stage.open({
    nodes: 2,
    env: {
      SIGNALBOX_MODES: '*=default,calls=serverless,slow=serverless',
      SIGNALBOX_UPSTREAM: upstream.url,
      SIGNALBOX_CLIENT_QUEUE_BYTES: '65536',
      SIGNALBOX_MAX_CONNECTIONS_PER_USER: '3',
      SIGNALBOX_READY_GRACE: '0',
    },
  });
  const files = shippedFiles(stage.service.nodes.map(({ adminPort }) => adminPort));
  prometheus = await PrometheusProcess.start({
    ...files,
    'prometheus.yml': files['prometheus.yml'] + kubernetes(stage.service.node(0).adminPort),
  });
  app = await stage.app('one');
  rest = new RawRest(stage.service.balancer.origin);
  slow = await RawClient.connect(stage.service.node(0).port, { hub: 'slow' });
  slow.socket.pause();
  await prometheus.scraped(1);
  // Twice, with scrapes between: what is counted for the first time has no rate yet.
  for (const round of [1, 2]) {
    await load(round);
    await prometheus.scraped(2);
  }
  calm = await prometheus.whole();
}, 180_000);

afterAll(async () => {
  slow?.socket.terminate();
  await prometheus?.stop();
  await rest?.close();
  await stage?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
});

/** Something of everything that is counted. */
async function load(round: number): Promise<void> {
  const clients = await Promise.all(
    [0, 1, 0, 1].map((at, n) =>
      stage.client({ at, userId: `user ${n}`, protocol: n % 2 === 0 ? 'json' : 'messagepack' }),
    ),
  );
  const [first, second] = clients;
  for (const { connection } of clients) {
    connection.on('askName', () => 'a name');
    await connection.invoke('join', 'all of them');
  }
  await first?.connection.invoke('tell', 'group', ['all of them'], `round ${round}`);
  await Promise.all(clients.map((client) => client.heard(`round ${round}`)));
  const asked = await rest.call('POST', `/api/hubs/stage/connections/${second?.id}/:invoke?api-version=2024-12-01`, {
    body: '{"target":"askName","arguments":[]}',
  });
  expect(JSON.parse(asked.body)).toEqual({ result: 'a name' });
  await rest.post('/api/v1/hubs/stage', 'news', `by rest ${round}`);
  await rest.call('HEAD', '/api/v1/hubs/stage/users/user%201');
  await Promise.all(clients.map((client) => client.heard(`by rest ${round}`)));
  await Promise.all(clients.map((client) => client.stop()));
  await callUpstream();
  await flood();
  await (await stage.app(`guest ${round}`, { links: 1 })).kill();
}

async function callUpstream(): Promise<void> {
  const caller = await stage.service.client('calls', { at: 1, userId: 'caller' });
  await caller.connection.send('hello');
  await until('the call was posted', () => upstream.events.includes('hello'));
  await caller.stop();
}

/** More than the slow client may owe. */
async function flood(): Promise<void> {
  const bulk = 'x'.repeat(512 * 1024);
  for (let n = 0; n < 16; n++) await rest.post('/api/v1/hubs/slow', 'news', bulk);
}

/** What Grafana would ask. */
function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(instance|hub)/g, '.*');
}

const panels = rows.flatMap((row) =>
  row.panels.flatMap(({ title, queries }) =>
    queries.map(({ expr, needs }) => [`${row.title}: ${title}`, needs ?? 'this load', expr] as const),
  ),
);

test.each(panels)('the panel %s shows data of %s: %s', async (_, needs, expr) => {
  const samples = await prometheus.query(filledIn(expr), calm);
  const data = samples.filter(({ value }) => !Number.isNaN(value));
  expect(data.length > 0).toBe(needs === 'this load');
});

test('every rule is computed without an error, and what is recorded has data', async () => {
  const rules = await prometheus.rules();
  expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  for (const { name } of rules.filter(({ type }) => type === 'recording')) {
    const samples = await prometheus.query(name, calm);
    expect(samples.filter(({ value }) => !Number.isNaN(value)).length, name).toBeGreaterThan(0);
  }
});

/** Series that only a fault makes; the tests of the faults below see them. */
const onlyInFaults = ['signalbox_rest_requests_total{status=~"5.."}', 'signalbox_webhooks_total{status!~"2.."}'];

test('every series that an alert asks for is there before the fault, but for those that are named', async () => {
  const alerts = (await prometheus.rules()).filter(({ type }) => type === 'alerting');
  const selectors = alerts.flatMap(({ query }) => query.match(/\b(signalbox_\w+|up)\b(\{[^}]*\})?/g) ?? []);
  const empty = new Set<string>();
  for (const selector of selectors) if ((await prometheus.query(selector, calm)).length === 0) empty.add(selector);
  expect(selectors.length).toBeGreaterThan(alerts.length);
  expect([...empty].sort()).toEqual(onlyInFaults);
});

test('Kubernetes: of pods only the admin port of those that run is scraped, under the name of the pod', async () => {
  const up = await prometheus.query('up{job="kubernetes"}', calm);
  expect(up.map(({ metric, value }) => [metric['instance'], metric['namespace'], metric['pod'], value])).toEqual([
    ['live/signalbox-0', 'live', 'signalbox-0', 1],
  ]);
});

describe('in the fault that it is for', { timeout: 180_000 }, () => {
  test('a client that does not read: SignalboxSlowClients', async () => {
    await prometheus.fires('SignalboxSlowClients');
  });

  test('tokens that another key signed: SignalboxTokensRefused', async () => {
    const [head, payload] = ['{"alg":"HS256","typ":"JWT"}', '{"aud":"x"}'].map((text) =>
      Buffer.from(text).toString('base64url'),
    );
    const token = `${head}.${payload}.AAAA`;
    for (let n = 0; n < 60; n++) await rest.call('POST', '/api/v1/hubs/stage', { token, body: '{}' });
    expect(await prometheus.fires('SignalboxTokensRefused')).toMatchObject({ reason: 'signature' });
  });

  test('a user with too many connections: SignalboxLimitReached, SignalboxClientsTurnedAway', async () => {
    const mine = { at: 0, userId: 'everywhere' };
    await Promise.all([1, 2, 3].map(() => stage.client(mine)));
    await expect(stage.client(mine)).rejects.toThrow();
    const limit = 'SIGNALBOX_MAX_CONNECTIONS_PER_USER';
    expect(await prometheus.fires('SignalboxLimitReached')).toMatchObject({ limit });
    expect(await prometheus.fires('SignalboxClientsTurnedAway')).toMatchObject({ code: 'limit_reached' });
  });

  test('an upstream that fails: SignalboxWebhooksFailing', async () => {
    upstream.answer = (_post, response) => void response.writeHead(500).end();
    const caller = await stage.service.client('calls', { at: 1 });
    const fail = (): Promise<void> => expect(caller.connection.invoke('hello')).rejects.toThrow();
    await fail();
    await prometheus.scraped(1); // the first failure begins the series, the next one is its increase
    await fail();
    expect(await prometheus.fires('SignalboxWebhooksFailing')).toMatchObject({ event: 'message' });
  });

  test('the only app server is gone: SignalboxAppServersGone', async () => {
    await app.kill();
    expect(await prometheus.fires('SignalboxAppServersGone')).toMatchObject({ hub: 'stage' });
  });

  test('Redis hangs: SignalboxRedisDown, SignalboxNodeNotReady, SignalboxRestFailing, SignalboxMessagesLost', async () => {
    stage.service.redis.pause();
    await prometheus.fires('SignalboxRedisDown');
    await prometheus.fires('SignalboxNodeNotReady');
    const send = async (): Promise<void> => {
      expect((await rest.post('/api/v1/hubs/nobody', 'news', 'to nobody')).status).toBe(503);
    };
    await send();
    await prometheus.scraped(1); // the first one begins the series
    for (let n = 0; n < 10; n++) await send();
    await prometheus.fires('SignalboxRestFailing');
    expect(await prometheus.fires('SignalboxMessagesLost')).toMatchObject({ reason: 'backplane_down' });
    stage.service.redis.resume();
  });

  test('a node that died: SignalboxNodeDown', async () => {
    const { adminPort } = stage.service.node(1);
    await stage.service.node(1).kill();
    expect(await prometheus.fires('SignalboxNodeDown')).toMatchObject({ instance: `127.0.0.1:${adminPort}` });
  });
});
