import {
  type DisconnectReason,
  defineHub,
  HubException,
  type HubFilter,
  type Stream,
  WebhookApp,
} from '@signalbox/app-sdk';
import { disconnectedBody } from '@signalbox/app-sdk/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RestServer, refusal } from '../support/rest-server.ts';
import { frameworks, Poster, type Served } from './start-webhooks.ts';

interface Chat {
  server: {
    echo(value: unknown): unknown;
    quiet(): void;
    full(): void;
    boom(): void;
    tell(text: string): number;
    forget(): string;
    ask(): string;
    who(): unknown;
    join(group: string): void;
    leave(): void;
    counter(): Stream<number>;
    longest(text: string): number;
  };
  client: { news(text: string): void; askName(): string };
}

const seen: string[] = [];
const reasons: DisconnectReason[] = [];

const chat = defineHub<Chat>({
  name: 'Chat',
  authorize: { who: (hub) => hub.context.userId !== 'mallory' },
  validate: {
    longest: {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) =>
          String(value).length <= 3 ? { value: value as [string] } : { issues: [{ message: 'too long' }] },
      },
    },
  },
  methods: {
    echo: (_hub, value) => value,
    quiet: () => undefined,
    full: () => {
      throw new HubException('Room is full');
    },
    boom: () => {
      throw new Error('secret detail');
    },
    async tell(hub, text) {
      await hub.clients.others.news(text);
      return 7;
    },
    forget(hub) {
      void hub.clients.all.news('not awaited');
      return 'done';
    },
    ask: (hub) => hub.clients.caller.invoke('askName'),
    who: ({ context, headers }) => ({
      id: context.connectionId,
      user: context.userId,
      roles: context.claims.all('role'),
      room: context.query.get('room'),
      protocol: context.protocol,
      address: context.remoteAddress,
      trace: headers.get('trace'),
    }),
    join: (hub, group) => hub.groups.join(group),
    leave: (hub) => hub.context.abort('enough'),
    async *counter() {
      yield 1;
    },
    longest: (_hub, text) => text.length,
  },
  onConnected(hub) {
    seen.push(`connected ${hub.context.userId}`);
    if (hub.context.userId === 'mallory') throw new HubException('Go away');
  },
  onDisconnected(hub, reason) {
    seen.push(`disconnected ${hub.context.userId} ${hub.context.signal.aborted}`);
    reasons.push(reason);
    if (hub.context.userId === 'broken') throw new Error('no');
  },
});

const filter: HubFilter = async (event, next) => {
  seen.push(event.kind);
  return await next();
};

let service: RestServer;
let webhooks: WebhookApp;
let served: Served;
let poster: Poster;
const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };

beforeEach(async () => {
  service = await new RestServer().start();
  webhooks = new WebhookApp(service.connectionString(), {
    hubs: [chat],
    filters: [filter],
    logger,
    previousKeys: ['old'],
  });
  for (const list of [seen, reasons]) list.length = 0;
  for (const log of Object.values(logger)) log.mockReset();
});

afterEach(async () => {
  await served.stop();
  await webhooks.close();
  await service.stop();
});

async function serve(name: string, key = 'secret'): Promise<void> {
  const framework = frameworks[name];
  if (framework === undefined) throw new RangeError(`there is no ${name}`);
  served = await framework(webhooks);
  poster = new Poster(served.ask, key);
}

describe.each(Object.keys(frameworks))('behind %s', (name) => {
  beforeEach(() => serve(name));

  test.each(['json', 'messagepack'] as const)('a call in %s is answered with its completion', async (protocol) => {
    for (const value of [42, 'ü', null, [1, [2]], { a: { b: 'c' } }]) {
      expect(await poster.invoke(protocol, 'Echo', [value])).toMatchObject({ invocationId: '1', result: value });
    }
    const bytes = new Uint8Array([0, 1, 255]);
    if (protocol === 'messagepack')
      expect(await poster.invoke(protocol, 'echo', [bytes])).toMatchObject({ result: bytes });
    expect(await poster.invoke(protocol, 'quiet', [])).toMatchObject({ result: null });
    expect(await poster.invoke(protocol, 'full', [])).toMatchObject({
      error: expect.stringContaining('HubException: Room is full'),
    });
    expect(await poster.invoke(protocol, 'boom', [])).toMatchObject({
      error: "An unexpected error occurred invoking 'boom' on the server.",
    });
    expect(await poster.invoke(protocol, 'nothing', [])).toMatchObject({
      error: "Failed to invoke 'nothing' due to an error on the server. HubException: Method does not exist.",
    });
    expect(await poster.invoke(protocol, 'echo', ['x'], {}, {})).toBe(204);
  });

  test('connects and disconnects reach the hub', async () => {
    expect((await poster.post({ userId: 'ann' })).status).toBe(204);
    expect((await poster.post({ userId: 'ann', event: 'disconnected' }, disconnectedBody())).status).toBe(204);
    expect(seen).toEqual(['connected', 'connected ann', 'disconnected', 'disconnected ann true']);
  });

  test('what is wrong is refused, and the hub does not hear of it', async () => {
    const statuses = [
      await poster.post({}, '{}', { 'x-asrs-signature': null }),
      await poster.post({}, '{}', { 'x-asrs-signature': 'sha256=00' }),
      await poster.post({}, '{}', { 'x-asrs-hub': null }),
      await poster.post({ hub: 'other' }),
      await poster.post({}, 'x', { 'content-type': 'text/plain' }),
      await poster.post({}, '{"type":10}', { 'content-type': 'application/x-msgpack' }),
      await poster.post({ event: 'other' }),
      await poster.post({ event: 'disconnected' }, '{"type":10}'),
      await poster.post({ category: 'messages', event: 'echo' }, '{"type":6}'),
      await poster.post({ category: 'messages', event: 'echo' }, 'x'.repeat(1_100_000), {
        'content-type': 'application/json',
      }),
      await served.ask({ method: 'GET' }),
    ].map(({ status }) => status);
    const notJson = name === 'Express behind body parsers' ? 400 : 413;
    const noGet = name === 'Request and Response' || name === 'node:http' ? 405 : 404;
    expect(statuses).toEqual([401, 401, 400, 404, 415, 415, 404, 400, 400, notJson, noGet]);
    expect(seen).toEqual([]);
  });

  test('a body of exactly the bound is taken', async () => {
    const empty = '{"type":1,"target":"quiet","arguments":[""]}';
    const body = empty.replace('""', `"${'x'.repeat(1024 * 1024 - empty.length)}"`);
    expect((await poster.post({ category: 'messages', event: 'quiet' }, body)).status).toBe(204);
    expect((await poster.post({ category: 'messages', event: 'quiet' }, `${body} `)).status).toBe(413);
  });
});

describe('a hub behind webhooks', () => {
  beforeEach(() => serve('Request and Response'));

  test('sees who calls, as far as the headers tell', async () => {
    const client = {
      connectionId: 'c 1',
      userId: 'Jürgen',
      claims: [
        ['asrs.s.uid', 'Jürgen'],
        ['role', 'a, b'],
        ['role', 'c'],
      ] as const,
      query: 'hub=chat&room=r%201&asrs.op=%2Fchat',
    };
    expect(await poster.invoke('json', 'who', [], client)).toMatchObject({
      result: { id: 'c 1', user: 'Jürgen', roles: ['a, b', 'c'], room: 'r 1', protocol: 'json' },
    });
    expect(await poster.invoke('messagepack', 'who', [])).toMatchObject({
      result: { protocol: 'messagepack', roles: [] },
    });
  });

  test('has its rules: authorize, validate, filters', async () => {
    expect(await poster.invoke('json', 'who', [], { userId: 'mallory' })).toMatchObject({
      error: "Failed to invoke 'who' because user is unauthorized",
    });
    expect(await poster.invoke('json', 'longest', ['xxxx'])).toMatchObject({
      error: "Failed to invoke 'longest' due to an error on the server.",
    });
    expect(await poster.invoke('json', 'longest', ['xxx'])).toMatchObject({ result: 3 });
    expect(seen).toEqual(['invocation']);
  });

  test('sends by REST before it answers, awaited or not', async () => {
    let open = 0;
    service.answer = async () => {
      open++;
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      return 202;
    };
    expect(await poster.invoke('json', 'tell', ['hi'])).toMatchObject({ result: 7 });
    expect(await poster.invoke('json', 'forget', [])).toMatchObject({ result: 'done' });
    expect([open, service.seen.map(({ path }) => path)]).toEqual([0, ['/api/hubs/chat/:send', '/api/hubs/chat/:send']]);
    expect(service.seen.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { target: 'news', arguments: ['hi'] },
      { target: 'news', arguments: ['not awaited'] },
    ]);
    expect(service.seen[0]?.query).toContain('excluded=conn1');
  });

  test('joins its caller, asks it, and closes it', async () => {
    service.answer = ({ path }) => (path.endsWith(':invoke') ? { status: 200, body: '{"result":"Ann"}' } : 200);
    expect(await poster.invoke('json', 'join', ['g'])).toMatchObject({ result: null });
    expect(await poster.invoke('json', 'ask', [])).toMatchObject({ result: 'Ann' });
    expect(await poster.invoke('json', 'leave', [])).toMatchObject({ result: null });
    expect(service.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /api/hubs/chat/groups/g/connections/conn1',
      'POST /api/hubs/chat/connections/conn1/:invoke',
      'DELETE /api/hubs/chat/connections/conn1',
    ]);
  });

  test('takes no streams, whoever asks', async () => {
    expect(await poster.invoke('json', 'counter', [])).toMatchObject({ error: expect.stringContaining('streaming') });
    const upload = { invocationId: '1', streamIds: ['2'] };
    expect(await poster.invoke('json', 'echo', [], {}, upload)).toMatchObject({
      error: "Failed to invoke 'echo': a hub behind webhooks takes no streams.",
    });
  });

  test('refuses a client: our gateway takes 403, others are asked to close it', async () => {
    expect((await poster.post({ userId: 'mallory' })).status).toBe(403);
    expect(service.seen).toEqual([]);
    expect((await poster.post({ userId: 'mallory' }, undefined, { 'x-signalbox': null })).status).toBe(403);
    expect(service.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'DELETE /api/hubs/chat/connections/conn1',
    ]);
    expect(service.seen[0]?.query).toContain('Go');
    service.answer = () => refusal(404, 'Warning.Connection.NotExisted');
    expect((await poster.post({ userId: 'mallory' }, undefined, { 'x-signalbox': null })).status).toBe(403);
  });

  test.each([
    [undefined, 'client_left', undefined],
    ['', 'client_left', undefined],
    ['closed_by_app', 'closed_by_app', undefined],
    ['idle', 'idle', 'idle'],
    ['slow', 'other', 'slow'],
    ['Some text of a service', 'other', 'Some text of a service'],
  ])('is told of an end with error %j as %s', async (error, kind, text) => {
    await poster.post({ event: 'disconnected' }, disconnectedBody(error));
    expect(reasons.map((reason) => [reason.kind, reason.error?.message])).toEqual([[kind, text]]);
  });

  test('that fails in onDisconnected answers 500 and logs it, without the text for the caller', async () => {
    const response = await poster.post({ userId: 'broken', event: 'disconnected' }, disconnectedBody());
    expect([response.status, await response.text()]).toEqual([500, 'The event failed.']);
    expect(logger.error).toHaveBeenCalledWith(expect.objectContaining({ hub: 'chat' }), 'onDisconnected failed');
  });
});

test('the key before is taken while it is named, another is not', async () => {
  await serve('Request and Response', 'old');
  expect((await poster.post({})).status).toBe(204);
  expect((await new Poster(served.ask, 'older').post({})).status).toBe(401);
});

test('a closed app answers 503 after what was under way has ended', async () => {
  await serve('Request and Response');
  let answer = (): void => undefined;
  service.answer = () => new Promise((resolve) => (answer = () => resolve(202)));
  const call = poster.invoke('json', 'tell', ['last']);
  await service.arrived(1);
  const closed = webhooks.close();
  const late = await poster.post({});
  expect([late.status, late.headers.get('retry-after')]).toEqual([503, '5']);
  answer();
  expect(await call).toMatchObject({ result: 7 });
  await closed;
});

test('a hub context sends and negotiates by itself', async () => {
  await serve('Request and Response');
  await webhooks.hub(chat).clients.user('ann').news('hello');
  expect(service.seen[0]?.path).toBe('/api/hubs/chat/users/ann/:send');
  const { url } = await webhooks.hub(chat).negotiate({ userId: 'ann' });
  expect(url).toContain('client/?hub=chat');
});

test('options that cannot work are refused at construction', async () => {
  await serve('Request and Response');
  const make = (options: object) => () => new WebhookApp('Endpoint=http://h;AccessKey=k', { hubs: [chat], ...options });
  const keeping = defineHub<Chat, { n: number }>({ name: 'keeping', methods: chat.methods, items: () => ({ n: 1 }) });
  expect(make({ hubs: [keeping] })).toThrow(
    'hub "keeping" must have no "items" to be run by webhooks, which keep nothing',
  );
  expect(make({ hubs: [chat, chat] })).toThrow('"hubs" must differ in their names, got "chat" twice');
  expect(make({ hubs: {} })).toThrow('"hubs" must be an array, got ');
  expect(make({ hubs: ['chat'] })).toThrow('a hub must come from defineHub, got "chat"');
  expect(make({ maxBodyBytes: 1 })).toThrow('"maxBodyBytes" must be a whole number from 64 to 1073741824, got 1');
  expect(make({ previousKeys: ['', 'secret'] })).toThrow(
    '"previousKeys" must be an array of access keys, none of them empty',
  );
  expect(() => new WebhookApp(undefined, { hubs: [] })).toThrow('SIGNALBOX_CONNECTION_STRING');
  expect(() => webhooks.hub(keeping)).toThrow('hub "keeping" is not among the "hubs" of this app');
  expect(make({ application: 'App' })().hub(chat).name).toBe('app_chat');
});
