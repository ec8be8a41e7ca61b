import { type HubContext, type Observer, SignalboxClient } from '@signalbox/app-sdk';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Chat } from './support/chat.ts';
import { gate } from './support/gate.ts';
import { type Answer, refusal } from './support/rest-server.ts';
import { restSetup } from './support/rest-setup.ts';

const rest = restSetup();
let hub: SignalboxClient<Chat>;

beforeEach(() => {
  hub = rest.client<Chat>();
});

describe('the body of a send', () => {
  const body = (): unknown => JSON.parse(rest.server.seen[0]?.body ?? '');

  test.each<[string, (h: HubContext<Chat>) => Promise<void>]>([
    ['with the target and its arguments', (h) => h.send('u', 'say', 'a', 'b')],
    ['as data', (h) => h.send('u', { target: 'say', arguments: ['a', 'b'] })],
    ['as a method', (h) => h.clients.user('u').say('a', 'b')],
    ['by name', (h) => h.clients.user('u').send('say', 'a', 'b')],
  ])('is JSON, given %s', async (_name, run) => {
    await run(hub);
    expect(body()).toEqual({ target: 'say', arguments: ['a', 'b'] });
    expect(rest.server.seen[0]?.headers['content-type']).toBe('application/json; charset=utf-8');
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
    expect(rest.server.seen).toEqual([]);
  });
});

describe('a list', () => {
  test('is one request for each member, and none for an empty list', async () => {
    await hub.clients.users([]).cleared();
    await hub.clients.groups(['a', 'b']).cleared();
    expect(rest.server.seen.map(({ path }) => path).sort()).toEqual([
      '/api/hubs/chat/groups/a/:send',
      '/api/hubs/chat/groups/b/:send',
    ]);
  });

  test('of which some were accepted rejects with an unknown outcome', async () => {
    rest.server.answer = ({ path }) => (path.includes('/b/') ? 413 : 202);
    const sending = hub.send({ users: ['a', 'b', 'c'] }, 'cleared');
    await expect(sending).rejects.toMatchObject({
      code: 'ERR_TOO_LARGE',
      outcome: 'unknown',
      message: '1 of 3 requests failed; sendToUser: the service answered 413',
    });
  });

  test('of which none was accepted rejects with notSent', async () => {
    rest.server.answer = () => 413;
    await expect(hub.send({ users: ['a', 'b'] }, 'cleared')).rejects.toMatchObject({ outcome: 'notSent' });
  });
});

describe('a refusal', () => {
  const refused = async (answer: Answer) => {
    rest.server.answer = () => answer;
    return await hub.send('u', 'cleared').catch((error: unknown) => error);
  };

  test('tells the status, and the code and the sentence of the service', async () => {
    expect(await refused(refusal(400, 'Error.Request.Invalid', 'no target'))).toMatchObject({
      name: 'RestError',
      status: 400,
      serviceCode: 'Error.Request.Invalid',
      message: 'sendToUser: the service answered 400 (Error.Request.Invalid): no target',
    });
  });

  test.each(['{', 'null', '[]', '{"code":7,"message":{}}'])('whose body is %s tells the status', async (body) => {
    const error = await refused({ status: 400, headers: { 'content-type': 'application/json' }, body });
    const message = 'sendToUser: the service answered 400';
    expect(error).toMatchObject({ status: 400, serviceCode: undefined, message });
  });

  test('is not longer than one can read', async () => {
    const error = await refused(refusal(400, 'E', 'x'.repeat(5000)));
    expect(String(error).length).toBeLessThan(400);
  });
});

describe('sendBatch, where the service is no Signalbox', () => {
  beforeEach(async () => {
    rest.server.answer = () => 200;
    await hub.healthy();
    rest.server.forget();
  });
  const items = (count: number) =>
    Array.from({ length: count }, (_, n) => ({
      to: `user${n}`,
      target: 'say' as const,
      arguments: ['s', String(n)] as const,
    }));

  test('sends 16 requests at a time, and all of them', async () => {
    const { opened, open } = gate();
    rest.server.answer = () => opened.then(() => 202);
    const sending = hub.sendBatch(items(40));
    await rest.server.arrived(16);
    open();
    expect(await sending).toEqual({ sent: 40, failed: [] });
    expect(rest.server.mostOpen).toBe(16);
    expect(new Set(rest.server.seen.map(({ path }) => path)).size).toBe(40);
  });

  test('does not reject for single items, and tells which failed', async () => {
    rest.server.answer = ({ path }) => (path.includes('/user2/') ? 413 : 202);
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
    expect(rest.server.seen.map(({ body }) => JSON.parse(body).arguments[0])).toEqual(batch.map((_, n) => n));
  });

  test('that is given up fails the items that are left', async () => {
    const abort = new AbortController();
    rest.server.answer = () => 'hang';
    const sending = hub.sendBatch(items(20), { signal: abort.signal });
    await rest.server.arrived(16);
    abort.abort();
    const { sent, failed } = await sending;
    expect([sent, failed.length]).toEqual([0, 20]);
    expect(failed.map(({ error }) => error.outcome)).toEqual([
      ...Array.from({ length: 16 }, () => 'unknown'),
      ...Array.from({ length: 4 }, () => 'notSent'),
    ]);
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
    await using watched = new SignalboxClient<Chat>(rest.server.connectionString(), {
      hub: 'chat',
      observe,
      logger: rest.logger,
    });
    await watched.send('u', 'cleared');
    rest.server.answer = () => 413;
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
    const logger = { ...rest.logger, error: (_facts: object, text: string) => errors.push(text) };
    await using watched = new SignalboxClient<Chat>(rest.server.connectionString(), { hub: 'chat', observe, logger });
    await watched.send('u', 'cleared');
    expect(errors).toEqual(['observer failed']);
  });
});
