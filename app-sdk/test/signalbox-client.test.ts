import { ClientResultError, type HubContext, type Observer, SignalboxClient } from '@signalbox/app-sdk';
import { jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { gate } from './support/gate.ts';
import { RestServer, refusal, type Seen } from './support/rest-server.ts';

interface Chat {
  server: object;
  client: {
    say(user: string, text: string): void;
    cleared(): void;
    blob(value: unknown): void;
    ask(question: string): string;
  };
}

let server: RestServer;
let hub: SignalboxClient<Chat>;
const quiet = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };

beforeEach(async () => {
  server = await new RestServer().start();
  hub = new SignalboxClient<Chat>(server.connectionString(), { hub: 'Chat', logger: quiet });
});

afterEach(async () => {
  await hub.close();
  await server.stop();
});

const line = ({ method, path, query }: Seen): string => `${method} ${path}${query === '' ? '' : `?${query}`}`;
const v = 'api-version=2022-06-01';
const later = 'api-version=2024-12-01';
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
    server.answer = ok;
    await run(hub);
    expect(server.seen.map(line)).toEqual([request]);
  });

  test('whose token names the path, without host port and query, and is signed with the access key', async () => {
    await hub.send({ group: 'a b', except: 'c' }, 'cleared');
    const [seen] = server.seen;
    expect(seen?.claims.aud).toBe('http://localhost/api/hubs/chat/groups/a%20b/:send');
    const token = String(seen?.headers.authorization).replace('Bearer ', '');
    const { payload } = await jwtVerify(token, new TextEncoder().encode('secret'));
    expect(Number(payload.exp) - Number(payload.nbf)).toBe(3600);
  });

  test('below the path of the server endpoint, which the audience does not have', async () => {
    const behind = `Endpoint=https://public;ServerEndpoint=http://127.0.0.1:${server.port}/asrs/;AccessKey=secret`;
    await using other = new SignalboxClient(behind, { hub: 'chat' });
    await other.send('u', 'x');
    expect(server.seen[0]?.path).toBe('/asrs/api/hubs/chat/users/u/:send');
    expect(server.seen[0]?.claims.aud).toBe('https://public/api/hubs/chat/users/u/:send');
  });

  test('with the application in the query, and in the name', async () => {
    await using app = new SignalboxClient(server.connectionString(), { hub: 'Chat', application: 'App' });
    await app.send({ all: true }, 'x');
    expect(server.seen.map(line)).toEqual([`POST /api/hubs/chat/:send?application=app&${v}`]);
    expect([app.name, hub.name]).toEqual(['app_chat', 'chat']);
  });
});

describe('the body of a send', () => {
  const body = (): unknown => JSON.parse(server.seen[0]?.body ?? '');

  test.each<[string, (h: HubContext<Chat>) => Promise<void>]>([
    ['with the target and its arguments', (h) => h.send('u', 'say', 'a', 'b')],
    ['as data', (h) => h.send('u', { target: 'say', arguments: ['a', 'b'] })],
    ['as a method', (h) => h.clients.user('u').say('a', 'b')],
    ['by name', (h) => h.clients.user('u').send('say', 'a', 'b')],
  ])('is JSON, given %s', async (_name, run) => {
    await run(hub);
    expect(body()).toEqual({ target: 'say', arguments: ['a', 'b'] });
    expect(server.seen[0]?.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  test('has no arguments where none are given', async () => {
    await hub.send('u', { target: 'cleared' });
    expect(body()).toEqual({ target: 'cleared', arguments: [] });
  });

  test('has null for undefined and base64 for bytes', async () => {
    const value = [undefined, Buffer.from('hi'), new Uint8Array([1, 2]), { at: Uint8Array.of(255) }];
    await hub.send('u', 'blob', value);
    expect(body()).toEqual({ target: 'blob', arguments: [[null, 'aGk=', 'AQI=', { at: '/w==' }]] });
  });

  test('cannot hold a bigint: ERR_ENCODE, and nothing is sent', async () => {
    await expect(hub.send('u', 'blob', 1n)).rejects.toMatchObject({ code: 'ERR_ENCODE', outcome: 'notSent' });
    expect(server.seen).toEqual([]);
  });
});

describe('a list', () => {
  test('is one request for each member, and none for an empty list', async () => {
    await hub.clients.users([]).cleared();
    await hub.clients.groups(['a', 'b']).cleared();
    expect(server.seen.map(({ path }) => path).sort()).toEqual([
      '/api/hubs/chat/groups/a/:send',
      '/api/hubs/chat/groups/b/:send',
    ]);
  });

  test('of which some were accepted rejects with an unknown outcome', async () => {
    server.answer = ({ path }) => (path.includes('/b/') ? 413 : 202);
    const sending = hub.send({ users: ['a', 'b', 'c'] }, 'cleared');
    await expect(sending).rejects.toMatchObject({
      code: 'ERR_TOO_LARGE',
      outcome: 'unknown',
      message: '1 of 3 requests failed; sendToUser: the service answered 413',
    });
  });

  test('of which none was accepted rejects with notSent', async () => {
    server.answer = () => 413;
    await expect(hub.send({ users: ['a', 'b'] }, 'cleared')).rejects.toMatchObject({ outcome: 'notSent' });
  });
});

describe('a question', () => {
  test.each<[string, (h: HubContext<Chat>) => Promise<boolean>, string]>([
    ['connection exists', (h) => h.connections.exists({ connection: 'x' }), 'Warning.Connection.NotExisted'],
    ['user exists', (h) => h.connections.exists({ user: 'x' }), 'warning.user.notexisted'],
    ['group exists', (h) => h.connections.exists({ group: 'x' }), 'Warning.Group.NotExisted'],
    ['user in group', (h) => h.userGroups.isInGroup('x', 'g'), 'Info.User.NotInGroup'],
  ])('"%s" is false for a 404 with its code, and an error for any other', async (_name, ask, code) => {
    server.answer = () => ({ status: 404, headers: { 'x-ms-error-code': code } });
    expect(await ask(hub)).toBe(false);
    server.answer = () => 404;
    await expect(ask(hub)).rejects.toMatchObject({ name: 'RestError', code: 'ERR_INVALID_REQUEST', status: 404 });
    server.answer = ok;
    expect(await ask(hub)).toBe(true);
  });

  test('about health is false while the service is down, and rejects when it refuses the question', async () => {
    server.answer = ok;
    expect(await hub.healthy()).toBe(true);
    server.answer = () => 503;
    expect(await hub.healthy()).toBe(false);
    server.answer = () => 401;
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
    server.answer = () => refusal(404, code);
    await expect(run(hub)).resolves.toBeUndefined();
  });
});

describe('invoke', () => {
  const ask = (): Promise<string> => hub.clients.client('c 1').invoke('ask', 'name?');

  test('gives the result of the client', async () => {
    server.answer = () => ({ status: 200, body: '{"result":"Bob"}' });
    expect(await ask()).toBe('Bob');
    expect(server.seen.map(line)).toEqual([`POST /api/hubs/chat/connections/c%201/:invoke?${later}`]);
    expect(server.seen[0]?.claims.aud).toBe('http://localhost/api/hubs/chat/connections/c%201/:invoke');
    expect(server.seen[0]?.body).toBe('{"target":"ask","arguments":["name?"]}');
  });

  test.each([
    [refusal(404, 'Warning.Connection.NotExisted'), 'ERR_CLIENT_GONE', 'notSent', true],
    [refusal(400, 'Error.Connection.Failed', 'no name'), 'ERR_CLIENT_FAILED', 'unknown', true],
    [refusal(504, 'Error.Request.Timeout'), 'ERR_TIMEOUT', 'unknown', true],
    [refusal(400, 'Error.Request.Invalid'), 'ERR_INVALID_REQUEST', 'notSent', false],
    [404, 'ERR_NOT_SUPPORTED', 'notSent', false],
    [501, 'ERR_NOT_SUPPORTED', 'notSent', false],
    [{ status: 200, body: 'x' }, 'ERR_UNAVAILABLE', 'unknown', false],
  ] as const)('answered with %j rejects with %s', async (answer, code, outcome, byClient) => {
    server.answer = () => answer;
    const error = await ask().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, outcome });
    expect(error instanceof ClientResultError).toBe(byClient);
    if (byClient) expect(error).toMatchObject({ connectionId: 'c 1' });
    expect(server.seen).toHaveLength(1);
  });

  test('tells what the client said', async () => {
    server.answer = () => refusal(400, 'Error.Connection.Failed', 'no name');
    await expect(ask()).rejects.toThrow('no name');
  });
});

describe('the members of a group', () => {
  const list = async (options?: { pageSize?: number; signal?: AbortSignal }) => {
    const found: unknown[] = [];
    for await (const member of hub.connections.list({ group: 'g' }, options)) found.push(member);
    return found;
  };
  const page = (value: unknown[], nextLink?: string) => ({ status: 200, body: JSON.stringify({ value, nextLink }) });

  test('are read page after page, from our server whatever host the next link names', async () => {
    server.answer = (_seen, index) =>
      index === 0
        ? page([{ connectionId: 'a', userId: 'u' }, { connectionId: 'b' }], 'https://public/x?continuationToken=t&p=2')
        : page([{ connectionId: 'c', userId: null }]);
    expect(await list({ pageSize: 2 })).toEqual([
      { connectionId: 'a', userId: 'u' },
      { connectionId: 'b' },
      { connectionId: 'c' },
    ]);
    expect(server.seen.map(line)).toEqual([
      `GET /api/hubs/chat/groups/g/connections?maxpagesize=2&${later}`,
      'GET /api/hubs/chat/groups/g/connections?continuationToken=t&p=2',
    ]);
  });

  test('are asked for only as far as they are read', async () => {
    server.answer = () => page([{ connectionId: 'a' }], '/x?continuationToken=t');
    for await (const member of hub.connections.list({ group: 'g' })) {
      expect(member.connectionId).toBe('a');
      break;
    }
    expect(server.seen).toHaveLength(1);
  });

  test('of an unknown group are none', async () => {
    server.answer = () => refusal(404, 'Warning.Group.NotExisted');
    expect(await list()).toEqual([]);
  });

  test.each(['x', '{}', '{"value":[{}]}', '{"value":[],"nextLink":"/x"}', 'null'])(
    'in a page that reads %s are refused',
    async (body) => {
      server.answer = () => ({ status: 200, body });
      await expect(list()).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    },
  );

  test('do not go round in a circle', async () => {
    server.answer = () => page([], '/x?continuationToken=same');
    await expect(list()).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    expect(server.seen).toHaveLength(2);
  });

  test('can be given up', async () => {
    await expect(list({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  test.each([0, 201, 1.5])('come in pages of 1 to 200, not %d', (pageSize) => {
    expect(() => hub.connections.list({ group: 'g' }, { pageSize })).toThrow(
      `"pageSize" must be a whole number from 1 to 200, got ${pageSize}`,
    );
  });
});

describe('what only Signalbox offers', () => {
  test('is refused by services that do not', async () => {
    await expect(hub.connections.count({ all: true })).rejects.toMatchObject({
      code: 'ERR_NOT_SUPPORTED',
      message: 'connections.count is not offered by this service',
    });
    for (const where of [{ all: true }, { user: 'u' }, { connection: 'c' }] as const) {
      const first = hub.connections.list(where)[Symbol.asyncIterator]().next();
      await expect(first).rejects.toMatchObject({ code: 'ERR_NOT_SUPPORTED' });
    }
    expect(server.seen).toEqual([]);
  });
});

describe('sendBatch', () => {
  const items = (count: number) =>
    Array.from({ length: count }, (_, n) => ({
      to: `user${n}`,
      target: 'say' as const,
      arguments: ['s', String(n)] as const,
    }));

  test('sends 16 requests at a time, and all of them', async () => {
    const { opened, open } = gate();
    server.answer = () => opened.then(() => 202);
    const sending = hub.sendBatch(items(40));
    await server.arrived(16);
    open();
    expect(await sending).toEqual({ sent: 40, failed: [] });
    expect(server.mostOpen).toBe(16);
    expect(new Set(server.seen.map(({ path }) => path)).size).toBe(40);
  });

  test('does not reject for single items, and tells which failed', async () => {
    server.answer = ({ path }) => (path.includes('/user2/') ? 413 : 202);
    const batch = [...items(4), { to: {} as 'a', target: 'cleared' as const }];
    const { sent, failed } = await hub.sendBatch(batch);
    expect(sent).toBe(3);
    expect(failed.map(({ index, error }) => [index, error.code])).toEqual([
      [2, 'ERR_TOO_LARGE'],
      [4, 'ERR_INVALID_REQUEST'],
    ]);
  });

  test('keeps the order of items for one address', async () => {
    const batch = Array.from({ length: 30 }, (_, n) => ({ to: 'u', target: 'blob' as const, arguments: [n] as const }));
    await hub.sendBatch(batch);
    expect(server.seen.map(({ body }) => JSON.parse(body).arguments[0])).toEqual(batch.map((_, n) => n));
  });

  test('that is given up fails the items that are left', async () => {
    const abort = new AbortController();
    server.answer = () => 'hang';
    const sending = hub.sendBatch(items(20), { signal: abort.signal });
    await server.arrived(16);
    abort.abort();
    const { sent, failed } = await sending;
    expect([sent, failed.length]).toEqual([0, 20]);
    expect(failed.map(({ error }) => error.outcome)).toEqual([
      ...Array.from({ length: 16 }, () => 'unknown'),
      ...Array.from({ length: 4 }, () => 'notSent'),
    ]);
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
    expect(server.seen).toEqual([]);
  });

  test.each([
    [{ hub: '1' }, '"hub" must be'],
    [{ hub: 'a', retries: -1 }, '"retries" must be a whole number from 0 to 1000, got -1'],
    [{ hub: 'a', connections: 0 }, '"connections" must be a whole number from 1 to 1000, got 0'],
    [{ hub: 'a', timeoutMs: Number.NaN }, '"timeoutMs" must be more than 0'],
  ])('who constructs with %j gets a TypeError', (options, sentence) => {
    expect(() => new SignalboxClient(server.connectionString(), options)).toThrow(TypeError);
    expect(() => new SignalboxClient(server.connectionString(), options)).toThrow(sentence);
  });

  test('who gives no connection string is told the variable', () => {
    expect(() => new SignalboxClient(undefined, { hub: 'a' })).toThrow('is SIGNALBOX_CONNECTION_STRING set?');
  });
});

describe('an observer', () => {
  test('sees requests, sends and failures, with few different names', async () => {
    const facts: unknown[] = [];
    const observe: Observer = {
      sent: (event) => facts.push(['sent', event]),
      failed: (event) => facts.push(['failed', event]),
      request: ({ operation, status, attempt }) => facts.push(['request', operation, status, attempt]),
    };
    await using watched = new SignalboxClient<Chat>(server.connectionString(), { hub: 'chat', observe, logger: quiet });
    await watched.send('u', 'cleared');
    server.answer = () => 413;
    await watched.send({ group: 'g' }, 'cleared').catch(() => undefined);
    expect(facts).toEqual([
      ['request', 'sendToUser', 202, 1],
      ['sent', { hub: 'chat', to: 'user', via: 'rest', bytes: 35 }],
      ['request', 'sendToGroup', 413, 1],
      ['failed', { hub: 'chat', to: 'group', code: 'ERR_TOO_LARGE' }],
    ]);
  });

  test('that throws disturbs nobody', async () => {
    const errors: string[] = [];
    const observe: Observer = {
      sent() {
        throw new Error('broken');
      },
    };
    const logger = { ...quiet, error: (_facts: object, text: string) => errors.push(text) };
    await using watched = new SignalboxClient<Chat>(server.connectionString(), { hub: 'chat', observe, logger });
    await watched.send('u', 'cleared');
    expect(errors).toEqual(['observer failed']);
  });
});
