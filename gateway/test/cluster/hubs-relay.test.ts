import { encodeValue, messagePackInvocation } from '@signalbox/app-sdk/protocol';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCommand } from '../../src/protocol/command-codec.ts';
import { encodeEnvelope } from '../../src/protocol/envelope.ts';
import type { StreamCommand } from '../../src/protocol/stream.ts';
import type { ScriptedApp } from '../apps/scripted-app.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Service, startService } from '../support/service.ts';
import { until, within } from '../support/until.ts';
import { broadcast, heardBy, jsonNews, Scripts, toGroup } from './scripts.ts';

let service: Service;
let scripts: Scripts;

beforeAll(async () => {
  service = await startService({ nodes: 3, env: { SIGNALBOX_MODES: '*=default,weak=auto' } });
  scripts = new Scripts(service);
});

afterAll(async () => {
  scripts.close();
  await service[Symbol.asyncDispose]();
});

test.each([0, 1, 2])(
  'JoinGroup and GroupBroadcastData back to back, for a client on node %i with its link to node 0: 500 of 500 arrive, in order',
  async (at) => {
    const hub = `join${at}`;
    const app = await scripts.link({ at: 0, hub });
    const joined = await scripts.join(at, hub, [app]);
    for (let i = 0; i < 500; i++) {
      const group = `g${i}`;
      app.say({ kind: 'JoinGroup', connectionId: joined.id, group }, toGroup(group, i));
    }
    app.say(broadcast('end'));
    await joined.client.heard('end');
    expect(heardBy(joined)).toEqual([...Array.from({ length: 500 }, (_, i) => i), 'end']);
  },
);

test('JoinGroup and GroupBroadcastData over a link whose node does not carry the client: 500 of 500 arrive', async () => {
  const hub = 'joinForeign';
  const own = await scripts.link({ at: 0, hub });
  const joined = await scripts.join(1, hub, [own]);
  const foreign = await scripts.link({ at: 2, hub, server: 'srvB' });
  for (let i = 0; i < 500; i++) {
    const group = `g${i}`;
    foreign.say({ kind: 'JoinGroup', connectionId: joined.id, group }, toGroup(group, i));
  }
  foreign.say(broadcast('end'));
  await joined.client.heard('end');
  expect(heardBy(joined)).toEqual([...Array.from({ length: 500 }, (_, i) => i), 'end']);
});

describe('a hub message that its app cuts in two, with a broadcast in between', () => {
  test.each([0, 1])('arrives whole, for a client on node %i with its link to node 0, 100 of 100', async (at) => {
    const hub = `cut${at}`;
    const app = await scripts.link({ at: 0, hub });
    const joined = await scripts.join(at, hub, [app]);
    for (let i = 0; i < 100; i++) {
      const whole = jsonNews(`whole ${i}`);
      const cut = 1 + (i % (whole.length - 1));
      const data = (payload: Uint8Array) => ({ kind: 'ConnectionData', connectionId: joined.id, payload }) as const;
      app.say(data(whole.subarray(0, cut)), broadcast(`between ${i}`), data(whole.subarray(cut)));
    }
    await joined.client.heard('whole 99');
    const expected = Array.from({ length: 100 }, (_, i) => [`between ${i}`, `whole ${i}`]).flat();
    expect(heardBy(joined)).toEqual(expected);
  });

  test('arrives whole in MessagePack as well, for the official client on another node', async () => {
    const hub = 'cutbinary';
    const app = await scripts.link({ at: 0, hub });
    const connecting = service.client(hub, { at: 1, protocol: 'messagepack' });
    const { connectionId } = await app.hears('OpenConnection');
    const data = (payload: Uint8Array) => ({ kind: 'ConnectionData', connectionId, payload }) as const;
    app.say(data(Buffer.from('{}\x1e')));
    const client = await connecting;
    const whole = messagePackInvocation({ target: 'news', rawArguments: encodeValue(['whole']) });
    const between = new Map([
      ['messagepack', messagePackInvocation({ target: 'news', rawArguments: encodeValue(['between']) })],
    ]);
    app.say(
      data(whole.subarray(0, 5)),
      { kind: 'BroadcastData', excludedConnectionIds: [], payloads: between },
      data(whole.subarray(5)),
    );
    await client.heard('whole');
    expect(client.inbox.items).toEqual(['between', 'whole']);
  });
});

describe('a piece between the node of a client and the node of its link is lost', () => {
  /** What a node sees when pieces before this one never came: the same envelope as of a node, with a later number. */
  async function publish(to: string, ...commands: StreamCommand[]): Promise<void> {
    const redis = new Redis(service.redis.url());
    const hub = commands[0]?.hub ?? '';
    const envelope = encodeEnvelope({
      node: 'lossyNode000',
      lane: hub,
      sequence: 1,
      previous: undefined,
      sentAt: Date.now(),
      echo: false,
      commands: commands.map(encodeCommand),
    });
    expect(await redis.publish(`signalbox@0:h:${hub}:n:${to}`, Buffer.from(envelope))).toBe(1);
    redis.disconnect();
  }

  async function setting(hub: string): Promise<{ app: ScriptedApp; joined: Awaited<ReturnType<Scripts['join']>> }> {
    const app = await scripts.link({ at: 0, hub });
    return { app, joined: await scripts.join(1, hub, [app]) };
  }

  test.each([
    ['down', 'streamDown', 1, 0],
    ['up', 'streamUp', 0, 1],
  ] as const)(
    'on the way %s: the client is closed and may come back, its app hears of stream_gap',
    async (way, kind, to, from) => {
      const hub = `gap${way}`;
      const { app, joined } = await setting(hub);
      const piece = { hub, connection: joined.id, stream: 1, node: service.node(from).node, number: 9 };
      await publish(service.node(to).node, { kind, ...piece, bytes: jsonNews('after the hole') });
      await within('the client is closed', joined.client.closed);
      expect(joined.client.inbox.items.at(-1)).toMatchObject({ type: 7, allowReconnect: true });
      expect(heardBy(joined)).toEqual([]);
      const closed = await app.hears('CloseConnection');
      expect(closed).toMatchObject({ connectionId: joined.id, errorMessage: 'Closed by the service: stream_gap.' });
      await app.settled();
      expect(app.of('CloseConnection')).toHaveLength(1);
      expect(app.of('ConnectionData').filter(({ payload }) => Buffer.from(payload).includes('after the hole'))).toEqual(
        [],
      );
      const closes = await service.node(1).metric('signalbox_connections_closed_total', { reason: 'stream_gap' });
      expect(closes).toBeGreaterThan(0);
    },
  );

  test('a late piece of a way that the client no longer has is passed over, and its present way goes on', async () => {
    const { app, joined } = await setting('older');
    const node = service.node(1).node;
    const piece = { hub: 'older', connection: joined.id, stream: 7, node: service.node(0).node, number: 1 };
    await publish(node, { kind: 'streamDown', ...piece, bytes: jsonNews('of an older way') });
    app.say(broadcast('fence'));
    await joined.client.heard('fence');
    expect(heardBy(joined)).toEqual(['fence']);
    app.say({ kind: 'ConnectionData', connectionId: joined.id, payload: jsonNews('of this way') });
    await joined.client.heard('of this way');
  });

  test('what told of a client that left is lost: its app hears of stream_gap at its next word to it', async () => {
    const hub = 'untold';
    const { app } = await setting(hub);
    const { node } = service.node(0);
    const left = { hub, connection: 'left unheard', stream: 1, node: service.node(1).node } as const;
    const news = { claims: [], headers: [], queryString: '', protocol: 'json', migratedFrom: undefined } as const;
    const request = Buffer.from('{}\x1e');
    // The app's link is one of the node's first; those of other hubs do not take the client.
    const links = Array.from({ length: 50 }, (_, i) => `${node}.${i}`);
    await publish(node, ...links.map((link) => ({ kind: 'streamOpen', ...left, ...news, link, request }) as const));
    const opened = await app.hears('OpenConnection', 2);
    expect(opened.connectionId).toBe(left.connection);
    app.say({ kind: 'ConnectionData', connectionId: left.connection, payload: jsonNews('are you there?') });
    const closed = await app.hears('CloseConnection');
    expect(closed).toMatchObject({
      connectionId: left.connection,
      errorMessage: 'Closed by the service: stream_gap.',
    });
  });
});

describe('a weak link on a hub without app servers', () => {
  const hub = 'weak';
  const serverless = (at: number): Promise<RawClient> => RawClient.connect(service.node(at).port, { hub });

  test('sends, joins, checks and closes over all nodes, carries nobody, and the hub stays serverless', async () => {
    const clients = [await serverless(1), await serverless(2)];
    const weak = await scripts.link({ at: 0, hub, server: 'manager', handshake: { connectionType: 2 } });
    weak.say(broadcast('to all'));
    await Promise.all(clients.map((client) => client.heard('to all')));
    const late = await RawClient.open(service.node(2).port, { hub, user: 'ann' });
    late.say({ protocol: 'json', version: 1 });
    await late.inbox.until('the gateway answers the handshake', (items) => items.length > 0);
    const status = async (ackId: number): Promise<number | undefined> => {
      await weak.until(() => weak.of('Ack').some((ack) => ack.ackId === ackId));
      return weak.of('Ack').find((ack) => ack.ackId === ackId)?.status;
    };
    weak.say({ kind: 'UserJoinGroupWithAck', userId: 'ann', group: 'g', ackId: 1 });
    expect(await status(1)).toBe(1);
    weak.say(toGroup('g', 'to the group'));
    await late.heard('to the group');
    weak.say({ kind: 'CheckUserExistenceWithAck', userId: 'ann', ackId: 2 });
    expect(await status(2)).toBe(1);
    weak.say({ kind: 'CheckConnectionExistenceWithAck', connectionId: 'nobody', ackId: 3 });
    expect(await status(3)).toBe(2);
    weak.say({
      kind: 'CloseUserConnectionsWithAck',
      userId: 'ann',
      reason: 'enough',
      excludedConnectionIds: [],
      ackId: 4,
    });
    expect(await status(4)).toBe(1);
    await within('the user is closed', late.closed);
    await serverless(0);
    expect(weak.of('OpenConnection')).toEqual([]);
    const first = clients[0];
    expect(first?.socket.readyState).toBe(first?.socket.OPEN);
  });

  test('becomes a hub of app servers with the first link that carries, and its serverless clients come back', async () => {
    const clients = await Promise.all([0, 1, 2].map(serverless));
    const app = await scripts.link({ at: 2, hub });
    for (const client of clients) {
      await within('the serverless client is closed', client.closed);
      expect(client.inbox.items.at(-1)).toMatchObject({ type: 7, allowReconnect: true });
    }
    const joined = await scripts.join(0, hub, [app]);
    await until('it is carried', () => app.of('OpenConnection').some(({ connectionId }) => connectionId === joined.id));
  });
});
