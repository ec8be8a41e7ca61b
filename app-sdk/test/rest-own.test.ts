import type { SignalboxClient } from '@signalbox/app-sdk';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Chat } from './support/chat.ts';
import { gate } from './support/gate.ts';
import { type Answer, refusal, requestLine, type Seen } from './support/rest-server.ts';
import { restSetup } from './support/rest-setup.ts';

const rest = restSetup();
let hub: SignalboxClient<Chat>;
/** What is answered, by the end of the path; 200 to all else. */
let answers: Record<string, (seen: Seen) => Answer | Promise<Answer>>;

beforeEach(() => {
  hub = rest.client<Chat>();
  answers = {};
  serve({ 'x-signalbox': '0.1.0' });
});

/** Answers as a service whose answers carry these headers. */
function serve(headers: Record<string, string>): void {
  rest.server.answer = async (seen) => {
    const end = Object.keys(answers).find((path) => seen.path.endsWith(path));
    const answer = (end && (await answers[end]?.(seen))) || 200;
    if (typeof answer === 'string') return answer;
    const whole = typeof answer === 'number' ? { status: answer } : answer;
    return { ...whole, headers: { ...whole.headers, ...headers } };
  };
}

const later = 'api-version=2024-12-01';
const asked = (): string[] => rest.server.seen.map(requestLine);
const probe = 'HEAD /api/health?api-version=2022-06-01';
const listed = async (where: Parameters<SignalboxClient['connections']['list']>[0]): Promise<unknown[]> => {
  const found: unknown[] = [];
  for await (const one of hub.connections.list(where, { pageSize: 2 })) found.push(one);
  return found;
};

describe('what only Signalbox offers', () => {
  test.each([
    [{ all: true } as const, ''],
    [{ user: 'a/b' }, '/users/a%2Fb'],
    [{ group: 'g' }, '/groups/g'],
  ])('counts %j', async (where, path) => {
    answers = { '/count': () => ({ status: 200, body: '{"count":7}' }) };
    expect(await hub.connections.count(where)).toBe(7);
    expect(asked()).toEqual([probe, `GET /api/signalbox/hubs/chat${path}/count?${later}`]);
    expect(rest.server.seen[1]?.claims.aud).toBe(`http://localhost/api/signalbox/hubs/chat${path}/count`);
  });

  test('counts a connection that is there as one', async () => {
    answers = { '/gone': () => refusal(404, 'Warning.Connection.NotExisted') };
    expect(await hub.connections.count({ connection: 'here' })).toBe(1);
    expect(await hub.connections.count({ connection: 'gone' })).toBe(0);
  });

  test.each([
    [{ all: true } as const, ''],
    [{ user: 'u' }, '/users/u'],
  ])('lists the connections of %j, page after page', async (where, path) => {
    const nextLink = 'http://public.example/x?continuationToken=t';
    answers = {
      '/connections': ({ query }) => ({
        status: 200,
        body: JSON.stringify(
          query.includes('continuationToken') ? { value: [] } : { value: [{ connectionId: 'a' }], nextLink },
        ),
      }),
    };
    expect(await listed(where)).toEqual([{ connectionId: 'a' }]);
    const list = `GET /api/signalbox/hubs/chat${path}/connections`;
    expect(asked()).toEqual([probe, `${list}?maxpagesize=2&${later}`, `${list}?continuationToken=t`]);
  });

  test('is asked for only once: the first answer of any kind tells', async () => {
    answers = { '/count': () => ({ status: 200, body: '{"count":1}' }), ':send': () => 202 };
    await hub.send('u', 'cleared');
    rest.server.seen.length = 0;
    await hub.connections.count({ all: true });
    await hub.connections.count({ all: true });
    expect(rest.server.seen).toHaveLength(2);
  });

  test('is refused where the service is none, even when it refuses the question', async () => {
    for (const status of [200, 401]) {
      hub = rest.client<Chat>();
      answers = { '/health': () => status };
      serve({});
      const error = { code: 'ERR_NOT_SUPPORTED', outcome: 'notSent' };
      await expect(hub.connections.count({ all: true })).rejects.toMatchObject({
        ...error,
        message: 'connections.count is not offered by this service',
      });
      await expect(listed({ user: 'u' })).rejects.toMatchObject(error);
    }
    expect(asked()).toEqual([probe, probe]);
  });

  test('is not decided by a server that is down', async () => {
    answers = { '/health': () => 503, '/count': () => ({ status: 200, body: '{"count":1}' }) };
    serve({});
    await expect(hub.connections.count({ all: true })).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    delete answers['/health'];
    serve({ 'x-signalbox': '0.1.0' });
    expect(await hub.connections.count({ all: true })).toBe(1);
    answers = { ':send': () => 503 };
    serve({}); // a proxy in front
    await expect(hub.send('u', 'cleared')).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    answers = { '/count': () => ({ status: 200, body: '{"count":2}' }) };
    expect(await hub.connections.count({ all: true })).toBe(2);
  });

  test('a list of a connection is offered by nobody', async () => {
    await expect(listed({ connection: 'c' })).rejects.toMatchObject({ code: 'ERR_NOT_SUPPORTED' });
    expect(asked()).toEqual([]);
  });

  test.each(['x', '{}', 'null', '{"count":"7"}'])('a count that reads %s is refused', async (body) => {
    answers = { '/count': () => ({ status: 200, body }) };
    await expect(hub.connections.count({ all: true })).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  });

  test('a gateway without the path is told apart', async () => {
    answers = { '/count': () => refusal(404, 'Error.Request.NotFound') };
    await expect(hub.connections.count({ all: true })).rejects.toMatchObject({ code: 'ERR_NOT_SUPPORTED' });
  });
});

describe('sendBatch, where the service is a Signalbox', () => {
  const taken = ({ body }: Seen): Answer => ({
    status: 200,
    body: body.replaceAll(/.+/g, '{"status":202}'),
  });
  const lines = (seen: Seen | undefined): unknown[] =>
    (seen?.body ?? '')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown);

  test('is one request, a line for each item', async () => {
    answers = { ':sendMany': taken };
    const result = await hub.sendBatch([
      { to: 'ann', target: 'say', arguments: ['s', 'hi'] },
      { to: { group: 'g', except: 'c' }, target: 'cleared' },
      { to: { users: ['a', 'b'] }, target: 'blob', arguments: [Uint8Array.of(1, 2)] },
    ]);
    expect(result).toEqual({ sent: 3, failed: [] });
    expect(asked()).toEqual([probe, `POST /api/signalbox/hubs/chat/:sendMany?${later}`]);
    expect(rest.server.seen[1]?.headers['content-type']).toBe('application/x-ndjson');
    expect(lines(rest.server.seen[1])).toEqual([
      { to: { user: 'ann' }, target: 'say', arguments: ['s', 'hi'] },
      { to: { group: 'g', except: 'c' }, target: 'cleared', arguments: [] },
      { to: { users: ['a', 'b'] }, target: 'blob', arguments: ['AQI='] },
    ]);
  });

  test('tells which items failed, those of the program too', async () => {
    const refused = { code: 'Error.Request.Unavailable', message: 'Redis does not take more' };
    const body = ['{"status":202}', JSON.stringify({ status: 503, ...refused }), '{"status":413}'].join('\n');
    answers = { ':sendMany': () => ({ status: 200, body }) };
    const { sent, failed } = await hub.sendBatch([
      { to: 'a', target: 'cleared' },
      { to: {} as 'a', target: 'cleared' },
      { to: 'b', target: 'cleared' },
      { to: 'c', target: 'blob', arguments: [1n] },
      { to: 'd', target: 'cleared' },
    ]);
    expect(sent).toBe(1);
    expect(failed.map(({ index, error }) => [index, error.code, error.outcome])).toEqual([
      [1, 'ERR_INVALID_REQUEST', 'notSent'],
      [2, 'ERR_UNAVAILABLE', 'notSent'],
      [3, 'ERR_ENCODE', 'notSent'],
      [4, 'ERR_TOO_LARGE', 'notSent'],
    ]);
    expect(failed[1]?.error).toMatchObject({ status: 503, serviceCode: refused.code });
    expect(failed[1]?.error.message).toContain(refused.message);
  });

  test.each([
    [(): Answer => refusal(413, 'Error.Request.TooLarge'), 'ERR_TOO_LARGE', 'notSent'],
    [(): Answer => 'drop', 'ERR_UNAVAILABLE', 'unknown'],
    [(): Answer => ({ status: 200, body: '{"status":202}' }), 'ERR_UNAVAILABLE', 'unknown'],
    [(): Answer => ({ status: 200, body: '{"status":202}\n{"stat' }), 'ERR_UNAVAILABLE', 'unknown'],
  ] as const)('whose request is answered with %s fails every item', async (answer, code, outcome) => {
    answers = { ':sendMany': answer };
    const { sent, failed } = await hub.sendBatch([
      { to: 'a', target: 'cleared' },
      { to: 'b', target: 'cleared' },
    ]);
    expect([sent, ...failed.map(({ error }) => [error.code, error.outcome])]).toEqual([
      0,
      [code, outcome],
      [code, outcome],
    ]);
  });

  test('keeps the order with sends to any of its addresses, before and behind it', async () => {
    const first = gate();
    answers = { ':sendMany': taken, '/users/a/:send': () => first.opened.then(() => 202), ':send': () => 202 };
    await hub.healthy();
    rest.server.seen.length = 0;
    const sends = [
      hub.send('a', 'cleared'),
      hub.sendBatch([
        { to: 'b', target: 'cleared' },
        { to: { users: ['a', 'c'] }, target: 'cleared' },
      ]),
      hub.send('c', 'cleared'),
      hub.send('d', 'cleared'),
    ];
    await Promise.all([sends[3], rest.server.arrived(2)]);
    expect(rest.server.seen.map(({ path }) => path.split('/').slice(-2)).sort()).toEqual([
      ['a', ':send'],
      ['d', ':send'],
    ]);
    first.open();
    await Promise.all(sends);
    expect(rest.server.seen.slice(2).map(({ path }) => path.split('/').slice(-2))).toEqual([
      ['chat', ':sendMany'],
      ['c', ':send'],
    ]);
  });

  test('two batches over the same addresses in other orders do not wait for each other for ever', async () => {
    answers = { ':sendMany': taken };
    await hub.healthy();
    const batch = (...to: string[]) => to.map((user) => ({ to: user, target: 'cleared' as const }));
    const results = await Promise.all([hub.sendBatch(batch('a', 'b')), hub.sendBatch(batch('b', 'a'))]);
    expect(results.map(({ sent }) => sent)).toEqual([2, 2]);
  });

  test('of 10,001 items is two requests, one after the other', async () => {
    answers = { ':sendMany': taken };
    const items = Array.from({ length: 10_001 }, (_, n) => ({
      to: 'u',
      target: 'blob' as const,
      arguments: [n] as const,
    }));
    expect(await hub.sendBatch(items)).toEqual({ sent: 10_001, failed: [] });
    const [, first, second] = rest.server.seen;
    expect([lines(first).length, lines(second).length]).toEqual([10_000, 1]);
  });

  test('of nothing is no request', async () => {
    await hub.healthy();
    expect(await hub.sendBatch([])).toEqual({ sent: 0, failed: [] });
    expect(asked()).toEqual([probe]);
  });

  test('falls back to single requests where the service cannot be asked', async () => {
    answers = { '/health': () => 503, ':send': () => 202 };
    serve({});
    expect(await hub.sendBatch([{ to: 'a', target: 'cleared' }])).toEqual({ sent: 1, failed: [] });
  });
});
