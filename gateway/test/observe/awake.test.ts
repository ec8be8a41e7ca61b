import { beforeEach, describe, expect, test } from 'vitest';
import { AwakeClock, afterAwake } from '../../src/observe/awake.ts';

describe('the clock of a process that is awake', () => {
  let now: number;
  let clock: AwakeClock;
  beforeEach(() => {
    now = 5000;
    clock = new AwakeClock(() => now);
  });

  /** The event loop turns for so long, in time. */
  function turn(ms: number): void {
    for (let left = ms; left > 0; left -= 100) {
      now += Math.min(left, 100);
      clock.look();
    }
  }

  test('counts all time while the event loop turns', () => {
    turn(1000);
    now += 50;
    expect(clock.now()).toBe(1050);
  });

  test('counts of a stand-still only what could have been a late look, before and after that look', () => {
    turn(1000);
    now += 60_000;
    expect(clock.now()).toBe(1200);
    clock.look();
    expect(clock.now()).toBe(1200);
    turn(300);
    expect(clock.now()).toBe(1500);
  });

  test('counts the whole of short stand-stills', () => {
    for (let i = 0; i < 10; i++) {
      now += 200;
      clock.look();
    }
    expect(clock.now()).toBe(2000);
  });
});

describe('what is due after time awake', () => {
  test('comes when that has passed', async () => {
    await new Promise<void>((resolve) => afterAwake(10, resolve));
  });

  test('waits on for what the process missed', async () => {
    const started = performance.now();
    let asleep = 0;
    await new Promise<void>((resolve) => {
      afterAwake(40, resolve, () => performance.now() - started - asleep);
      asleep = 60;
    });
    expect(performance.now() - started).toBeGreaterThanOrEqual(100);
  });

  test('does not come once it is called off', async () => {
    let came = false;
    const callOff = afterAwake(1, () => {
      came = true;
    });
    callOff();
    await new Promise<void>((resolve) => afterAwake(5, resolve));
    expect(came).toBe(false);
  });
});
