import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Connection } from '../../src/core/connection.ts';
import { Waves } from '../../src/core/waves.ts';
import { Surroundings } from '../support/connections.ts';

const around = new Surroundings();

function many(count: number): Connection[] {
  return Array.from({ length: count }, () => around.open().connection);
}

const closed = (connections: readonly Connection[]): number =>
  connections.filter(({ state }) => state === 'closed').length;

describe('waves of closes', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([1, 30, 60, 1_000, 100_000])('close %i clients a second, no more in any second', async (rate) => {
    const clients = many(2 * rate + 1);
    const over = new Waves(rate).close(clients, 'drain');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(closed(clients)).toBeLessThanOrEqual(rate * 1.05 + 1);
    expect(closed(clients)).toBeGreaterThanOrEqual(rate * 0.9);
    await vi.advanceTimersByTimeAsync(1_300);
    await over;
    expect(closed(clients)).toBe(clients.length);
  });

  it('share one rate, however many there are and however small each is', async () => {
    const waves = new Waves(1_000);
    const clients = many(500);
    for (let i = 0; i < clients.length; i += 10) void waves.close(clients.slice(i, i + 10), 'drain');
    expect(closed(clients)).toBeLessThanOrEqual(20);
    await vi.advanceTimersByTimeAsync(200);
    expect(closed(clients)).toBeGreaterThan(150);
    expect(closed(clients)).toBeLessThanOrEqual(220);
    await vi.advanceTimersByTimeAsync(400);
    expect(closed(clients)).toBe(500);
  });

  it('tell when the last client of each is closed, in their order', async () => {
    const waves = new Waves(1_000);
    const told: string[] = [];
    const [first, second] = [many(30), many(30)];
    void waves.close(first, 'drain').then(() => told.push(`first ${closed(first)}`));
    void waves.close(second, 'closed_by_app', 'why').then(() => told.push(`second ${closed(second)}`));
    await vi.advanceTimersByTimeAsync(25);
    expect(told).toEqual(['first 30']);
    await vi.advanceTimersByTimeAsync(40);
    expect(told).toEqual(['first 30', 'second 30']);
    await waves.close([], 'drain');
  });

  it('start at once, also after a pause', async () => {
    const waves = new Waves(1_000);
    for (let i = 0; i < 3; i++) {
      const clients = many(5);
      void waves.close(clients, 'drain');
      expect(closed(clients)).toBe(5);
      await vi.advanceTimersByTimeAsync(1_000);
    }
  });
});
