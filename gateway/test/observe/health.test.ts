import { beforeEach, expect, test } from 'vitest';
import { Health, type PartState } from '../../src/observe/health.ts';

let now: number;
let health: Health;
let redis: PartState;
beforeEach(() => {
  now = 100_000;
  health = new Health(() => now);
  redis = { up: true };
  health.register({ name: 'backplane', state: () => redis, graceMs: 15_000 });
  health.register({ name: 'clients', state: () => ({ up: true }), vital: true });
});

const up = { up: true };

test('a node whose parts are up is alive and ready, and names them', () => {
  const report = { ok: true, draining: false, parts: { backplane: up, clients: up } };
  expect([health.ready(), health.live()]).toEqual([report, report]);
});

test('a part that is down shows at once, and makes the node unready only after its grace', () => {
  redis = { up: false, since: now, why: 'the probe is not back' };
  now += 14_999;
  const down = { up: false, why: 'the probe is not back', seconds: 14.999, tolerated: true };
  expect(health.ready()).toEqual({ ok: true, draining: false, parts: { backplane: down, clients: up } });
  now += 1;
  expect(health.ready().ok).toBe(false);
  redis = up as PartState;
  expect(health.ready().ok).toBe(true);
});

test('a part that is not vital never makes the node dead', () => {
  redis = { up: false, since: 0, why: 'gone' };
  expect(health.live()).toMatchObject({ ok: true, parts: { backplane: { up: false, tolerated: false } } });
});

test('a vital part that is down makes the node dead and unready at once', () => {
  health.register({ name: 'loop', state: () => ({ up: false, since: now, why: 'stuck' }), vital: true });
  expect([health.live().ok, health.ready().ok]).toEqual([false, false]);
});

test('a grace of never tolerates for ever', () => {
  health.register({ name: 'x', state: () => ({ up: false, since: 0, why: '' }), graceMs: Number.POSITIVE_INFINITY });
  expect(health.ready().ok).toBe(true);
});

test('a node that drains is alive and not ready, for ever', () => {
  health.drain();
  expect([health.live().ok, health.ready()]).toMatchObject([true, { ok: false, draining: true }]);
});

test('two parts of one name are a mistake of the programmer', () => {
  expect(() => health.register({ name: 'clients', state: () => ({ up: true }) })).toThrow(
    new TypeError('"clients" registered twice'),
  );
});
