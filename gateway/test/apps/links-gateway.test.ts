import { readMemberPage, type ServiceMessageOf } from '@signalbox/app-sdk/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import { clientClaims, sign, testKey } from '../auth/sign.ts';
import { RawClient } from '../support/raw-client.ts';
import { within } from '../support/until.ts';
import { type AppOptions, ScriptedApp } from './scripted-app.ts';

const handshake = '{"protocol":"json","version":1}\x1e';
const answer = Buffer.from('{}\x1e');

let gateway: Gateway;
let apps: ScriptedApp[];
let clients: RawClient[];
beforeEach(async () => {
  apps = [];
  clients = [];
  const env = { PORT: '0', SIGNALBOX_ADMIN_PORT: '0', SIGNALBOX_ACCESS_KEY: testKey, SIGNALBOX_LOG_LEVEL: 'silent' };
  gateway = await startGateway(readConfig(env));
});
afterEach(async () => {
  for (const client of clients) client.leave();
  for (const app of apps) app.leave();
  await gateway.stop();
});

async function startApp(server = 'srvA', options: AppOptions = {}): Promise<ScriptedApp> {
  const app = await ScriptedApp.connect(gateway.port, { headers: { 'x-asrs-server-id': server }, ...options });
  apps.push(app);
  return app;
}

/** An app server's words for a client. */
function data(connectionId: string, payload: Uint8Array): ServiceMessageOf<'ConnectionData'> {
  return { kind: 'ConnectionData', connectionId, payload };
}

/** A hub message with one argument, as an app sends it. */
function saying(argument: unknown): Buffer {
  return Buffer.from(`${JSON.stringify({ type: 1, target: 'say', arguments: [argument] })}\x1e`);
}

function payloads(argument: unknown): ReadonlyMap<string, Uint8Array> {
  return new Map([['json', saying(argument)]]);
}

const said = (client: RawClient): unknown[] =>
  client.inbox.items.flatMap((message) => (Array.isArray(message['arguments']) ? message['arguments'] : []));

/** A client that sent its handshake request. */
async function arrive(claims: object = {}): Promise<RawClient> {
  const token = sign(clientClaims('chat', claims));
  const client = await RawClient.open(gateway.port, { hub: 'chat', token });
  clients.push(client);
  client.socket.send(handshake);
  return client;
}

/** A client whose handshake an app answered, and its id. */
async function join(app: ScriptedApp, claims: object = {}): Promise<{ client: RawClient; id: string }> {
  const count = app.of('OpenConnection').length + 1;
  const client = await arrive(claims);
  const { connectionId: id } = await app.hears('OpenConnection', count);
  app.say(data(id, answer));
  await client.inbox.until('the handshake response', (items) => items.length > 0);
  return { client, id };
}

describe('a client of a hub in an app server', () => {
  test('is announced once with its protocol, then its request follows unchanged, then all it sends', async () => {
    const app = await startApp();
    const { client, id } = await join(app);
    client.say({ type: 6 });
    await app.hears('ConnectionData', 2);
    expect(app.of('OpenConnection')).toMatchObject([{ connectionId: id, extensions: { protocol: 'json' } }]);
    expect(app.of('ConnectionData').map(({ payload }) => Buffer.from(payload).toString())).toEqual([
      handshake,
      '{"type":6}\x1e',
    ]);
  });

  test('brings both of its roles, and its user by the name that .NET knows', async () => {
    const app = await startApp();
    await join(app, { role: ['admin', 'author'], nameid: 'u1' });
    const [{ claims } = { claims: [] }] = app.of('OpenConnection');
    const uri = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';
    expect(claims.filter(([name]) => name === uri)).toEqual([
      [uri, 'admin'],
      [uri, 'author'],
    ]);
    expect(claims.find(([, value]) => value === 'u1')?.[0]).toMatch(/nameidentifier$/);
  });

  test('gets what its app sends in one order, by whatever kind of message', async () => {
    const app = await startApp();
    const { client, id } = await join(app);
    const expected = Array.from({ length: 100 }, (_, i) => i);
    for (const i of expected) {
      if (i % 3 === 0) app.say(data(id, saying(i)));
      else if (i % 3 === 1) app.say({ kind: 'MultiConnectionData', connectionIds: [id], payloads: payloads(i) });
      else app.say({ kind: 'BroadcastData', excludedConnectionIds: [], payloads: payloads(i) });
    }
    await client.heard(99);
    expect(said(client)).toEqual(expected);
  });

  test('that leaves is told to its app once, without an error', async () => {
    const app = await startApp();
    const { client, id } = await join(app);
    client.socket.close();
    expect(await app.hears('CloseConnection')).toMatchObject({ connectionId: id, errorMessage: '' });
    await app.settled();
    expect(app.of('CloseConnection')).toHaveLength(1);
  });

  test('that its app ends gets the last words, and the app hears nothing of it', async () => {
    const app = await startApp();
    const { client, id } = await join(app);
    app.say(data(id, saying('bye')), { kind: 'CloseConnection', connectionId: id, errorMessage: '', headers: [] });
    await client.closed;
    expect(said(client)).toEqual(['bye']);
    await app.settled();
    expect(app.of('CloseConnection')).toEqual([]);
  });

  test('that a weak link closes is closed, and its own app server is told', async () => {
    const app = await startApp();
    const weak = await startApp('srvW', { handshake: { connectionType: 2 } });
    const { client, id } = await join(app);
    weak.say({ kind: 'CloseConnection', connectionId: id, errorMessage: 'why', headers: [] });
    expect(await app.hears('CloseConnection')).toMatchObject({ connectionId: id });
    await client.closed;
    weak.say({ kind: 'CheckConnectionExistenceWithAck', connectionId: id, ackId: 1 });
    expect(await weak.hears('Ack')).toMatchObject({ status: 2 });
    expect(weak.of('OpenConnection')).toEqual([]);
  });

  test('is in its group once the join was acknowledged, each of 300 times', async () => {
    const app = await startApp();
    const { client, id } = await join(app);
    for (let i = 1; i <= 300; i++) {
      const group = `g${i}`;
      app.say({ kind: 'JoinGroupWithAck', connectionId: id, group, ackId: i });
      expect(await app.hears('Ack', i)).toMatchObject({ ackId: i, status: 1 });
      const send = { group, excludedConnectionIds: [], excludedUserIds: [], payloads: payloads(i) };
      app.say({ kind: 'GroupBroadcastData', ...send });
    }
    await client.heard(300);
    expect(said(client)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  });

  test('ends with its link, and the clients of other links do not', async () => {
    const [one, two] = [await startApp('srvA'), await startApp('srvB')];
    const joined = new Map<ScriptedApp, RawClient>();
    for (let i = 0; i < 2; i++) {
      const client = await arrive();
      const isNew = (app: ScriptedApp): boolean => !joined.has(app) && app.of('OpenConnection').length > 0;
      await Promise.race([one.until(() => isNew(one)), two.until(() => isNew(two))]);
      const app = isNew(one) ? one : two;
      app.say(data(app.of('OpenConnection')[0]!.connectionId, answer));
      await client.inbox.until('the handshake response', (items) => items.length > 0);
      joined.set(app, client);
    }
    one.leave();
    await within('the client ends, long before a link could be silent for too long', joined.get(one)!.closed);
    two.say({ kind: 'BroadcastData', excludedConnectionIds: [], payloads: payloads('still here') });
    await joined.get(two)!.heard('still here');
  });
});

test('a client that finds nobody when its app server leaves with fin:1 moves to the next one that comes', async () => {
  const from = await startApp('srvA', { handshake: { migrationLevel: 1 } });
  const { client, id } = await join(from);
  from.say({ kind: 'Ping', pairs: [['shutdown', 'fin:1']] });
  await from.hearsPing('shutdown');
  from.say(data(id, saying('still here')));
  await client.inbox.until('its app server carries it on', () => said(client).includes('still here'));
  const to = await startApp('srvB');
  const opened = await to.hears('OpenConnection');
  expect(opened).toMatchObject({ connectionId: id });
  expect(opened.headers).toContainEqual(['Asrs-Migrate-From', ['srvA']]);
  expect((await from.hears('CloseConnection')).headers).toEqual([['Asrs-Migrate-To', ['srvB']]]);
});

test('a client of an app server that leaves with fin:1 moves to another, and notices nothing', async () => {
  const from = await startApp('srvA', { handshake: { migrationLevel: 1 } });
  const { client, id } = await join(from);
  const to = await startApp('srvB');
  from.say({ kind: 'Ping', pairs: [['shutdown', 'fin:1']] });
  await from.hearsPing('shutdown');
  const headers = [['Asrs-Migrate-To', ['srvB']]];
  expect(await from.hears('CloseConnection')).toMatchObject({ connectionId: id, errorMessage: '', headers });
  const opened = await to.hears('OpenConnection');
  expect(opened).toMatchObject({ connectionId: id, extensions: { protocol: 'json' } });
  expect(opened.headers).toContainEqual(['Asrs-Migrate-From', ['srvA']]);
  expect(Buffer.from((await to.hears('ConnectionData')).payload).toString()).toBe(handshake);
  from.leave();
  to.say({ kind: 'BroadcastData', excludedConnectionIds: [], payloads: payloads('later') });
  await client.heard('later');
  client.say({ type: 6 });
  await to.hears('ConnectionData', 2);
  expect(said(client)).toEqual(['later']);
});

describe('a client that is called for a result', () => {
  const call = (id: string, caller: string, more: object = {}): ServiceMessageOf<'ClientInvocation'> => ({
    kind: 'ClientInvocation',
    invocationId: 'i1',
    connectionId: id,
    callerServerId: caller,
    payloads: new Map([['json', Buffer.from('{"type":1,"invocationId":"i1","target":"ask","arguments":[]}\x1e')]]),
    ...more,
  });
  const isCalled = (client: RawClient): Promise<void> =>
    client.inbox.one('the call', (message) => message['invocationId'] === 'i1');

  test('by its own app server answers there, and the gateway forwards nothing', async () => {
    const app = await startApp();
    const { client, id } = await join(app);
    app.say(call(id, 'srvA'));
    await isCalled(client);
    client.say({ type: 3, invocationId: 'i1', result: 42 });
    await app.hears('ConnectionData', 2);
    const done = { invocationId: 'i1', connectionId: id, callerServerId: 'srvA', protocol: 'json' };
    app.say({ kind: 'ClientCompletion', ...done, payload: new Uint8Array(0) });
    await app.settled();
    expect(app.of('ClientCompletion')).toEqual([]);
    expect(app.of('ErrorCompletion')).toEqual([]);
  });

  test('by another app server: the one that carries it knows first, and the caller gets the result', async () => {
    const router = await startApp('srvA');
    const { client, id } = await join(router);
    const caller = await startApp('srvB');
    caller.say(call(id, 'srvB'));
    await isCalled(client);
    expect(await router.hears('ClientInvocation')).toMatchObject({ invocationId: 'i1', connectionId: id });
    const payload = Buffer.from('{"type":3,"invocationId":"i1","result":42}\x1e');
    const done = { invocationId: 'i1', connectionId: id, callerServerId: 'srvA', protocol: 'json' };
    router.say({ kind: 'ClientCompletion', ...done, payload });
    const result = await caller.hears('ClientCompletion');
    expect(result).toMatchObject({ ...done, callerServerId: 'srvB' });
    expect(Buffer.from(result.payload).equals(payload)).toBe(true);
  });

  test('and does not exist, has no payload, or leaves, is an error for the caller', async () => {
    const app = await startApp();
    const { client, id } = await join(app);
    app.say(call('nobody', 'srvA'));
    expect(await app.hears('ErrorCompletion')).toMatchObject({ invocationId: 'i1', callerServerId: 'srvA' });
    app.say(call(id, 'srvA', { payloads: new Map([['messagepack', answer]]) }));
    await app.hears('ErrorCompletion', 2);
    app.say(call(id, 'srvA'));
    await isCalled(client);
    client.leave();
    expect(await app.hears('ErrorCompletion', 3)).toMatchObject({ connectionId: id, invocationId: 'i1' });
  });
});

test('members of a group come in pages, and the last page says so', async () => {
  const app = await startApp();
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push((await join(app, { nameid: `u${i}` })).id);
  for (const [i, id] of ids.entries()) app.say({ kind: 'JoinGroupWithAck', connectionId: id, group: 'g', ackId: i });
  await app.hears('Ack', 5);
  const pages: string[][] = [];
  let continuationToken: string | undefined;
  do {
    const ask = { kind: 'GroupMemberQuery', group: 'g', ackId: 100, maxPageSize: 2, continuationToken } as const;
    app.say(ask);
    const { payload } = await app.hears('Ack', 6 + pages.length);
    const page = readMemberPage(payload ?? new Uint8Array(0));
    pages.push(page.members.map(({ connectionId }) => connectionId));
    continuationToken = page.continuationToken;
  } while (continuationToken !== undefined);
  expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
  expect(pages.flat()).toEqual([...ids].sort());
});
