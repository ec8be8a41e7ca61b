import { afterAll, beforeAll, expect, test } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { accessKey } from '../support/tokens.ts';
import { until } from '../support/until.ts';

let redis: TestRedis;
let gateway: GatewayProcess;
beforeAll(async () => {
  redis = await startRedis();
  const env = {
    REDIS_URL: redis.url(),
    SIGNALBOX_ACCESS_KEY: accessKey,
    SIGNALBOX_READY_GRACE: '0',
    SIGNALBOX_LATE_MS: '60000', // a machine that stands still makes the event loop late, which is another part
  };
  gateway = await GatewayProcess.start(env);
});
afterAll(async () => {
  await gateway.kill();
  await redis.stop();
});

interface Report {
  readonly ok: boolean;
  readonly parts: Readonly<Record<string, { readonly up: boolean; readonly why?: string }>>;
}

async function ask(path: string): Promise<{ status: number; report: Report }> {
  const { status, body } = await gateway.admin(path);
  return { status, report: JSON.parse(body) as Report };
}

test('a node that is well names each of its parts', async () => {
  const up = { up: true };
  const parts = { backplane: up, lease: up, event_loop: up };
  const well = { status: 200, report: { ok: true, draining: false, parts } };
  expect([await ask('/readyz'), await ask('/livez')]).toEqual([well, well]);
});

test('a node whose Redis hangs is not ready and says which part it is, lives all the same, and comes back', async () => {
  redis.pause();
  const isDown = async (): Promise<boolean> => (await ask('/readyz')).report.parts['backplane']?.up === false;
  await until('the node knows that it is cut off', isDown);
  const { status, report } = await ask('/readyz');
  expect(status).toBe(503);
  expect(report.parts['backplane']).toMatchObject({ up: false, why: 'Redis does not answer', tolerated: false });
  expect(report.parts['event_loop']).toEqual({ up: true });
  expect(await ask('/livez')).toMatchObject({ status: 200, report: { ok: true } });
  expect(await gateway.metric('signalbox_ready')).toBe(0);
  expect(await gateway.metric('signalbox_part_up', { part: 'backplane' })).toBe(0);
  redis.resume();
  await until('the node is ready', async () => (await ask('/readyz')).status === 200, 20_000);
  expect(await gateway.metric('signalbox_part_up', { part: 'backplane' })).toBe(1);
  expect(await gateway.metric('signalbox_backplane_reconnects_total')).toBe(1);
});
