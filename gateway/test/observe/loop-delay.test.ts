import { expect, onTestFinished, test } from 'vitest';
import { LoopDelay } from '../../src/observe/loop-delay.ts';
import { until } from '../support/until.ts';

const hangMs = 100;
const worst = 100;

/** Nothing runs on this thread meanwhile. */
function hang(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, hangMs);
}

test('a hang is told to everybody who asks, until the older record was begun anew twice', async () => {
  const delay = new LoopDelay();
  onTestFinished(() => delay.close());
  delay.start();
  const told = (): boolean => delay.late(worst) >= hangMs / 2000;
  await until('a hang is told', () => {
    hang();
    return told();
  });
  expect([told(), told()]).toEqual([true, true]);
  delay.turn();
  expect(told(), 'the younger record has it too').toBe(true);
  delay.turn();
  expect(delay.late(worst)).toBe(0);
});
