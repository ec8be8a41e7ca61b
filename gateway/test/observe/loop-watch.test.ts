import { beforeEach, expect, test } from 'vitest';
import { LoopWatch } from '../../src/observe/loop-watch.ts';

let now: number;
let loop: LoopWatch;
beforeEach(() => {
  now = 1000;
  loop = new LoopWatch({ lateMs: 2000, now: () => now });
});

/** The timer, which wants to fire every half second, fires so late. */
function beat(lateMs = 0): void {
  now += 500 + lateMs;
  loop.beat();
}

test('a loop in time is well, also when it is late by as much as it may', () => {
  for (const late of [0, 300, 2000]) beat(late);
  expect(loop.state()).toEqual({ up: true });
});

test('a late beat is told with its time, since when it should have come', () => {
  const before = Date.now();
  beat(2001);
  const state = loop.state();
  expect(state).toMatchObject({ up: false, why: 'the event loop was late by 2001 ms' });
  const due = state.up ? 0 : state.since + 2001;
  expect([due >= before, due <= Date.now()]).toEqual([true, true]);
});

test('a loop that is late again and again is not well in between, and the worst is told', () => {
  beat(4000);
  const first = loop.state();
  for (let i = 0; i < 3; i++) beat();
  beat(2500);
  for (let i = 0; i < 9; i++) beat();
  expect(loop.state()).toEqual(first);
});

test('a loop that was in time for five seconds is well again', () => {
  beat(3000);
  for (let i = 0; i < 9; i++) beat();
  expect(loop.state().up).toBe(false);
  beat();
  expect(loop.state()).toEqual({ up: true });
});
