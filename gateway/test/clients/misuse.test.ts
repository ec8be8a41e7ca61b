import { readFileSync } from 'node:fs';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { clientClaims, otherKey, sign } from '../auth/sign.ts';
import { until } from '../support/until.ts';
import { come, connected, ended, negotiate, polling, type Shown, streaming, unused, type Way } from './misuse.ts';
import { type Door, startDoor } from './start-door.ts';
import { bearer } from './wires.ts';

let door: Door;
let over = new AbortController();
beforeAll(async () => {
  door = await startDoor({ origins: ['https://page.example'] });
});
afterEach(() => {
  door.clock.aheadMs = 0;
  door.clients.refused = undefined;
  over.abort();
  over = new AbortController();
});
afterAll(() => door[Symbol.dispose]());

const good = (hub = 'chat', more: object = {}): string => sign(clientClaims(hub, more));
const wrongKey = sign(clientClaims('chat'), otherKey);
const expired = good('chat', { exp: 1_700_000_000 });

/** The answer that all of them are; `…` in place of the text when only the status is the same. */
async function same(answers: readonly Promise<string>[]): Promise<string> {
  const distinct = [...new Set(await Promise.all(answers))];
  const statuses = [...new Set(distinct.map((answer) => answer.split(' ')[0]))];
  return distinct.length > 1 && statuses.length === 1 ? `${statuses[0]} …` : distinct.join(' and ');
}
const each = (ways: readonly Way[], ask: (way: Way) => Promise<string>): Promise<string> => same(ways.map(ask));
const requests: readonly Way[] = ['poll', 'stream', 'POST', 'DELETE'];
const all: readonly Way[] = [...requests, 'WebSocket'];

/** All of these ways, one after the other, with this id. */
async function withId(id: string, ways: readonly Way[], shown: Shown = {}): Promise<string> {
  return each(ways, (way) => come(door, way, { id, ...shown }));
}

/** The older of two polls at once; the newer one is ended by the client. */
async function olderPoll(): Promise<string> {
  const id = await polling(door);
  const before = door.polls();
  const older = come(door, 'poll', { id });
  await until('the older one waits', () => door.polls() > before);
  const newer = come(door, 'poll', { id });
  const answer = await older;
  await come(door, 'DELETE', { id });
  await newer;
  return answer;
}

async function switchedOff(way: Way): Promise<string> {
  using off = await startDoor({ transports: ['ServerSentEvents'] });
  return await come(off, way, { id: await unused(off) });
}

async function refused(why: NonNullable<typeof door.clients.refused>): Promise<string> {
  const id = await unused(door);
  door.clients.refused = why;
  return same([negotiate(door, '?hub=chat', 'POST', good()), withId(id, ['poll', 'stream', 'WebSocket'])]);
}

/** What is asked, as protocol.md says it, and the answer. */
const rows: Readonly<Record<string, () => Promise<string>>> = {
  'negotiate by another method than `POST`': () =>
    same((['GET', 'PUT', 'DELETE'] as const).map((method) => negotiate(door, '?hub=chat', method, good()))),
  'negotiate without a hub': () => negotiate(door, '', 'POST', good()),
  'negotiate, the version no number': () => negotiate(door, '?hub=chat&negotiateVersion=abc', 'POST', good()),
  'negotiate without a token, or with a wrong one': () =>
    same([undefined, wrongKey, expired, good('other')].map((token) => negotiate(door, '?hub=chat', 'POST', token))),
  'the base path by another method': async () => base(await unused(door)),
  'a request without an id': () => each(requests, (way) => come(door, way)),
  'anything without a token, or with one of another key': async () => {
    const id = await unused(door);
    return same([undefined, wrongKey].map((token) => withId(id, all, { token })));
  },
  'a first `GET` or WebSocket, the token expired': async () =>
    withId(await unused(door), ['poll', 'stream', 'WebSocket'], { token: expired }),
  'anything from a page of a foreign origin': async () =>
    withId(await unused(door), all, { headers: { origin: 'https://evil.example' } }),
  'an id that was never given out': () => withId('x', all),
  'an id of another hub': async () => withId(await unused(door), all, { hub: 'other' }),
  'an id of another user': async () =>
    withId(await unused(door, { sub: 'ann' }), all, { token: good('chat', { sub: 'bob' }) }),
  'an id that nobody used in time': async () => {
    const id = await unused(door);
    door.clock.aheadMs = 30_001;
    return withId(id, all);
  },
  '`POST` or `DELETE` before the first `GET`': async () => withId(await unused(door), ['POST', 'DELETE']),
  'a WebSocket of another version than 13': async () =>
    come(door, 'WebSocket', { id: await unused(door), headers: { 'Sec-WebSocket-Version': '8' } }),
  'a WebSocket, switched off': () => switchedOff('WebSocket'),
  'a poll, switched off': () => switchedOff('poll'),
  'a second stream, a WebSocket beside it': async () =>
    withId(await streaming(door, over.signal), ['stream', 'WebSocket']),
  'a poll beside a stream': async () => withId(await streaming(door, over.signal), ['poll']),
  '`DELETE` of a stream': async () => withId(await streaming(door, over.signal), ['DELETE']),
  'a WebSocket beside polls': async () => withId(await polling(door), ['WebSocket']),
  'a stream beside polls': async () => withId(await polling(door), ['stream']),
  'a second WebSocket': async () => withId(await connected(door, over.signal), ['WebSocket']),
  'a poll or stream beside a WebSocket': async () => withId(await connected(door, over.signal), ['poll', 'stream']),
  '`POST` beside a WebSocket': async () => withId(await connected(door, over.signal), ['POST']),
  '`DELETE` of a WebSocket': async () => withId(await connected(door, over.signal), ['DELETE']),
  'two polls at once: the older one': olderPoll,
  'a body that is too large': async () => same([withId(await polling(door), ['POST'], { body: 'x'.repeat(10_001) })]),
  '`DELETE`': async () => withId(await polling(door), ['DELETE']),
  'anything after `DELETE`, a second one too': async () => withId(await ended(door), requests),
  'negotiate or connect: a limit is reached': () => refused('SIGNALBOX_MAX_CONNECTIONS'),
  'negotiate or connect: the node stops': () => refused('draining'),
};

async function base(id: string): Promise<string> {
  const url = `${door.url}/client/?hub=chat&id=${id}`;
  const answers = (['PUT', 'PATCH'] as const).map(async (method) => {
    const { statusCode, body } = await request(url, { method, headers: bearer() });
    return `${statusCode} ${await body.text()}`.trim();
  });
  return same(answers);
}

/** Rows of the page: what is asked, and the answer. `…` stands for a text that names values. */
const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
const table = page.slice(page.indexOf('### What is refused')).split('\n##')[0] ?? '';
const documented = [...table.matchAll(/^\| (?!what is asked|-)(.+?) *\| `(.+?)` *\|$/gm)].map(([, asked, answer]) => [
  asked ?? '',
  answer ?? '',
]);

test('protocol.md lists every refusal that is tried here, and no other', () => {
  expect(documented.map(([asked]) => asked)).toEqual(Object.keys(rows));
});

test.each(documented)('%s: %s', async (asked, answer) => {
  const given = await rows[asked ?? '']?.();
  expect(given?.replace(/^(\d+ ).*/, answer?.endsWith('…') ? '$1…' : '$&')).toBe(answer);
});
