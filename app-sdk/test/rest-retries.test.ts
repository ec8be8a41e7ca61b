import type { SignalboxClient } from '@signalbox/app-sdk';
import { describe, expect, test, vi } from 'vitest';
import { backoffMs } from '../src/retry.ts';
import { freezeTime } from './support/freeze-time.ts';
import type { Answer } from './support/rest-server.ts';
import { restSetup } from './support/rest-setup.ts';

const rest = restSetup();

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
    rest.server.answer = () => answer;
    await expect(rest.client().send('u', 'x')).rejects.toMatchObject({ code, outcome });
    expect(rest.server.seen).toHaveLength(requests);
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
      rest.server.seen.length = 0;
      rest.server.answer = () => answer;
      await expect(run(rest.client())).rejects.toThrow();
      expect(rest.server.seen, String(answer)).toHaveLength(3);
    }
  });

  test.each(idempotent)('of %s do not come for what will not pass', async (_name, run) => {
    for (const answer of final) {
      rest.server.seen.length = 0;
      rest.server.answer = () => answer;
      await expect(run(rest.client())).rejects.toThrow();
      expect(rest.server.seen, String(answer)).toHaveLength(1);
    }
  });

  test('end with the first success', async () => {
    rest.server.answer = (_seen, index) => (index < 2 ? 503 : 202);
    await rest.client().send('u', 'x');
    expect(rest.server.seen).toHaveLength(3);
  });

  test('are as many as the option says', async () => {
    rest.server.answer = () => 503;
    await expect(rest.client({ retries: 0 }).send('u', 'x')).rejects.toMatchObject({ status: 503 });
    expect(rest.server.seen).toHaveLength(1);
  });

  test('of a send come where no connection was made: it is surely not sent', async () => {
    const { port } = rest.server;
    await rest.server.stop();
    const attempts: (number | undefined)[] = [];
    const observe = { request: ({ status }: { status: number | undefined }) => attempts.push(status) };
    const hub = rest.client({ observe }, `Endpoint=http://127.0.0.1:${port};AccessKey=k`);
    await expect(hub.send('u', 'x')).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      outcome: 'notSent',
      retryable: true,
      message: 'sendToUser: no connection to the service (ECONNREFUSED)',
    });
    expect(attempts).toEqual([undefined, undefined, undefined]);
  });

  test('leave the outcome unknown when one attempt was', async () => {
    rest.server.answer = (_seen, index) => (index === 0 ? 500 : 429);
    const closing = rest.client().connections.close({ user: 'u' });
    await expect(closing).rejects.toMatchObject({ status: 429, outcome: 'unknown' });
  });

  test('wait with full jitter, up to 200 ms and then 400 ms', () => {
    expect([backoffMs(1, () => 0), backoffMs(1, () => 1), backoffMs(2, () => 1), backoffMs(2, () => 0.5)]).toEqual([
      0, 200, 400, 200,
    ]);
  });

  test('do not come when the pause would outlast the deadline', async () => {
    freezeTime();
    vi.mocked(Math.random).mockReturnValue(1);
    rest.server.answer = () => 503;
    await expect(rest.client({ timeoutMs: 150 }).send('u', 'x')).rejects.toMatchObject({ status: 503 });
    expect(rest.server.seen).toHaveLength(1);
  });
});
