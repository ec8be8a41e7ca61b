import { describe, expect, test, vi } from 'vitest';
import { restSetup } from './support/rest-setup.ts';

const rest = restSetup();
const codeOf = (facts: object): unknown => (facts as { code?: unknown }).code;

describe('a send that nobody awaits', () => {
  const logged = (): Promise<void> =>
    new Promise((resolve) => rest.logger.warn.mockImplementationOnce(() => resolve()));

  test('and that fails is logged, without arguments, and ends in no unhandled rejection', async () => {
    rest.server.answer = () => ({
      status: 413,
      headers: { 'content-type': 'application/json' },
      body: '{"message":"big"}',
    });
    const line = logged();
    void rest.client().clients.user('alice').send('x', 'secret');
    await line;
    expect(rest.logger.warn.mock.calls).toEqual([
      [{ code: 'ERR_TOO_LARGE', hub: 'chat', to: 'user', outcome: 'notSent', status: 413 }, 'send failed'],
    ]);
  });

  test('and that is a mistake of the program is logged with its text', async () => {
    const line = logged();
    void rest.client().send({} as 'u', 'x');
    await line;
    expect(rest.logger.warn.mock.calls[0]?.[0]).toMatchObject({
      code: 'TypeError',
      error: expect.stringContaining('got none'),
    });
  });

  test('is logged once per code and second', async () => {
    rest.server.answer = ({ path }) => (path.includes('/odd/') ? 400 : 413);
    vi.spyOn(Date, 'now').mockReturnValue(Date.now()); // one second for all, however slow the machine
    const hub = rest.client();
    await Promise.allSettled(['a', 'b', 'c', 'odd'].map((user) => hub.send(user, 'x')));
    expect(rest.logger.warn.mock.calls.map(([facts]) => codeOf(facts)).sort()).toEqual([
      'ERR_INVALID_REQUEST',
      'ERR_TOO_LARGE',
    ]);
  });
});
