import { type HubContext, SignalboxClient } from '@signalbox/app-sdk';
import { jwtVerify } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Chat } from './support/chat.ts';
import { refusal, requestLine } from './support/rest-server.ts';
import { restSetup } from './support/rest-setup.ts';

const rest = restSetup();
let hub: SignalboxClient<Chat>;

beforeEach(() => {
  hub = rest.client<Chat>();
});

const v = 'api-version=2022-06-01';
const ok = (): number => 200;

describe('each operation is one request', () => {
  type Run = (hub: HubContext<Chat>) => Promise<unknown>;
  test.each<[string, Run, string]>([
    ['send to a user', (h) => h.send('a/b', 'cleared'), `POST /api/hubs/chat/users/a%2Fb/:send?${v}`],
    ['send to all', (h) => h.clients.all.cleared(), `POST /api/hubs/chat/:send?${v}`],
    [
      'send to all but two',
      (h) => h.clients.allExcept(['c', 'd']).cleared(),
      `POST /api/hubs/chat/:send?excluded=c&excluded=d&${v}`,
    ],
    [
      'send to a group but one',
      (h) => h.clients.groupExcept('g +ü', 'c').cleared(),
      `POST /api/hubs/chat/groups/g%20%2B%C3%BC/:send?excluded=c&${v}`,
    ],
    ['send to a connection', (h) => h.clients.client('c').cleared(), `POST /api/hubs/chat/connections/c/:send?${v}`],
    ['connection exists', (h) => h.connections.exists({ connection: 'c' }), `HEAD /api/hubs/chat/connections/c?${v}`],
    ['user exists', (h) => h.connections.exists({ user: 'u' }), `HEAD /api/hubs/chat/users/u?${v}`],
    ['group exists', (h) => h.connections.exists({ group: 'g' }), `HEAD /api/hubs/chat/groups/g?${v}`],
    [
      'close a connection',
      (h) => h.connections.close({ connection: 'c' }, { reason: 'so long' }),
      `DELETE /api/hubs/chat/connections/c?reason=so%20long&${v}`,
    ],
    [
      'close all but one',
      (h) => h.connections.close({ all: true, except: 'c' }),
      `POST /api/hubs/chat/:closeConnections?excluded=c&${v}`,
    ],
    [
      'close a group',
      (h) => h.connections.close({ group: 'g' }),
      `POST /api/hubs/chat/groups/g/:closeConnections?${v}`,
    ],
    ['close a user', (h) => h.connections.close({ user: 'u' }), `POST /api/hubs/chat/users/u/:closeConnections?${v}`],
    ['add to a group', (h) => h.groups.addToGroup('c', 'g'), `PUT /api/hubs/chat/groups/g/connections/c?${v}`],
    [
      'remove from a group',
      (h) => h.groups.removeFromGroup('c', 'g'),
      `DELETE /api/hubs/chat/groups/g/connections/c?${v}`,
    ],
    [
      'remove from all groups',
      (h) => h.groups.removeFromAllGroups('c'),
      `DELETE /api/hubs/chat/connections/c/groups?${v}`,
    ],
    ['add a user', (h) => h.userGroups.addToGroup('u', 'g'), `PUT /api/hubs/chat/users/u/groups/g?${v}`],
    [
      'add a user for now',
      (h) => h.userGroups.addToGroup('u', 'g', { ttlSeconds: 0 }),
      `PUT /api/hubs/chat/users/u/groups/g?ttl=0&${v}`,
    ],
    ['remove a user', (h) => h.userGroups.removeFromGroup('u', 'g'), `DELETE /api/hubs/chat/users/u/groups/g?${v}`],
    [
      'remove a user from all',
      (h) => h.userGroups.removeFromAllGroups('u'),
      `DELETE /api/hubs/chat/users/u/groups?${v}`,
    ],
    ['user in group', (h) => h.userGroups.isInGroup('u', 'g'), `GET /api/hubs/chat/users/u/groups/g?${v}`],
    ['healthy', () => hub.healthy(), `HEAD /api/health?${v}`],
  ])('%s', async (_name, run, request) => {
    rest.server.answer = ok;
    await run(hub);
    expect(rest.server.seen.map(requestLine)).toEqual([request]);
  });

  test('whose token names the path, without host port and query, and is signed with the access key', async () => {
    await hub.send({ group: 'a b', except: 'c' }, 'cleared');
    const [seen] = rest.server.seen;
    expect(seen?.claims.aud).toBe('http://localhost/api/hubs/chat/groups/a%20b/:send');
    const token = String(seen?.headers.authorization).replace('Bearer ', '');
    const { payload } = await jwtVerify(token, new TextEncoder().encode('secret'));
    expect(Number(payload.exp) - Number(payload.nbf)).toBe(3600);
  });

  test('below the path of the rest.server endpoint, which the audience does not have', async () => {
    const behind = `Endpoint=https://public;ServerEndpoint=http://127.0.0.1:${rest.server.port}/asrs/;AccessKey=secret`;
    await using other = new SignalboxClient(behind, { hub: 'chat' });
    await other.send('u', 'x');
    expect(rest.server.seen[0]?.path).toBe('/asrs/api/hubs/chat/users/u/:send');
    expect(rest.server.seen[0]?.claims.aud).toBe('https://public/api/hubs/chat/users/u/:send');
  });

  test('with the application in the query, and in the name', async () => {
    await using app = new SignalboxClient(rest.server.connectionString(), { hub: 'Chat', application: 'App' });
    await app.send({ all: true }, 'x');
    expect(rest.server.seen.map(requestLine)).toEqual([`POST /api/hubs/chat/:send?application=app&${v}`]);
    expect([app.name, hub.name]).toEqual(['app_chat', 'chat']);
  });
});

describe('a question', () => {
  test.each<[string, (h: HubContext<Chat>) => Promise<boolean>, string]>([
    ['connection exists', (h) => h.connections.exists({ connection: 'x' }), 'Warning.Connection.NotExisted'],
    ['user exists', (h) => h.connections.exists({ user: 'x' }), 'warning.user.notexisted'],
    ['group exists', (h) => h.connections.exists({ group: 'x' }), 'Warning.Group.NotExisted'],
    ['user in group', (h) => h.userGroups.isInGroup('x', 'g'), 'Info.User.NotInGroup'],
  ])('"%s" is false for a 404 with its code, and an error for any other', async (_name, ask, code) => {
    rest.server.answer = () => ({ status: 404, headers: { 'x-ms-error-code': code } });
    expect(await ask(hub)).toBe(false);
    rest.server.answer = () => 404;
    await expect(ask(hub)).rejects.toMatchObject({ name: 'RestError', code: 'ERR_INVALID_REQUEST', status: 404 });
    rest.server.answer = ok;
    expect(await ask(hub)).toBe(true);
  });

  test('about health is false while the service is down, and rejects when it refuses the question', async () => {
    rest.server.answer = ok;
    expect(await hub.healthy()).toBe(true);
    rest.server.answer = () => 503;
    expect(await hub.healthy()).toBe(false);
    rest.server.answer = () => 401;
    await expect(hub.healthy()).rejects.toMatchObject({ code: 'ERR_UNAUTHORIZED' });
  });
});

describe('an unknown connection', () => {
  test.each<[string, (h: HubContext<Chat>) => Promise<void>, string]>([
    ['added', (h) => h.groups.addToGroup('x', 'g'), 'Error.Connection.NotExisted'],
    ['removed', (h) => h.groups.removeFromGroup('x', 'g'), 'Warning.Connection.NotExisted'],
    ['removed from all', (h) => h.groups.removeFromAllGroups('x'), 'Error.Connection.NotExisted'],
    ['closed', (h) => h.connections.close({ connection: 'x' }), 'Warning.Connection.NotExisted'],
  ])('%s is no error', async (_name, run, code) => {
    rest.server.answer = () => refusal(404, code);
    await expect(run(hub)).resolves.toBeUndefined();
  });
});

describe('the programmer', () => {
  test.each<[string, (h: HubContext<Chat>) => Promise<unknown>]>([
    ['a bad address', (h) => h.send({} as 'u', 'cleared')],
    ['no target', (h) => h.send('u', '' as 'cleared')],
    ['arguments that are no array', (h) => h.send('u', { target: 'say', arguments: 'a' } as never)],
    ['a bad group', (h) => h.groups.addToGroup('c', '')],
    ['a bad time to live', (h) => h.userGroups.addToGroup('u', 'g', { ttlSeconds: -1 })],
    ['a bad place', (h) => h.connections.exists({ all: true } as never)],
    ['a bad timeout', (h) => h.send('u', { target: 'cleared' }, { timeoutMs: 0 })],
  ])('who gives %s gets a TypeError, and no request is made', async (_name, run) => {
    await expect(run(hub)).rejects.toThrow(TypeError);
    expect(rest.server.seen).toEqual([]);
  });

  test.each([
    [{ hub: '1' }, '"hub" must be'],
    [{ hub: 'a', retries: -1 }, '"retries" must be a whole number from 0 to 1000, got -1'],
    [{ hub: 'a', connections: 0 }, '"connections" must be a whole number from 1 to 1000, got 0'],
    [{ hub: 'a', timeoutMs: Number.NaN }, '"timeoutMs" must be more than 0'],
  ])('who constructs with %j gets a TypeError', (options, sentence) => {
    expect(() => new SignalboxClient(rest.server.connectionString(), options)).toThrow(TypeError);
    expect(() => new SignalboxClient(rest.server.connectionString(), options)).toThrow(sentence);
  });

  test('who gives no connection string is told the variable', () => {
    expect(() => new SignalboxClient(undefined, { hub: 'a' })).toThrow('is SIGNALBOX_CONNECTION_STRING set?');
  });
});
