import { describe, expect, it } from 'vitest';
import { Watches, type Watching } from '../../src/core/watches.ts';

/** A bus that keeps what it was asked, and refuses while told to. */
class FakeBus implements Watching {
  readonly remote: boolean;
  readonly asked: string[] = [];
  refuses = false;

  constructor(remote = true) {
    this.remote = remote;
  }

  async watch(topic: string): Promise<void> {
    this.asked.push(`watch ${topic}`);
    if (this.refuses) throw new Error('refused');
  }

  async unwatch(topic: string): Promise<void> {
    this.asked.push(`unwatch ${topic}`);
  }
}

const lingerMs = 10_000;

function make(bus = new FakeBus()): { bus: FakeBus; watches: Watches; clock: { now: number } } {
  const clock = { now: 0 };
  return { bus, clock, watches: new Watches(bus, lingerMs, () => clock.now) };
}

describe('watches', () => {
  it('watch with the first holder, and with no other', async () => {
    const { bus, watches } = make();
    await Promise.all([watches.hold('a'), watches.hold('a'), watches.hold('b')]);
    expect(bus.asked).toEqual(['watch a', 'watch b']);
    expect(watches.size).toBe(2);
  });

  it('tell a second holder no sooner than the first that the topic is watched', async () => {
    const bus = new FakeBus();
    let tell: () => void = () => undefined;
    bus.watch = () => new Promise((resolve) => (tell = resolve));
    const { watches } = make(bus);
    const told: string[] = [];
    const holders = ['first', 'second'].map((name) => watches.hold('a').then(() => told.push(name)));
    await Promise.resolve();
    expect(told).toEqual([]);
    tell();
    await Promise.all(holders);
    expect(told).toEqual(['first', 'second']);
  });

  it('give a topic up when its last holder left and it has lingered', async () => {
    const { bus, clock, watches } = make();
    await Promise.all([watches.hold('a'), watches.hold('a')]);
    watches.release('a');
    clock.now = 20_000;
    watches.sweep();
    expect(bus.asked).toEqual(['watch a']);
    watches.release('a');
    clock.now += lingerMs - 1;
    watches.sweep();
    expect(bus.asked).toEqual(['watch a']);
    clock.now += 1;
    watches.sweep();
    expect(bus.asked).toEqual(['watch a', 'unwatch a']);
    expect(watches.size).toBe(0);
    await watches.hold('a');
    expect(bus.asked).toEqual(['watch a', 'unwatch a', 'watch a']);
  });

  it('ask nothing for a holder who comes back while the topic lingers', async () => {
    const { bus, clock, watches } = make();
    await watches.hold('a');
    watches.release('a');
    clock.now = 9_000;
    await watches.hold('a');
    clock.now = 30_000;
    watches.sweep();
    watches.release('a');
    clock.now += 9_000; // it lingers from its last release on
    watches.sweep();
    expect(bus.asked).toEqual(['watch a']);
  });

  it('give up only what has lingered long enough, oldest first', async () => {
    const { bus, clock, watches } = make();
    for (const topic of ['a', 'b', 'c']) await watches.hold(topic);
    for (const topic of ['b', 'a']) {
      watches.release(topic);
      clock.now += 5_000;
    }
    clock.now = 10_000;
    watches.sweep();
    expect(bus.asked.slice(3)).toEqual(['unwatch b']);
    clock.now = 15_000;
    watches.sweep();
    expect(bus.asked.slice(3)).toEqual(['unwatch b', 'unwatch a']);
    expect(watches.size).toBe(1);
  });

  it('tell a holder of the refusal, keep the topic held, and ask again for the next holder', async () => {
    const { bus, clock, watches } = make();
    bus.refuses = true;
    await expect(watches.hold('a')).rejects.toThrow('refused');
    await expect(watches.hold('a')).rejects.toThrow('refused');
    bus.refuses = false;
    await watches.hold('a');
    await watches.hold('a');
    expect(bus.asked).toEqual(['watch a', 'watch a', 'watch a']);
    for (let i = 0; i < 4; i++) watches.release('a');
    clock.now = lingerMs;
    watches.sweep();
    expect(bus.asked.at(-1)).toBe('unwatch a');
  });

  it('pass over the release of what nobody holds', async () => {
    const { bus, clock, watches } = make();
    watches.release('a');
    clock.now = 2 * lingerMs;
    watches.sweep();
    expect(bus.asked).toEqual([]);
  });

  it('ask nothing of a bus without other nodes', async () => {
    const { bus, clock, watches } = make(new FakeBus(false));
    await watches.hold('a');
    watches.release('a');
    clock.now = 2 * lingerMs;
    watches.sweep();
    expect(bus.asked).toEqual([]);
    expect(watches.size).toBe(0);
  });
});
