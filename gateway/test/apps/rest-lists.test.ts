import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RestCore, startRestCore } from './rest-core.ts';
import type { RestAnswer } from './rest-server.ts';

interface Page {
  readonly value: readonly { connectionId: string; userId?: string }[];
  readonly nextLink?: string;
}

const page = ({ body }: RestAnswer): Page => JSON.parse(body) as Page;
let core: RestCore;
/** Ids of the members of group `g`, sorted, and of all. */
let members: string[];
let all: string[];

beforeAll(async () => {
  core = await startRestCore({ trustedProxies: ['127.0.0.1'] });
  const clients = await Promise.all(['ann', 'ann', 'ann', undefined, 'bob'].map((userId) => core.connect({ userId })));
  for (const client of clients) await core.join(client, 'g');
  const others = [await core.connect({ userId: 'ann' }), await core.connect()];
  await core.connect({ hub: 'other' });
  members = clients.map(({ id }) => id).sort();
  all = [...clients, ...others].map(({ id }) => id).sort();
});
afterAll(() => core[Symbol.asyncDispose]());

/** Follows the links, as they are given, to the end. */
async function pages(first: string): Promise<Page[]> {
  const found: Page[] = [];
  for (let target: string | undefined = first; target !== undefined; ) {
    const answer = await core.call('GET', target);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
    found.push(page(answer));
    const link: string | undefined = found.at(-1)?.nextLink;
    target = link === undefined ? undefined : link.slice(new URL(link).origin.length);
  }
  return found;
}
const idsOf = (found: readonly Page[]): string[] =>
  found.flatMap(({ value }) => value.map(({ connectionId }) => connectionId));

describe('lists of connections', () => {
  test.each(['/api/hubs/chat', '/api/v1/hubs/Chat', '/api/signalbox/hubs/chat'])(
    'five members of a group come on three pages of two below %s',
    async (prefix) => {
      const found = await pages(`${prefix}/groups/g/connections?maxpagesize=2&api-version=2024-12-01`);
      expect(found.map(({ value }) => value.length)).toEqual([2, 2, 1]);
      expect(idsOf(found)).toEqual(members);
    },
  );

  test('a user stands beside each connection that has one', async () => {
    const { value } = page(await core.call('GET', '/api/hubs/chat/groups/g/connections'));
    expect(value.map(({ userId }) => userId ?? 'nobody').sort()).toEqual(['ann', 'ann', 'ann', 'bob', 'nobody']);
    expect(value.filter((one) => 'userId' in one)).toHaveLength(4);
  });

  test('hubs and users are listed below our own path, under both prefixes', async () => {
    expect(idsOf(await pages('/api/signalbox/hubs/chat/connections?maxpagesize=3'))).toEqual(all);
    expect(idsOf(await pages('/api/v1/signalbox/hubs/chat/connections'))).toEqual(all);
    expect(idsOf(await pages('/api/signalbox/hubs/chat/users/ann/connections?maxpagesize=1'))).toHaveLength(4);
    expect(idsOf(await pages('/api/signalbox/hubs/nobody/connections'))).toEqual([]);
  });

  test('"top" ends the list, across pages', async () => {
    const found = await pages('/api/hubs/chat/groups/g/connections?top=3&maxpagesize=2');
    expect(found.map(({ value }) => value.length)).toEqual([2, 1]);
    expect(idsOf(found)).toEqual(members.slice(0, 3));
  });

  test('an unknown group and an unknown user have an empty page', async () => {
    for (const path of ['/api/hubs/chat/groups/x/connections', '/api/signalbox/hubs/chat/users/x/connections']) {
      expect(page(await core.call('GET', path))).toEqual({ value: [] });
    }
  });

  test('the next link is whole: scheme and host of the caller, as a trusted proxy tells them, the same path, what was asked', async () => {
    const headers = { host: 'signalr.example:8443', 'x-forwarded-proto': 'https' };
    const target = '/api/hubs/Chat/groups/g/connections?application=&maxpagesize=1&api-version=2024-12-01';
    const { nextLink = '' } = page(await core.call('GET', target, { headers }));
    const link = new URL(nextLink);
    expect([link.origin, link.pathname]).toEqual([
      'https://signalr.example:8443',
      '/api/hubs/Chat/groups/g/connections',
    ]);
    expect([...link.searchParams.keys()]).toEqual(['maxpagesize', 'continuationToken', 'application', 'api-version']);
    expect(link.searchParams.get('continuationToken')).not.toContain(members[0]);
  });

  test.each([
    ['maxpagesize=0', '"maxpagesize" must be an integer from 1 to 200, got "0"'],
    ['maxpagesize=201', '"maxpagesize" must be an integer from 1 to 200, got "201"'],
    ['top=-1', '"top" must be an integer from 1 to 2147483647, got "-1"'],
    ['continuationToken=%20', '"continuationToken" must be one of a nextLink, got " "'],
    ['continuationToken=', '"continuationToken" must be one of a nextLink, got ""'],
    ['filter=x', '"filter" must be absent: it is not supported'],
  ])('%s is refused by its rule', async (query, message) => {
    const answer = await core.call('GET', `/api/hubs/chat/groups/g/connections?${query}`);
    expect([answer.status, JSON.parse(answer.body).message]).toEqual([400, message]);
  });

  test('a link is not made for a Host that is none', async () => {
    const answer = await core.call('GET', '/api/hubs/chat/groups/g/connections?top=3&maxpagesize=1', {
      headers: { host: 'a b"' },
    });
    expect([answer.status, JSON.parse(answer.body).message]).toEqual([400, '"Host" must be a host name, got "a b\\""']);
  });
});

test.each([
  ['', 7],
  ['/users/ann', 4],
  ['/users/nobody', 0],
  ['/groups/g', 5],
  ['/groups/none', 0],
])('the count at %j is %d', async (path, count) => {
  for (const prefix of ['/api', '/api/v1']) {
    const answer = await core.call('GET', `${prefix}/signalbox/hubs/chat${path}/count`);
    expect([answer.status, answer.body]).toEqual([200, JSON.stringify({ count })]);
  }
});
