import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { startUpstream } from './start-upstream.ts';
import { type Posted, WebhookServer } from './webhook-server.ts';

/** What undici tells of a connection that it could not make. */
interface ConnectError {
  readonly connectParams: { readonly port: string };
}

let server: WebhookServer;

beforeEach(async () => {
  server = await WebhookServer.start();
});

afterEach(() => server[Symbol.asyncDispose]());

/** Answers nothing until told; `free` then answers all, also what comes later. */
function hold(which: (post: Posted) => boolean = () => true): { readonly held: ServerResponse[]; free(): void } {
  const held: ServerResponse[] = [];
  let open = false;
  server.answer = (post, response) => {
    if (open || !which(post)) response.writeHead(204).end();
    else held.push(response);
  };
  return {
    held,
    free: () => {
      open = true;
      for (const response of held.splice(0)) response.writeHead(204).end();
    },
  };
}

/** Starts a server where a webhook has just been refused, before it can be tried again. */
async function startOnceRefused(port: number): Promise<WebhookServer> {
  const channel = 'undici:client:connectError';
  await new Promise<void>((resolve) => {
    const failed = (message: unknown): void => {
      if (Number((message as ConnectError).connectParams.port) !== port) return;
      unsubscribe(channel, failed);
      resolve();
    };
    subscribe(channel, failed);
  });
  return WebhookServer.start(port);
}

const say = (target: string, text = ''): string => `{"type":1,"target":"${target}","arguments":["${text}"]}\u001e`;

describe('a client that sends more than its upstream takes', () => {
  it('is closed as app_slow over SIGNALBOX_UPSTREAM_CLIENT_QUEUE_BYTES; others are not', async () => {
    await using node = await startUpstream(server.url, { clientQueueBytes: 10_000 });
    const { held, free } = hold();
    const [noisy, quiet] = [await node.connect(), await node.connect()];
    await until('both are told of', () => held.length === 2);
    for (let n = 0; n < 20 && noisy.connection.state === 'open'; n++) noisy.say(say(`m${n}`));
    expect([noisy.connection.state, quiet.connection.state]).toEqual(['closed', 'open']);
    expect(node.told.of('limitReached')).toEqual([['SIGNALBOX_UPSTREAM_CLIENT_QUEUE_BYTES']]);
    free();
    await node.upstream.idle();
    expect(server.events).toEqual(['connected', 'connected', 'disconnected']);
    expect(node.told.of('webhook').filter(([, status]) => status === 'dropped').length).toBeGreaterThan(5);
  });

  it('may always add one message of any size', async () => {
    await using node = await startUpstream(server.url, { clientQueueBytes: 2000 });
    const { held, free } = hold();
    const client = await node.connect();
    await until('it is told of', () => held.length === 1);
    client.say(say('large', 'x'.repeat(500_000)));
    expect(client.connection.state).toBe('open');
    client.say(say('one more'));
    expect(client.connection.state).toBe('closed');
    free();
    await node.upstream.idle();
  });
});

describe('a hub with more webhooks than its upstream takes', () => {
  it('has SIGNALBOX_UPSTREAM_REQUESTS under way; the rest wait in order, another hub does not', async () => {
    await using node = await startUpstream(server.url, { requests: 2 });
    const { held, free } = hold(({ headers }) => headers['x-asrs-hub'] === 'chat');
    const clients = await Promise.all(['a', 'b', 'c', 'd'].map((userId) => node.connect({ userId })));
    await node.connect({ hub: 'other' });
    await server.posts.one('the other hub is told of', ({ headers }) => headers['x-asrs-hub'] === 'other');
    await until('two are under way', () => held.length === 2);
    expect(server.posts.items.filter(({ headers }) => headers['x-asrs-hub'] === 'chat')).toHaveLength(2);
    for (const next of ['c', 'd']) {
      held.shift()?.writeHead(204).end();
      await server.posts.one(`${next} is told of`, ({ headers }) => headers['x-asrs-user-id'] === next);
    }
    free();
    await node.upstream.idle();
    const users = server.posts.items.flatMap(({ headers }) => headers['x-asrs-user-id'] ?? []);
    expect([users.slice(0, 2).sort(), users.slice(2)].flat()).toEqual(['a', 'b', 'c', 'd']);
    expect(clients.map(({ connection }) => connection.state)).toEqual(['open', 'open', 'open', 'open']);
  });

  it('takes no more clients over SIGNALBOX_UPSTREAM_QUEUE_BYTES, tells of those who leave, and recovers', async () => {
    await using node = await startUpstream(server.url, { queueBytes: 2000 });
    const { held, free } = hold();
    const first = await node.connect();
    await node.connect();
    await until('both are told of', () => held.length === 2);
    const late = node.arrive();
    late.say('{"protocol":"json","version":1}\u001e');
    await late.until(() => late.transport.ended);
    expect(late.answer).toContain('too slow to take more clients');
    expect(node.told.of('limitReached')).toEqual([['SIGNALBOX_UPSTREAM_QUEUE_BYTES']]);
    first.leave();
    free();
    await node.upstream.idle();
    expect(server.events).toEqual(['connected', 'connected', 'disconnected']);
    await node.connect();
    await node.upstream.idle();
    expect(server.events).toHaveLength(4);
  });
});

describe('an upstream that is away', () => {
  it('is told of a connection when it is back soon, and never twice of an invocation', async () => {
    const port = await freePort();
    await using node = await startUpstream(`http://127.0.0.1:${port}`);
    const starting = startOnceRefused(port);
    const client = await node.connect();
    await using back = await starting;
    back.answer = (_post, response) => response.writeHead(back.events.length < 2 ? 503 : 204).end();
    await back.post(1);
    back.answer = (_post, response) => response.writeHead(503).end();
    client.say(say('once'));
    await node.upstream.idle();
    expect(back.events).toEqual(['connected', 'connected', 'once']);
  });

  it('costs a client that left its words when its time is over, but not the news of its end', async () => {
    await using node = await startUpstream(server.url, { deadlineMs: 800 });
    hold(({ headers }) => headers['x-asrs-category'] === 'messages');
    const client = await node.connect();
    client.say(['hangs', 'late', 'later', 'latest'].map((target) => say(target)).join(''));
    await server.post(1);
    client.leave();
    await node.upstream.idle();
    expect(server.events.at(-1)).toBe('disconnected');
    const words = node.told.of('webhook').map(([event, status]) => `${event} ${status}`);
    expect([words[0], words[1], words.at(-2), words.at(-1)]).toEqual([
      'connected 204',
      'message timeout',
      'message dropped',
      'disconnected 204',
    ]);
  });
});

it('failures are logged once a second, with the number of those between', async () => {
  let now = 0;
  server.answer = (_post, response) => void response.writeHead(500).end();
  await using node = await startUpstream(`${server.url}/hooks?code=s3cret`, { now: () => now });
  const client = await node.connect();
  for (let n = 0; n < 5; n++) client.say(say(`m${n}`));
  await node.upstream.idle();
  now = 1000;
  client.say(say('later'));
  await node.upstream.idle();
  expect(node.logged).toMatchObject([
    { kind: 'connected', more: undefined },
    { kind: 'message', more: 5 },
  ]);
  expect(JSON.stringify(node.logged)).not.toMatch(/s3cret|m0/);
});
