import { createServer } from 'node:net';
import { type Logger, SignalboxClient, type SignalboxClientOptions } from '@signalbox/app-sdk';
import { MockAgent } from 'undici';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { backoffMs } from '../src/retry.ts';
import { gate } from './support/gate.ts';
import { type Answer, RestServer } from './support/rest-server.ts';

const logger = { debug: vi.fn<Logger['debug']>(), info: vi.fn(), warn: vi.fn<Logger['warn']>(), error: vi.fn() };
let server: RestServer;
let open: SignalboxClient[];

function client(options: Partial<SignalboxClientOptions> = {}, connectionString = server.connectionString()) {
  const made = new SignalboxClient(connectionString, { hub: 'chat', logger, ...options });
  open.push(made);
  return made;
}

beforeEach(async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  server = await new RestServer().start();
  open = [];
  logger.warn.mockClear();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await server.stop();
  await Promise.all(open.map((made) => made.close()));
});

const codeOf = (reason: unknown): unknown => (reason as { code?: unknown }).code;
const bodies = (): unknown[] => server.seen.map(({ body }) => JSON.parse(body).arguments[0]);

describe('retries', () => {
  test.each<[Answer, number, string, string]>([
    [429, 3, 'ERR_THROTTLED', 'notSent'],
    [503, 3, 'ERR_UNAVAILABLE', 'notSent'],
    [500, 1, 'ERR_UNAVAILABLE', 'unknown'],
    [502, 1, 'ERR_UNAVAILABLE', 'unknown'],
    [504, 1, 'ERR_UNAVAILABLE', 'unknown'],
    ['drop', 1, 'ERR_UNAVAILABLE', 'unknown'],
    [408, 1, 'ERR_TIMEOUT', 'unknown'],
    [400, 1, 'ERR_INVALID_REQUEST', 'notSent'],
    [401, 1, 'ERR_UNAUTHORIZED', 'notSent'],
    [403, 1, 'ERR_UNAUTHORIZED', 'notSent'],
    [404, 1, 'ERR_INVALID_REQUEST', 'notSent'],
    [405, 1, 'ERR_NOT_SUPPORTED', 'notSent'],
    [413, 1, 'ERR_TOO_LARGE', 'notSent'],
    [431, 1, 'ERR_TOO_LARGE', 'notSent'],
    [302, 1, 'ERR_INVALID_REQUEST', 'notSent'],
  ])('of a send answered %j: %d requests, then %s, %s', async (answer, requests, code, outcome) => {
    server.answer = () => answer;
    await expect(client().send('u', 'x')).rejects.toMatchObject({ code, outcome });
    expect(server.seen).toHaveLength(requests);
  });

  const idempotent = [
    ['a read', (hub: SignalboxClient) => hub.connections.exists({ user: 'u' })],
    ['a group change', (hub: SignalboxClient) => hub.groups.addToGroup('c', 'g')],
    ['a close', (hub: SignalboxClient) => hub.connections.close({ user: 'u' })],
  ] as const;
  const transient: Answer[] = [408, 429, 500, 501, 502, 503, 504, 'drop'];
  const final: Answer[] = [400, 401, 404, 413];

  test.each(idempotent)('of %s come twice, for all that may pass', async (_name, run) => {
    for (const answer of transient) {
      server.seen.length = 0;
      server.answer = () => answer;
      await expect(run(client())).rejects.toThrow();
      expect(server.seen, String(answer)).toHaveLength(3);
    }
  });

  test.each(idempotent)('of %s do not come for what will not pass', async (_name, run) => {
    for (const answer of final) {
      server.seen.length = 0;
      server.answer = () => answer;
      await expect(run(client())).rejects.toThrow();
      expect(server.seen, String(answer)).toHaveLength(1);
    }
  });

  test('end with the first success', async () => {
    server.answer = (_seen, index) => (index < 2 ? 503 : 202);
    await client().send('u', 'x');
    expect(server.seen).toHaveLength(3);
  });

  test('are as many as the option says', async () => {
    server.answer = () => 503;
    await expect(client({ retries: 0 }).send('u', 'x')).rejects.toMatchObject({ status: 503 });
    expect(server.seen).toHaveLength(1);
  });

  test('of a send come where no connection was made: it is surely not sent', async () => {
    const { port } = server;
    await server.stop();
    const attempts: (number | undefined)[] = [];
    const observe = { request: ({ status }: { status: number | undefined }) => attempts.push(status) };
    const hub = client({ observe }, `Endpoint=http://127.0.0.1:${port};AccessKey=k`);
    await expect(hub.send('u', 'x')).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      outcome: 'notSent',
      retryable: true,
      message: 'sendToUser: no connection to the service (ECONNREFUSED)',
    });
    expect(attempts).toEqual([undefined, undefined, undefined]);
    server = await new RestServer().start();
  });

  test('leave the outcome unknown when one attempt was', async () => {
    server.answer = (_seen, index) => (index === 0 ? 500 : 429);
    const closing = client().connections.close({ user: 'u' });
    await expect(closing).rejects.toMatchObject({ status: 429, outcome: 'unknown' });
  });

  test('wait with full jitter, up to 200 ms and then 400 ms', () => {
    expect([backoffMs(1, () => 0), backoffMs(1, () => 1), backoffMs(2, () => 1), backoffMs(2, () => 0.5)]).toEqual([
      0, 200, 400, 200,
    ]);
  });

  test('do not come when the pause would outlast the deadline', async () => {
    vi.mocked(Math.random).mockReturnValue(1);
    server.answer = () => 503;
    await expect(client({ timeoutMs: 150 }).send('u', 'x')).rejects.toMatchObject({ status: 503 });
    expect(server.seen).toHaveLength(1);
  });
});

describe('order', () => {
  test('is kept per address, one request at a time, while other addresses go ahead', async () => {
    const first = gate();
    server.answer = (_seen, index) => (index === 0 ? first.opened.then(() => 202) : 202);
    const hub = client();
    const sends = [hub.send('a', 'x', 1), hub.send('a', 'x', 2), hub.send('a', 'x', 3), hub.send('b', 'x', 4)];
    await sends[3];
    expect(new Set(bodies())).toEqual(new Set([1, 4]));
    first.open();
    await Promise.all(sends);
    expect(bodies().filter((body) => body !== 4)).toEqual([1, 2, 3]);
  });

  test('holds for lists, whose members have lines of their own', async () => {
    const hub = client({ connections: 2 });
    const users = Array.from({ length: 20 }, (_, n) => `u${n}`);
    await Promise.all([hub.send({ users }, 'x', 1), hub.send('u19', 'x', 2), hub.send({ users: ['u19'] }, 'x', 3)]);
    const last = server.seen.filter(({ path }) => path.includes('/u19/'));
    expect(last.map(({ body }) => JSON.parse(body).arguments[0])).toEqual([1, 2, 3]);
  });

  test('holds across retries', async () => {
    server.answer = (_seen, index) => (index < 2 ? 503 : 202);
    const hub = client();
    await Promise.all([hub.send('a', 'x', 1), hub.send('a', 'x', 2)]);
    expect(bodies()).toEqual([1, 1, 1, 2]);
  });

  test('holds between sends to a connection, its group changes and its close', async () => {
    const hub = client();
    await Promise.all([
      hub.send({ connection: 'c' }, 'x', 1),
      hub.groups.addToGroup('c', 'g'),
      hub.send({ connection: 'c' }, 'x', 2),
      hub.connections.close({ connection: 'c' }),
    ]);
    expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'PUT', 'POST', 'DELETE']);
  });

  test('goes on after a request that failed', async () => {
    server.answer = (_seen, index) => (index === 0 ? 413 : 202);
    const hub = client();
    const results = await Promise.allSettled([hub.send('a', 'x', 1), hub.send('a', 'x', 2)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  test('lets an invoke wait for the sends before it, and the sends after it pass', async () => {
    const asked = gate();
    server.answer = ({ path }) =>
      path.endsWith(':invoke') ? asked.opened.then(() => ({ status: 200, body: '{"result":7}' })) : 202;
    const hub = client();
    const before = hub.send({ connection: 'c' }, 'x', 1);
    const asking = hub.clients.client('c').invoke('ask', 2);
    await before;
    await server.arrived(2);
    await hub.send({ connection: 'c' }, 'x', 3);
    asked.open();
    expect(await asking).toBe(7);
    expect(bodies()).toEqual([1, 2, 3]);
  });

  test('is given up with "ordered: false"', async () => {
    const all = gate();
    server.answer = () => all.opened.then(() => 202);
    const hub = client({ ordered: false });
    const sends = [hub.send('a', 'x', 1), hub.send('a', 'x', 2)];
    await server.arrived(2);
    all.open();
    await Promise.all(sends);
  });
});

describe('connections', () => {
  test('are kept alive and used again', async () => {
    const hub = client();
    await hub.send('a', 'x');
    await hub.send('b', 'x');
    const [first, second] = server.seen;
    expect(first?.clientPort).toBe(second?.clientPort);
  });

  test('are as many as the option says', async () => {
    const all = gate();
    server.answer = () => all.opened.then(() => 202);
    const hub = client({ connections: 3 });
    const sends = Array.from({ length: 9 }, (_, n) => hub.send(`user${n}`, 'x'));
    await server.arrived(3);
    all.open();
    await Promise.all(sends);
    expect(server.mostOpen).toBe(3);
  });

  test('are those of the dispatcher given, which is left open', async () => {
    const agent = new MockAgent();
    agent.disableNetConnect();
    const service = agent.get('http://mock');
    service
      .intercept({ method: 'POST', path: /users\/u\/:send/ })
      .reply(202)
      .times(2);
    for (const _ of [1, 2]) {
      const hub = client({ dispatcher: agent }, 'Endpoint=http://mock;AccessKey=k');
      await hub.send('u', 'x');
      await hub.close();
    }
    expect(agent.pendingInterceptors()).toEqual([]);
    await agent.close();
  });
});

describe('the deadline', () => {
  test('of a request without answer rejects ERR_TIMEOUT, unknown', async () => {
    server.answer = () => 'hang';
    await expect(client({ timeoutMs: 50 }).send('u', 'x')).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      outcome: 'unknown',
      message: 'waited 50 ms for the answer to sendToUser',
    });
  });

  test('counts the wait in line, where nothing has been sent', async () => {
    server.answer = () => 'hang';
    const hub = client();
    const first = hub.send('u', 'x', 1);
    await server.arrived(1);
    const second = hub.send('u', { target: 'x', arguments: [2] }, { timeoutMs: 30 });
    await expect(second).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      outcome: 'notSent',
      message: 'waited 30 ms for the turn of sendToUser',
    });
    expect(server.seen).toHaveLength(1);
    await server.stop();
    await expect(first).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    server = await new RestServer().start();
  });

  test('does not hold up those behind it', async () => {
    server.answer = (_seen, index) => (index === 0 ? 'hang' : 202);
    const hub = client();
    const first = hub.send('u', { target: 'x', arguments: [1] }, { timeoutMs: 50 });
    const second = hub.send('u', 'x', 2);
    await expect(first).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    await second;
    expect(bodies()).toEqual([1, 2]);
  });

  test('of a connection that is never made rejects with notSent', async () => {
    const deaf = createServer();
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
    const { port } = deaf.address() as { port: number };
    const gone = new Promise<void>((resolve) =>
      deaf.once('connection', (socket) => socket.resume().once('close', resolve)),
    );
    const hub = client({ timeoutMs: 50 }, `Endpoint=https://127.0.0.1:${port};AccessKey=k`);
    await expect(hub.send('u', 'x')).rejects.toMatchObject({ code: 'ERR_TIMEOUT', outcome: 'notSent' });
    await hub.close();
    await gone;
    deaf.close();
  });
});

describe('a signal', () => {
  const message = { target: 'x', arguments: [] };

  test('that is aborted already stops a send before it starts', async () => {
    const sending = client().send('u', message, { signal: AbortSignal.abort() });
    await expect(sending).rejects.toMatchObject({ code: 'ERR_ABORTED', outcome: 'notSent' });
    expect(server.seen).toEqual([]);
  });

  test('stops a send under way, whose outcome is unknown, and tells the reason', async () => {
    server.answer = () => 'hang';
    const abort = new AbortController();
    const sending = client().send('u', message, { signal: abort.signal });
    await server.arrived(1);
    abort.abort('enough');
    await expect(sending).rejects.toMatchObject({ code: 'ERR_ABORTED', outcome: 'unknown', cause: 'enough' });
  });

  test('stops the pause before a retry', async () => {
    vi.mocked(Math.random).mockReturnValue(1);
    const abort = new AbortController();
    const observe = { request: () => setImmediate(() => abort.abort()) };
    server.answer = () => 503;
    const sending = client({ observe }).send('u', message, { signal: abort.signal });
    await expect(sending).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      outcome: 'notSent',
      message: 'given up while waiting for the next try of sendToUser',
    });
    expect(server.seen).toHaveLength(1);
  });

  test('may be shared by many calls', async () => {
    const warned = vi.fn();
    process.on('warning', warned);
    const hub = client();
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 30 }, (_, n) => hub.send(`user${n}`, message, { signal })));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', warned);
    expect(warned).not.toHaveBeenCalled();
  });
});

describe('what waits', () => {
  test('is at most 16 MiB: ERR_QUEUE_FULL at once', async () => {
    server.answer = () => 'hang';
    const hub = client();
    const abort = new AbortController();
    const large = { target: 'x', arguments: ['x'.repeat(6 * 1024 * 1024)] };
    const sends = ['a', 'b', 'c'].map((user) => hub.send(user, large, { signal: abort.signal }));
    await expect(sends[2]).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL', outcome: 'notSent', retryable: true });
    abort.abort();
    expect((await Promise.allSettled(sends)).map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
    server.answer = () => 202;
    await hub.send('d', large);
  });

  test('counts a list as a whole: all of it is sent, or nothing', async () => {
    const users = Array.from({ length: 40_000 }, (_, n) => `user${n}`);
    await expect(client().send({ users }, 'x')).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    expect(server.seen).toEqual([]);
  });
});

describe('close', () => {
  test('lets what is under way end, refuses what comes later, and leaves no connection', async () => {
    const answered = gate();
    server.answer = () => answered.opened.then(() => 202);
    const hub = client();
    const sends = [hub.send('u', 'x', 1), hub.send('u', 'x', 2)];
    await server.arrived(1);
    const closing = hub.close();
    await expect(hub.send('u', 'x', 3)).rejects.toMatchObject({ code: 'ERR_STOPPED', outcome: 'notSent' });
    await expect(hub.healthy()).rejects.toMatchObject({ code: 'ERR_STOPPED' });
    answered.open();
    await Promise.all([...sends, closing]);
    expect(bodies()).toEqual([1, 2]);
    await vi.waitFor(async () => expect(await server.connections()).toBe(0));
  });

  test('may be called again', async () => {
    const hub = client();
    expect(hub.close()).toBe(hub.close());
  });
});

describe('a send that nobody awaits', () => {
  const logged = (): Promise<void> => new Promise((resolve) => logger.warn.mockImplementationOnce(() => resolve()));

  test('and that fails is logged, without arguments, and ends in no unhandled rejection', async () => {
    server.answer = () => ({ status: 413, headers: { 'content-type': 'application/json' }, body: '{"message":"big"}' });
    const line = logged();
    void client().clients.user('alice').send('x', 'secret');
    await line;
    expect(logger.warn.mock.calls).toEqual([
      [{ code: 'ERR_TOO_LARGE', hub: 'chat', to: 'user', outcome: 'notSent', status: 413 }, 'send failed'],
    ]);
  });

  test('and that is a mistake of the program is logged with its text', async () => {
    const line = logged();
    void client().send({} as 'u', 'x');
    await line;
    expect(logger.warn.mock.calls[0]?.[0]).toMatchObject({
      code: 'TypeError',
      error: expect.stringContaining('got none'),
    });
  });

  test('is logged once per code and second', async () => {
    server.answer = ({ path }) => (path.includes('/odd/') ? 400 : 413);
    const hub = client();
    await Promise.allSettled(['a', 'b', 'c', 'odd'].map((user) => hub.send(user, 'x')));
    expect(logger.warn.mock.calls.map(([facts]) => codeOf(facts)).sort()).toEqual([
      'ERR_INVALID_REQUEST',
      'ERR_TOO_LARGE',
    ]);
  });
});
