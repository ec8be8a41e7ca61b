import { describe, expect, test, vi } from 'vitest';
import { freezeTime } from './support/freeze-time.ts';
import { gate } from './support/gate.ts';
import { restSetup } from './support/rest-setup.ts';
import { until } from './support/until.ts';

const rest = restSetup();
const bodies = (): unknown[] => rest.server.seen.map(({ body }) => JSON.parse(body).arguments[0]);

describe('the deadline', () => {
  test('of a request without answer rejects ERR_TIMEOUT, unknown', async () => {
    freezeTime();
    rest.server.answer = () => 'hang';
    const sending = rest.client().send('u', { target: 'x' }, { timeoutMs: 200 });
    const late = expect(sending).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      outcome: 'unknown',
      message: 'waited 200 ms for the answer to sendToUser',
    });
    await rest.server.arrived(1);
    vi.advanceTimersByTime(200);
    await late;
  });

  test('counts the wait in line, where nothing has been sent', async () => {
    rest.server.answer = () => 'hang';
    const hub = rest.client();
    const first = hub.send('u', 'x', 1);
    await rest.server.arrived(1);
    const second = hub.send('u', { target: 'x', arguments: [2] }, { timeoutMs: 30 });
    await expect(second).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      outcome: 'notSent',
      message: 'waited 30 ms for the turn of sendToUser',
    });
    expect(rest.server.seen).toHaveLength(1);
    await rest.server.stop();
    await expect(first).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  });

  test('does not hold up those behind it', async () => {
    freezeTime();
    rest.server.answer = (_seen, index) => (index === 0 ? 'hang' : 202);
    const hub = rest.client();
    const first = hub.send('u', { target: 'x', arguments: [1] }, { timeoutMs: 50 });
    const late = expect(first).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    const second = hub.send('u', 'x', 2);
    await rest.server.arrived(1);
    vi.advanceTimersByTime(50);
    await Promise.all([late, second]);
    expect(bodies()).toEqual([1, 2]);
  });
});

describe('a signal', () => {
  const message = { target: 'x', arguments: [] };

  test('that is aborted already stops a send before it starts', async () => {
    const sending = rest.client().send('u', message, { signal: AbortSignal.abort() });
    await expect(sending).rejects.toMatchObject({ code: 'ERR_ABORTED', outcome: 'notSent' });
    expect(rest.server.seen).toEqual([]);
  });

  test('stops a send under way, whose outcome is unknown, and tells the reason', async () => {
    rest.server.answer = () => 'hang';
    const abort = new AbortController();
    const sending = rest.client().send('u', message, { signal: abort.signal });
    await rest.server.arrived(1);
    abort.abort('enough');
    await expect(sending).rejects.toMatchObject({ code: 'ERR_ABORTED', outcome: 'unknown', cause: 'enough' });
  });

  test('stops the pause before a retry', async () => {
    freezeTime();
    vi.mocked(Math.random).mockReturnValue(1);
    const abort = new AbortController();
    const observe = { request: () => setImmediate(() => abort.abort()) };
    rest.server.answer = () => 503;
    const sending = rest.client({ observe }).send('u', message, { signal: abort.signal });
    await expect(sending).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      outcome: 'notSent',
      message: 'given up while waiting for the next try of sendToUser',
    });
    expect(rest.server.seen).toHaveLength(1);
  });

  test('may be shared by many calls', async () => {
    const warned = vi.fn();
    process.on('warning', warned);
    const hub = rest.client();
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 30 }, (_, n) => hub.send(`user${n}`, message, { signal })));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', warned);
    expect(warned).not.toHaveBeenCalled();
  });
});

describe('what waits', () => {
  test('is at most 16 MiB: ERR_QUEUE_FULL at once', async () => {
    rest.server.answer = () => 'hang';
    const hub = rest.client();
    const abort = new AbortController();
    const large = { target: 'x', arguments: ['x'.repeat(6 * 1024 * 1024)] };
    const sends = ['a', 'b', 'c'].map((user) => hub.send(user, large, { signal: abort.signal }));
    await expect(sends[2]).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL', outcome: 'notSent', retryable: true });
    abort.abort();
    expect((await Promise.allSettled(sends)).map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
    rest.server.answer = () => 202;
    await hub.send('d', large);
  });

  test('counts a list as a whole: all of it is sent, or nothing', async () => {
    const users = Array.from({ length: 40_000 }, (_, n) => `user${n}`);
    await expect(rest.client().send({ users }, 'x')).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    expect(rest.server.seen).toEqual([]);
  });
});

describe('close', () => {
  test('lets what is under way end, refuses what comes later, and leaves no connection', async () => {
    const answered = gate();
    rest.server.answer = () => answered.opened.then(() => 202);
    const hub = rest.client();
    const sends = [hub.send('u', 'x', 1), hub.send('u', 'x', 2)];
    await rest.server.arrived(1);
    const closing = hub.close();
    await expect(hub.send('u', 'x', 3)).rejects.toMatchObject({ code: 'ERR_STOPPED', outcome: 'notSent' });
    await expect(hub.healthy()).rejects.toMatchObject({ code: 'ERR_STOPPED' });
    answered.open();
    await Promise.all([...sends, closing]);
    expect(bodies()).toEqual([1, 2]);
    await until(async () => (await rest.server.connections()) === 0);
  });

  test('may be called again', async () => {
    const hub = rest.client();
    expect(hub.close()).toBe(hub.close());
  });
});
