import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Backoff, retryDelayMs } from '../../src/backoff.ts';

describe('the delay', () => {
  test('is none at first, then 1, 2, 4, 8, 16, 32 and 60 seconds for ever', () => {
    const delays = [0, 1, 2, 3, 4, 5, 6, 7, 8, 1000].map((failures) => retryDelayMs(failures, () => 0));
    expect(delays).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  test('has up to a second more, by chance', () => {
    expect(retryDelayMs(1, () => 0.5)).toBe(1500);
    expect(retryDelayMs(8, () => 0.999_999)).toBe(61_000);
    expect(retryDelayMs(0, () => 0.999_999)).toBe(0);
  });
});

describe('the back-off', () => {
  let controller: AbortController;
  let backoff: Backoff;
  /** When attempts began, in seconds, by their names. */
  let begun: [name: string, at: number][];
  let outcome: (name: string) => Promise<string>;
  const failed = vi.fn();

  beforeEach(() => {
    vi.useFakeTimers();
    vi.setSystemTime(0);
    vi.spyOn(Math, 'random').mockReturnValue(0);
    controller = new AbortController();
    backoff = new Backoff(controller.signal);
    begun = [];
    failed.mockReset();
    outcome = async () => Promise.reject(new Error('no'));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  const run = (name: string, atOnce = false): Promise<string | undefined> =>
    backoff.run(
      () => {
        begun.push([name, Date.now() / 1000]);
        return outcome(name);
      },
      failed,
      atOnce,
    );

  test('tries at once, then after 1, 3, 7, 15, 31, 63, 123 and 183 seconds', async () => {
    void run('a');
    await vi.advanceTimersByTimeAsync(200_000);
    expect(begun.map(([, at]) => at)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
    expect(failed.mock.calls.slice(0, 3).map(([, retryInMs]) => retryInMs)).toEqual([1000, 2000, 4000]);
  });

  test('lets one probe while the others wait, and one of them after each failure', async () => {
    for (const name of ['a', 'b', 'c']) void run(name);
    await vi.advanceTimersByTimeAsync(8000);
    expect(begun.map(([, at]) => at)).toEqual([0, 1, 3, 7]);
  });

  test('lets nobody else probe while a probe hangs', async () => {
    outcome = () => new Promise(() => undefined);
    for (const name of ['a', 'b']) void run(name);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(begun).toEqual([['a', 0]]);
  });

  test('lets all others go at the moment of a success, and starts from none afterwards', async () => {
    outcome = async (name) => (Date.now() < 3000 ? Promise.reject(new Error('no')) : name);
    const results = Promise.all(['a', 'b', 'c'].map((name) => run(name)));
    await vi.advanceTimersByTimeAsync(3000);
    expect(await results).toEqual(['a', 'b', 'c']);
    expect(begun.filter(([, at]) => at === 3)).toHaveLength(3);
    begun = [];
    await run('d');
    expect(begun).toEqual([['d', 3]]);
  });

  test('counts first attempts that are made at once and fail together as one', async () => {
    for (const name of ['a', 'b', 'c']) void run(name, true);
    await vi.advanceTimersByTimeAsync(1500);
    expect(begun.map(([, at]) => at)).toEqual([0, 0, 0, 1]);
  });

  test('counts a success that did not last as a failure', async () => {
    expect(backoff.fail()).toBe(1000);
    outcome = async (name) => name;
    const result = run('a');
    await vi.advanceTimersByTimeAsync(1000);
    expect(await result).toBe('a');
    expect(begun).toEqual([['a', 1]]);
  });

  test('ends with its signal, in the middle of a wait, and tells of nothing then', async () => {
    const result = run('a');
    await vi.advanceTimersByTimeAsync(500);
    controller.abort();
    expect(await result).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
    expect(failed).toHaveBeenCalledTimes(1);
  });
});
