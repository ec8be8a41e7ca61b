import { readDisconnectedBody, readWebhookHead, webhookSignature } from '@signalbox/app-sdk/protocol';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Balancer } from '../support/balancer.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { Service } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { accessKey } from '../support/tokens.ts';
import { until } from '../support/until.ts';
import { type Posted, WebhookServer } from '../upstream/webhook-server.ts';

/* A lease lasts 10 s, so others post what a node left 10 s after its death at the earliest. */
const patience = 40_000;
let redis: TestRedis;
let wire: TcpProxy;
let upstream: WebhookServer;
let service: Service;

beforeEach(async () => {
  redis = await startRedis();
  wire = await TcpProxy.start(redis.port);
  upstream = await WebhookServer.start();
});

afterEach(async () => {
  await service[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await wire.close();
  await redis.stop();
});

const startNode = (url = redis.url()): Promise<GatewayProcess> =>
  GatewayProcess.start({
    REDIS_URL: url,
    SIGNALBOX_ACCESS_KEY: accessKey,
    SIGNALBOX_UPSTREAM: `${upstream.url}/{hub}/{event}`,
  });

async function open(urls: readonly (string | undefined)[]): Promise<void> {
  const nodes = await Promise.all(urls.map((url) => startNode(url)));
  service = new Service(redis, nodes, await Balancer.start(nodes.map(({ port }) => port)), false);
}

const userOf = ({ headers }: Posted): string => String(headers['x-asrs-user-id']);
const ends = (posts: readonly Posted[]): Posted[] =>
  posts.filter(({ headers }) => headers['x-asrs-event'] === 'disconnected');

/** Waits for so many ends, and for what might come after them. */
async function endsOf(count: number): Promise<readonly Posted[]> {
  await upstream.posts.until(`${count} ends were posted`, (posts) => ends(posts).length >= count, patience);
  return ends(upstream.posts.items);
}

/** Waits until Redis holds the wills of so many clients of a node: what it is told in the turn of its death is lost. */
async function kept(at: number, count: number): Promise<void> {
  const raw = new Redis(redis.url());
  const key = `signalbox@0:wills:of:${service.node(at).node}`;
  await until(`${count} wills are kept`, async () => (await raw.hlen(key)) === count, patience);
  raw.disconnect();
}

/** Waits until so many webhooks about ends were answered: the nodes count that after the upstream has seen them. */
function counted(nodes: readonly GatewayProcess[], count: number): Promise<void> {
  return until(`${count} ends are counted`, async () => {
    const each = nodes.map((node) => node.metric('signalbox_webhooks_total', { event: 'disconnected' }));
    return (await Promise.all(each)).reduce((a, b) => a + b) === count;
  });
}

const users = (at: number, count: number): string[] => Array.from({ length: count }, (_, i) => `user ${at}-${i}`);

async function connectAll(at: number, count: number): Promise<string[]> {
  const names = users(at, count);
  await Promise.all(names.map((userId) => service.client('poll', { userId, at })));
  return names;
}

describe('the end of a client of a serverless hub whose node died', { timeout: 90_000 }, () => {
  test('is posted by one of the others, once for each client, as its own node would have', async () => {
    await open([undefined, undefined, undefined]);
    const dead = await connectAll(0, 150);
    const living = await service.client('poll', { userId: 'living', at: 1 });
    await kept(0, dead.length);
    await service.node(0).kill();
    const posted = await endsOf(dead.length);
    expect(posted.map(userOf).sort()).toEqual([...dead].sort());
    for (const { path, headers, body } of posted) {
      const head = readWebhookHead((name) => headers[name.toLowerCase()] as string | undefined);
      expect(path).toBe('/poll/disconnected');
      expect(readDisconnectedBody(body)).toBe('node_lost');
      expect(headers['x-asrs-signature']).toBe(webhookSignature([accessKey], head?.connectionId ?? ''));
    }
    await counted(service.nodes.slice(1), dead.length);
    await living.stop();
    expect((await endsOf(dead.length + 1)).slice(dead.length).map(userOf)).toEqual(['living']);
  });

  test('is posted by the next node that starts, when all of them died', async () => {
    await open([undefined]);
    const dead = await connectAll(0, 3);
    await kept(0, 3);
    await service.node(0).kill();
    await using late = await startNode();
    expect((await endsOf(3)).map(userOf).sort()).toEqual(dead);
    await counted([late], 3);
  });

  test('is posted, though Redis had forgotten everything before', async () => {
    await open([undefined, undefined]);
    const dead = await connectAll(0, 3);
    await kept(0, 3);
    await redis.restart();
    await kept(0, 3);
    await service.client('poll', { userId: 'late', at: 0 });
    await kept(0, 4);
    await service.node(0).kill();
    expect((await endsOf(4)).map(userOf).sort()).toEqual(['late', ...dead]);
  });
});

test('a node that was only cut off ends the clients whose end was posted: they come back, and are announced again', {
  timeout: 90_000,
}, async () => {
  await open([undefined, `redis://127.0.0.1:${wire.port}/0`]);
  const reconnect = { nextRetryDelayInMilliseconds: () => 100 };
  const client = await service.client('poll', { userId: 'ann', at: 1, reconnect });
  wire.silence();
  await endsOf(1);
  expect(client.returns.items).toEqual([]);
  wire.mend();
  await client.returns.until('it is back', (ids) => ids.length > 0, patience);
  await upstream.posts.until('it is announced', (posts) => posts.length >= 3, patience);
  await client.stop();
  await endsOf(2);
  expect(upstream.events).toEqual(['connected', 'disconnected', 'connected', 'disconnected']);
  expect(new Set(upstream.posts.items.map(({ headers }) => headers['x-asrs-connection-id'])).size).toBe(2);
});
