import { RestError, SignalboxError } from '@signalbox/app-sdk';
import { expect, test, vi } from 'vitest';
import { failureReporter, type Logger, stderrLogger } from '../src/observe.ts';

function reporter() {
  const clock = { now: 0 };
  const warn = vi.fn<Logger['warn']>();
  const report = failureReporter({ debug: vi.fn(), info: vi.fn(), warn, error: vi.fn() }, () => clock.now);
  return { clock, warn, report, facts: () => warn.mock.calls.map(([facts]) => facts) };
}

const lost = new SignalboxError('ERR_UNAVAILABLE', 'gone', { outcome: 'unknown' });

test('failures are logged once per code and second, and the others are counted', () => {
  const { clock, report, facts } = reporter();
  for (const now of [0, 10, 999, 1000, 1500]) {
    clock.now = now;
    report(lost, { hub: 'chat', to: 'user' });
  }
  report(new SignalboxError('ERR_TIMEOUT', 'slow'), { hub: 'chat', to: 'all' });
  expect(facts()).toEqual([
    { code: 'ERR_UNAVAILABLE', hub: 'chat', to: 'user', outcome: 'unknown' },
    { code: 'ERR_UNAVAILABLE', hub: 'chat', to: 'user', outcome: 'unknown', more: 2 },
    { code: 'ERR_TIMEOUT', hub: 'chat', to: 'all', outcome: 'notSent' },
  ]);
});

test('what the service said is not logged, its status is', () => {
  const { report, facts } = reporter();
  report(new RestError('ERR_INVALID_REQUEST', 'you sent "secret"', { status: 400 }), { hub: 'chat' });
  expect(facts()).toEqual([{ code: 'ERR_INVALID_REQUEST', hub: 'chat', outcome: 'notSent', status: 400 }]);
});

test('an error of unknown kind is logged without its text', () => {
  const { report, facts } = reporter();
  report(new Error('secret'), { hub: 'chat' });
  expect(facts()).toEqual([{ code: 'Error', hub: 'chat' }]);
});

test('the default logger writes warn and error as JSON lines on stderr, and is silent below', () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  stderrLogger.debug({ n: 1 }, 'a');
  stderrLogger.info({ n: 2 }, 'b');
  stderrLogger.warn({ n: 3 }, 'c');
  stderrLogger.error({ n: 4 }, 'd');
  const lines = write.mock.calls.map(([text]) => String(text));
  write.mockRestore();
  expect(lines.map((line) => line.endsWith('\n'))).toEqual([true, true]);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/), msg: 'c', n: 3 },
    { level: 'error', time: expect.stringMatching(/^\d{4}-.*Z$/), msg: 'd', n: 4 },
  ]);
});
