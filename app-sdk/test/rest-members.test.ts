import type { SignalboxClient } from '@signalbox/app-sdk';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Chat } from './support/chat.ts';
import { refusal, requestLine } from './support/rest-server.ts';
import { restSetup } from './support/rest-setup.ts';

const rest = restSetup();
let hub: SignalboxClient<Chat>;

beforeEach(() => {
  hub = rest.client<Chat>();
});

const later = 'api-version=2024-12-01';
describe('the members of a group', () => {
  const list = async (options?: { pageSize?: number; signal?: AbortSignal }) => {
    const found: unknown[] = [];
    for await (const member of hub.connections.list({ group: 'g' }, options)) found.push(member);
    return found;
  };
  const page = (value: unknown[], nextLink?: string) => ({ status: 200, body: JSON.stringify({ value, nextLink }) });

  test('are read page after page, from our rest.server whatever host the next link names', async () => {
    rest.server.answer = (_seen, index) =>
      index === 0
        ? page([{ connectionId: 'a', userId: 'u' }, { connectionId: 'b' }], 'https://public/x?continuationToken=t&p=2')
        : page([{ connectionId: 'c', userId: null }]);
    expect(await list({ pageSize: 2 })).toEqual([
      { connectionId: 'a', userId: 'u' },
      { connectionId: 'b' },
      { connectionId: 'c' },
    ]);
    expect(rest.server.seen.map(requestLine)).toEqual([
      `GET /api/hubs/chat/groups/g/connections?maxpagesize=2&${later}`,
      'GET /api/hubs/chat/groups/g/connections?continuationToken=t&p=2',
    ]);
  });

  test('are asked for only as far as they are read', async () => {
    rest.server.answer = () => page([{ connectionId: 'a' }], '/x?continuationToken=t');
    for await (const member of hub.connections.list({ group: 'g' })) {
      expect(member.connectionId).toBe('a');
      break;
    }
    expect(rest.server.seen).toHaveLength(1);
  });

  test('of an unknown group are none', async () => {
    rest.server.answer = () => refusal(404, 'Warning.Group.NotExisted');
    expect(await list()).toEqual([]);
  });

  test.each(['x', '{}', '{"value":[{}]}', '{"value":[],"nextLink":"/x"}', 'null'])(
    'in a page that reads %s are refused',
    async (body) => {
      rest.server.answer = () => ({ status: 200, body });
      await expect(list()).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    },
  );

  test('do not go round in a circle', async () => {
    rest.server.answer = () => page([], '/x?continuationToken=same');
    await expect(list()).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    expect(rest.server.seen).toHaveLength(2);
  });

  test('can be given up', async () => {
    await expect(list({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  test.each([0, 201, 1.5])('come in pages of 1 to 200, not %d', (pageSize) => {
    expect(() => hub.connections.list({ group: 'g' }, { pageSize })).toThrow(
      `"pageSize" must be a whole number from 1 to 200, got ${pageSize}`,
    );
  });

  test('are not offered by a service that does not know the path', async () => {
    rest.server.answer = () => refusal(404, 'Error.Request.NotFound');
    await expect(list()).rejects.toMatchObject({ code: 'ERR_NOT_SUPPORTED', outcome: 'notSent' });
  });

  test('are asked for with the application', async () => {
    rest.server.answer = () => page([]);
    const app = rest.client({ application: 'App' });
    expect(await app.connections.list({ group: 'g' })[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
    expect(rest.server.seen[0]?.query).toBe(`maxpagesize=200&application=app&${later}`);
  });
});
