import { expect, test } from 'vitest';
import { restartPauseMs } from '../../src/workers/worker-keeper.ts';

test('the pause before a worker is started again doubles from 0.1 s up to 10 s', () => {
  const pauses = [1, 2, 3, 7, 8, 1000].map(restartPauseMs);
  expect(pauses).toEqual([100, 200, 400, 6400, 10_000, 10_000]);
});
