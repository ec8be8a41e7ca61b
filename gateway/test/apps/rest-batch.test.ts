import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import type { FakeClient } from '../support/fake-client.ts';
import { type RestCore, startRestCore } from './rest-core.ts';
import { type RestAnswer, type RestServer, startRest } from './rest-server.ts';

const target = '/api/signalbox/hubs/chat/:sendMany';
const headers = { 'content-type': 'application/x-ndjson' };
const lines = (items: readonly unknown[]): string => items.map((item) => `${JSON.stringify(item)}\n`).join('');
const outcomes = ({ body }: RestAnswer): unknown[] =>
  body
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

describe('a batch', () => {
  let core: RestCore;
  let ann: FakeClient;
  let bob: FakeClient;
  beforeAll(async () => {
    core = await startRestCore();
  });
  afterAll(() => core[Symbol.asyncDispose]());
  beforeEach(async () => {
    [ann, bob] = [
      await core.connect({ userId: 'ann' }),
      await core.connect({ userId: 'bob', protocol: 'messagepack' }),
    ];
    for (const group of ['g', 'h']) await core.join(ann, group);
    await core.join(bob, 'g');
  });
  const send = (items: readonly unknown[]): Promise<RestAnswer> =>
    core.call('POST', target, { headers, body: lines(items) });

  test('reaches each kind of address, in the order of its lines', async () => {
    const places = [
      { all: true },
      { all: true, except: bob.id },
      { group: 'g' },
      { group: 'g', except: [bob.id] },
      { groups: ['g', 'h', 'g'] },
      { user: 'bob' },
      { users: ['ann', 'bob'] },
      { connection: ann.id },
      { connections: [ann.id, bob.id] },
      { groups: [] },
      { users: [] },
      { connections: [] },
    ];
    const items = places.map((to, at) => ({ to, target: 'news', arguments: [at] }));
    const answer = await send([...items, { to: { all: true }, target: 'news', arguments: ['end'] }]);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
    expect(outcomes(answer)).toEqual(Array(13).fill({ status: 202 }));
    await Promise.all([ann.hears('end'), bob.hears('end')]);
    expect(ann.heard).toEqual([0, 1, 2, 3, 4, 4, 6, 7, 8, 'end']);
    expect(bob.heard).toEqual([0, 2, 4, 5, 6, 8, 'end']);
  });

  test('of 2,000 lines keeps their order, and so does the send behind its answer', async () => {
    const items = Array.from({ length: 2000 }, (_, at) => ({ to: { user: 'ann' }, target: 'news', arguments: [at] }));
    expect(outcomes(await send(items))).toHaveLength(2000);
    await core.post('/api/hubs/chat/:send', { target: 'news', arguments: ['behind'] });
    await ann.hears('behind');
    expect(ann.heard).toEqual([...items.map((_, at) => at), 'behind']);
  });

  test('keeps the text of its numbers', async () => {
    const body = '{"arguments":[1.0,12345678901234567890],"target":"news","to":{"user":"ann"}}';
    await core.call('POST', target, { headers, body });
    await ann.until(() => ann.messages.length === 1);
    expect(Buffer.from(ann.transport.frames.at(-1)?.bytes ?? []).toString()).toContain('[1.0,12345678901234567890]');
  });

  test('does not mind blank lines, carriage returns and a last line without an end', async () => {
    const one = JSON.stringify({ to: { all: true }, target: 'news' });
    const answer = await core.call('POST', target, { headers, body: `\n${one}\r\n  \n\r\n${one}` });
    expect(outcomes(answer)).toEqual([{ status: 202 }, { status: 202 }]);
  });

  const message = { target: 'news' };
  test.each([
    ['no JSON', 'nope', 'JSON'],
    ['no target', { to: { all: true } }, '"target" must be present'],
    ['no place', { ...message }, '"to" must be an object'],
    ['a user id in place of an address', { ...message, to: 'ann' }, '"to" must be an object'],
    ['an empty address', { ...message, to: {} }, '"to" must name exactly one of all, group'],
    ['two places', { ...message, to: { user: 'u', group: 'g' } }, '"to" must name exactly one of all, group'],
    ['an unknown place', { ...message, to: { toString: 'x' } }, '"to" must name exactly one of all, group'],
    ['all but not true', { ...message, to: { all: 1 } }, '"all" must be true'],
    ['except on a user', { ...message, to: { user: 'u', except: 'c' } }, '"except" must stand beside "all" or "group"'],
    ['a number as a user', { ...message, to: { user: 1 } }, '"user" must be a string'],
    ['an empty user', { ...message, to: { user: '' } }, '"user" must be 1 to 1024 characters, got 0'],
    ['a blank group', { ...message, to: { groups: ['g', ' '] } }, '"group" must not be only white space'],
    ['an empty connection', { ...message, to: { connection: '' } }, '"connection" must not be empty'],
    ['a list of numbers', { ...message, to: { users: [1] } }, '"users" must be an array of strings'],
    [
      'a long list',
      { ...message, to: { users: Array.from({ length: 10_001 }, String) } },
      '"users" must hold at most 10000 (SIGNALBOX_LIST_LENGTH), got 10001',
    ],
  ])('with a line that has %s refuses that line alone, by its rule', async (_name, bad, text) => {
    const good = { to: { user: 'ann' }, target: 'news', arguments: ['good'] };
    const [first, second, third, ...more] = outcomes(await send([good, bad, good]));
    expect([first, third, more]).toEqual([{ status: 202 }, { status: 202 }, []]);
    expect(second).toEqual({ status: 400, code: 'Error.Request.Invalid', message: expect.stringContaining(text) });
  });

  test.each([
    ['another type', { 'content-type': 'application/json' }, '{}', 415],
    ['nothing', headers, '', 400],
  ])('of %s is refused as a whole', async (_name, given, body, status) => {
    expect((await core.call('POST', target, { headers: given, body })).status).toBe(status);
  });
});

describe('the bounds of a batch', () => {
  let rest: RestServer;
  beforeAll(async () => {
    rest = await startRest({ messageBytes: 2048, batchBytes: 8192 });
  });
  afterAll(() => rest.close());
  beforeEach(() => rest.reset());
  const line = (bytes: number): string => {
    const [head, tail] = ['{"to":{"all":true},"target":"', '"}'];
    return head + 't'.repeat(bytes - head.length - tail.length) + tail;
  };
  const send = (body: string): Promise<RestAnswer> => rest.call('POST', target, { headers, body });

  test('are SIGNALBOX_MESSAGE_BYTES for a line, and SIGNALBOX_BATCH_BYTES for all', async () => {
    const answer = await send(`${line(2048)}\n${line(2049)}\n${line(100)}\n`);
    expect(outcomes(answer)).toEqual([
      { status: 202 },
      { status: 413, code: 'Error.Request.TooLarge', message: 'a line must be at most 2048 bytes, got 2049' },
      { status: 202 },
    ]);
    expect(rest.commands).toHaveLength(2);
    expect(outcomes(await send(`${line(2047)}\n`.repeat(4)))).toHaveLength(4);
    const above = await send(`${line(2047)}\n`.repeat(4) + line(100));
    expect([above.status, above.headers['x-ms-error-code']]).toEqual([413, 'Error.Request.TooLarge']);
    expect(rest.commands).toHaveLength(6);
  });

  test('are for this path only', async () => {
    const answer = await rest.call('POST', '/api/hubs/chat/:send', {
      headers: { 'content-type': 'application/json' },
      body: line(4096),
    });
    expect(answer.status).toBe(413);
  });

  test('a send that Redis refuses is told on its line, one that reached this node only too', async () => {
    rest.reach = new GatewayError('backplane_full', 'Redis does not take more');
    const full = { status: 503, code: 'Error.Request.Unavailable', message: 'Redis does not take more' };
    expect(outcomes(await send(line(100)))).toEqual([full]);
    rest.reach = 'local';
    expect(outcomes(await send(line(100)))).toEqual([{ status: 202, reach: 'local' }]);
    rest.reach = new Error('inner words');
    expect(outcomes(await send(line(100)))).toMatchObject([{ status: 500, code: 'Error.Request.Internal' }]);
    expect(rest.logged).toMatchObject([{ facts: { operation: 'send_many', error: rest.reach } }]);
  });
});
