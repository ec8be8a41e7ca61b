import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';
import { Inbox } from '../support/inbox.ts';
import type { OfficialClient } from '../support/official-client.ts';
import { negotiate, RawClient } from '../support/raw-client.ts';
import { RawRest } from '../support/raw-rest.ts';
import { type Service, startService } from '../support/service.ts';
import { signToken } from '../support/tokens.ts';
import { until } from '../support/until.ts';

const MiB = 1024 * 1024;
let service: Service;
let rest: RawRest;

beforeAll(async () => {
  service = await startService();
  rest = new RawRest(service.balancer.origin);
});

afterAll(async () => {
  await rest.close();
  await service[Symbol.asyncDispose]();
});

async function gather(hub: string): Promise<readonly OfficialClient[]> {
  return Promise.all([0, 1].map((at) => service.client(hub, { at, userId: `user${at}` })));
}

function inversions(numbers: readonly unknown[]): number {
  return numbers.filter((number, i) => i > 0 && Number(number) < Number(numbers[i - 1])).length;
}

test('5,000 REST sends through random nodes, one after the other, to all, a user and a group in turn: 0 inverted, 0 lost', {
  timeout: 300_000,
}, async () => {
  const count = 5000;
  const clients = await gather('order');
  const doors = service.nodes.map((node) => new RawRest(node.origin));
  for (const { id } of clients)
    expect((await rest.call('PUT', `/api/hubs/order/groups/g/connections/${id}`)).status).toBe(200);
  const paths = ['', '/groups/g', '/users/user0', '/users/user1'];
  for (let i = 0; i < count; i++) {
    const door = doors[Math.floor(Math.random() * doors.length)] ?? rest;
    expect((await door.post(`/api/v1/hubs/order${paths[i % paths.length]}`, 'news', i)).status).toBe(202);
  }
  for (const door of doors) await door.close();
  const mine = (at: number): number[] =>
    Array.from({ length: count }, (_, i) => i).filter((i) => i % 4 < 2 || i % 4 === at + 2);
  for (const [at, client] of clients.entries()) {
    await client.inbox.until('all that is for it', (items) => items.length >= mine(at).length);
    expect(inversions(client.inbox.items)).toBe(0);
    expect(client.inbox.items).toEqual(mine(at));
  }
});

test('join by REST, then send to the group, for a member on another node: 2,000 of 2,000 arrive', {
  timeout: 300_000,
}, async () => {
  const { connectionId, connectionToken: id } = await negotiate(service.node(1).origin, 'joins');
  const member = await RawClient.connect(service.node(1).port, { hub: 'joins', id });
  await using here = new RawRest(service.node(0).origin);
  for (let i = 0; i < 2000; i++) {
    const group = `/api/hubs/joins/groups/g${i % 500}`;
    expect((await here.call('PUT', `${group}/connections/${connectionId}`)).status).toBe(200);
    expect((await here.post(`${group}/:send`, 'news', i)).status).toBe(202);
    expect((await here.call('DELETE', `${group}/connections/${connectionId}`)).status).toBe(200);
  }
  const arrived = (): number => member.inbox.items.filter((message) => message['target'] === 'news').length;
  await until('all 2,000 arrive', () => arrived() === 2000);
  member.leave();
});

test('two broadcasts of 17 MiB are refused with 413, and nobody is cut off', async () => {
  const clients = await gather('large');
  const body = JSON.stringify({ target: 'news', arguments: ['x'.repeat(17 * MiB)] });
  const answers = await Promise.all(
    service.nodes.map(async (node) => {
      await using direct = new RawRest(node.origin);
      return await direct.call('POST', '/api/v1/hubs/large', { body });
    }),
  );
  expect(answers.map((answer) => answer.status)).toEqual([413, 413]);
  await rest.post('/api/v1/hubs/large', 'news', 'afterwards');
  await Promise.all(clients.map((client) => client.heard('afterwards')));
  expect(clients.map((client) => client.inbox.items)).toEqual([['afterwards'], ['afterwards']]);
  for (const node of service.nodes) expect(await node.metric('signalbox_backplane_deaf_seconds_total')).toBe(0);
});

test('the largest message that is taken arrives on both nodes, in JSON and in MessagePack', async () => {
  const clients = await Promise.all(
    (['json', 'messagepack'] as const).map((protocol, at) => service.client('largest', { at, protocol })),
  );
  const large = 'x'.repeat(MiB - 1024);
  expect((await rest.post('/api/v1/hubs/largest', 'news', large)).status).toBe(202);
  await Promise.all(clients.map((client) => client.heard(large)));
});

describe('somebody publishes in Redis', () => {
  test('an envelope that was seen before is delivered to nobody and counted as duplicate, by each node', async () => {
    const clients = await gather('twice');
    const redis = new Redis(service.redis.url());
    const listener = new Redis(service.redis.url());
    const envelopes = new Inbox<Buffer>();
    const topic = 'signalbox@0:h:twice:all';
    listener.on('messageBuffer', (_channel: Buffer, envelope: Buffer) => envelopes.add(envelope));
    await listener.subscribe(topic);
    await rest.post('/api/v1/hubs/twice', 'news', 'once');
    await envelopes.until('the envelope', (items) => items.length === 1);
    expect(await redis.publish(topic, envelopes.items[0] ?? '')).toBe(3);
    await rest.post('/api/v1/hubs/twice', 'news', 'behind it');
    await Promise.all(clients.map((client) => client.heard('behind it')));
    expect(clients.map((client) => client.inbox.items)).toEqual([
      ['once', 'behind it'],
      ['once', 'behind it'],
    ]);
    for (const node of service.nodes)
      expect(await node.metric('signalbox_dropped_total', { reason: 'duplicate' })).toBe(1);
    for (const client of [redis, listener]) client.disconnect();
  });

  test('1,000 pieces of garbage are dropped as unknown_version, and everybody is served afterwards', async () => {
    const clients = await gather('garbage');
    const redis = new Redis(service.redis.url());
    for (let i = 0; i < 1000; i++)
      await redis.publish('signalbox@0:h:garbage:all', Buffer.from([i % 256, 255 - (i % 256), 0xc1]));
    await rest.post('/api/v1/hubs/garbage', 'news', 'fine');
    await Promise.all(clients.map((client) => client.heard('fine')));
    for (const node of service.nodes) {
      expect(await node.metric('signalbox_dropped_total', { reason: 'unknown_version' })).toBe(1000);
    }
    redis.disconnect();
  });
});

test('a node with another access key under the same prefix ends with code 2 and one line that names the setting', async () => {
  const ended = await GatewayProcess.run({
    REDIS_URL: service.redis.url(),
    SIGNALBOX_ACCESS_KEY: 'some-other-key-that-nobody-here-shares-0',
  });
  expect(ended.code).toBe(2);
  expect(ended.stderr).toMatch(
    /^signalbox-gateway: "SIGNALBOX_ACCESS_KEY" must share a key with node .* under the prefix "signalbox@0"\n$/,
  );
});

const unclear = [
  ['two Content-Lengths', 'Content-Length: 0\r\nContent-Length: 43'],
  ['two equal Content-Lengths', 'Content-Length: 43\r\nContent-Length: 43'],
  ['a Content-Length that is no number', 'Content-Length: 4x'],
  ['a Transfer-Encoding beside a Content-Length', 'Content-Length: 43\r\nTransfer-Encoding: chunked'],
] as const;

/** Everything that a node answers to these bytes until it closes the socket. */
async function answersTo(bytes: string): Promise<string> {
  const socket = connect(service.node(0).port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(bytes);
  return text(socket);
}

describe.each(unclear)('a send with %s', (_, lengths) => {
  const smuggled = '{"target":"news","arguments":["smuggled"]}\n';

  async function head(): Promise<string> {
    const token = await signToken('http://localhost/api/v1/hubs/smuggled');
    const lines = ['Host: x', `Authorization: Bearer ${token}`, 'Content-Type: application/json'];
    return `POST /api/v1/hubs/smuggled HTTP/1.1\r\n${lines.join('\r\n')}\r\n`;
  }

  test('gets 400, and its socket is closed', async () => {
    const answers = await answersTo(`${await head()}${lengths}\r\n\r\n`);
    expect(answers.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 400']);
  });

  test('is not sent, and neither is another one that stands where its body should be', async () => {
    const [client] = await gather('smuggled');
    const hidden = `${await head()}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`;
    expect(await answersTo(`${await head()}${lengths}\r\n\r\n${hidden}`)).not.toContain(' 202 ');
    await rest.post('/api/v1/hubs/smuggled', 'news', 'behind it');
    await client?.heard('behind it');
    expect(client?.inbox.items).toEqual(['behind it']);
  });
});
