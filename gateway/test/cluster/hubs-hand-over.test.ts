import { AppServer, defineHub } from '@signalbox/app-sdk';
import { expect, test } from 'vitest';
import { negotiate, RawClient } from '../support/raw-client.ts';
import { connectionString, startService } from '../support/service.ts';
import { until, within } from '../support/until.ts';

const hub = defineHub({ name: 'chat', methods: {} });
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** The status of one negotiate. */
const statusAt = (origin: string): Promise<number> =>
  negotiate(origin, 'chat').then(
    () => 200,
    (error: Error) => Number(/\d+$/.exec(error.message)?.[0]),
  );

test('a hub whose only link is on the node that stops has one elsewhere before that takes nobody', async () => {
  // Six clients, one closed each second: all that time the link is there and takes nobody.
  const env = { SIGNALBOX_MODES: 'chat=default', SIGNALBOX_DRAIN_RATE: '1' };
  await using service = await startService({ env });
  await using app = new AppServer(connectionString(service.balancer.origin), { hubs: [hub], links: 1, logger: silent });
  await app.start();
  for (const { origin } of service.nodes)
    await until('the hub is served', async () => (await statusAt(origin)) === 200);
  const counts = await Promise.all(service.nodes.map((node) => node.metric('signalbox_links', { hub: 'chat' })));
  const [stopping, other] = counts[0] === 1 ? [service.node(0), service.node(1)] : [service.node(1), service.node(0)];
  const clients = await Promise.all(Array.from({ length: 6 }, () => RawClient.connect(stopping.port, { hub: 'chat' })));

  let over = false;
  stopping.signal('SIGTERM');
  const ended = stopping.ended.finally(() => {
    over = true;
  });
  const statuses = new Map<number, number>();
  while (!over) {
    const status = await statusAt(other.origin);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  expect((await within('the exit', ended)).code).toBe(0);
  expect([...statuses.keys()]).toEqual([200]);
  expect(statuses.get(200)).toBeGreaterThan(10);
  for (const client of clients) client.leave();
});
