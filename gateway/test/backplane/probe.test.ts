import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Probe } from '../../src/backplane/probe.ts';

describe('a probe', () => {
  let now: number;
  let sent: [topic: string, probe: Uint8Array][];
  let silences: number;
  let returns: number[];
  let probe: Probe;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    [now, sent, silences, returns] = [0, [], 0, []];
    probe = new Probe({
      topics: () => ['a', 'b'],
      send: (...one) => sent.push(one),
      returned: (milliseconds) => returns.push(milliseconds),
      silent: () => silences++,
      now: () => now,
    });
  });

  afterEach(() => {
    probe.stop();
    vi.useRealTimers();
  });

  /** So much time passes awake. */
  function pass(milliseconds: number): void {
    for (let left = milliseconds; left > 0; left -= 10) {
      now += 10;
      vi.advanceTimersByTime(10);
    }
  }

  /** All that is out for a topic comes back. */
  function comeBack(topic: string): void {
    const last = sent.findLast(([to]) => to === topic);
    if (last !== undefined) probe.received(...last);
  }

  it('goes out to every topic at once, and then once a second', () => {
    expect(sent.map(([topic]) => topic)).toEqual(['a', 'b']);
    pass(990);
    expect(sent).toHaveLength(2);
    pass(10);
    expect(sent).toHaveLength(4);
  });

  it('tells how long it took, and is late by the oldest that is out', () => {
    pass(100);
    expect(probe.lateness()).toBe(100);
    comeBack('a');
    pass(100);
    expect(probe.lateness()).toBe(200);
    comeBack('b');
    expect([returns, probe.lateness()]).toEqual([[100, 200], 0]);
  });

  it('is silent once it was out for 3 s on one topic, whatever comes back on others', () => {
    for (let i = 0; i < 29; i++) {
      pass(100);
      comeBack('a');
    }
    expect(silences).toBe(0);
    pass(350);
    expect(silences).toBe(1);
    pass(10_000);
    expect(silences).toBe(1);
  });

  it('is not silent for what passed while this process slept', () => {
    vi.advanceTimersByTime(60_000);
    expect([silences, probe.lateness()]).toEqual([0, 0]);
  });

  it('goes out no more once it is stopped', () => {
    probe.stop();
    pass(10_000);
    expect([sent.length, silences]).toEqual([2, 0]);
  });
});
