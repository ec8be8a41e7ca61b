import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AppCommand } from '../../src/protocol/command.ts';
import { json, type RestServer, startRest } from './rest-server.ts';

let rest: RestServer;
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest.close());
beforeEach(() => rest.reset());

describe('names', () => {
  const message = async (method: string, target: string): Promise<string> => {
    const answer = await rest.call(method, target, method === 'POST' ? json : {});
    expect(answer.status).toBe(400);
    expect(rest.commands).toEqual([]);
    return method === 'HEAD' ? '' : JSON.parse(answer.body).message;
  };

  test('application prefixes the hub, and both become lower case', async () => {
    await rest.call('POST', '/api/hubs/Chat/:send?application=App&api-version=2022-06-01', json);
    await rest.call('POST', '/api/hubs/Chat/:send?application=', json);
    expect(rest.commands.map((command) => (command as AppCommand).hub)).toEqual(['app_chat', 'chat']);
  });

  test.each([
    [
      'GET',
      '/api/hubs/1chat/users/u',
      '"hub" must be 1 to 128 characters: a letter, then letters, digits or _`,.[], got "1chat"',
    ],
    [
      'GET',
      '/api/hubs/chat/users/u?application=a-b',
      '"application" must be 1 to 128 characters: a letter, then letters, digits or _`,.[], got "a-b"',
    ],
    ['GET', `/api/hubs/chat/groups/${'g'.repeat(2048)}`, '"group" must be 1 to 1024 characters, got 2048'],
    ['GET', `/api/hubs/chat/users/${'u'.repeat(1025)}`, '"user" must be 1 to 1024 characters, got 1025'],
    ['GET', '/api/hubs/chat/groups/%20%09', '"group" must not be only white space'],
    ['GET', '/api/hubs/chat/connections/', '"connection" must not be empty'],
    ['POST', '/api/hubs/chat/:send?filter=x', '"filter" must be absent: it is not supported'],
    ['PUT', '/api/hubs/chat/users/u/groups/g?ttl=-1', '"ttl" must be an integer from 0 to 2147483647, got "-1"'],
    ['PUT', '/api/hubs/chat/users/u/groups/g?ttl=1.5', '"ttl" must be an integer from 0 to 2147483647, got "1.5"'],
    ['PUT', '/api/hubs/chat/users/u/groups/g?ttl=', '"ttl" must be an integer from 0 to 2147483647, got ""'],
    [
      'PUT',
      '/api/hubs/chat/users/u/groups/g?ttl=2147483648',
      '"ttl" must be an integer from 0 to 2147483647, got "2147483648"',
    ],
    ['PUT', '/api/hubs/chat/users/u/groups/g?ttl=1&ttl=2', '"ttl" must be given at most once, got 2'],
  ])('%s %s is refused', async (method, target, sentence) => {
    expect(await message(method, target)).toBe(sentence);
  });

  test.each([
    ['0', 0],
    ['10', 10],
    ['2147483647', 2_147_483_647],
  ])('ttl=%s is %i seconds', async (ttl, ttlSeconds) => {
    await rest.call('PUT', `/api/hubs/chat/users/u/groups/g?ttl=${ttl}`);
    expect(rest.commands).toMatchObject([{ kind: 'joinUser', ttlSeconds }]);
  });

  test('excluded repeats, on sends and on closes; reason goes to the close', async () => {
    const query = '?excluded=a&excluded=b%2Cc&Excluded=d&excluded=&reason=so+it+is';
    await rest.call('POST', `/api/v1/hubs/chat${query}`, json);
    await rest.call('POST', `/api/hubs/chat/groups/g/:closeConnections${query}`);
    const excepted = { exceptConnections: ['a', 'b,c', 'd'] };
    expect(rest.commands).toMatchObject([excepted, { ...excepted, reason: 'so it is' }]);
  });

  test('excluded is bounded by SIGNALBOX_LIST_LENGTH', async () => {
    const small = await startRest({ listLength: 2 });
    try {
      const query = (count: number) => `?${'excluded=a&'.repeat(count)}`;
      expect((await small.call('POST', `/api/hubs/chat/:send${query(2)}`, json)).status).toBe(202);
      const { status, body } = await small.call('POST', `/api/hubs/chat/:send${query(3)}`, json);
      expect([status, JSON.parse(body).message]).toEqual([400, '"excluded" must be given at most 2 times, got 3']);
    } finally {
      small.close();
    }
  });

  test('a message tracing id is a decimal number of 64 bits, and is logged', async () => {
    const trace = (id: string) =>
      rest.call('HEAD', '/api/hubs/chat/users/u', { headers: { 'X-ASRS-Message-Tracing-Id': id } });
    expect((await trace('18446744073709551615')).status).toBe(200);
    expect(rest.logged).toMatchObject([{ facts: { operation: 'user_exists', tracingId: 18446744073709551615n } }]);
    for (const id of ['18446744073709551616', '-1', '0x10', 'abc']) expect((await trace(id)).status).toBe(400);
  });
});
