import { AppServer, defineHub } from '@signalbox/app-sdk';
import { expect, test } from 'vitest';
import { OfficialClient } from '../support/official-client.ts';
import { connectionString, startService } from '../support/service.ts';
import { until } from '../support/until.ts';

const hub = defineHub({ name: 'chat', methods: {} });

test('an app server opens one link more for a link that is full, and a client may come by it', async () => {
  await using service = await startService({ nodes: 1, env: { SIGNALBOX_CLIENTS_PER_LINK: '1' } });
  await using app = new AppServer(connectionString(service.node(0).origin), { hubs: [hub], links: 1, maxLinks: 2 });
  await app.start();
  const links = (): number | undefined => app.health().hubs['chat']?.links;
  expect(links()).toBe(1);
  const first = await OfficialClient.connect(await app.hub(hub).negotiate());
  await until('the second link', () => links() === 2);
  const second = await OfficialClient.connect(await app.hub(hub).negotiate());
  expect(await app.hub(hub).connections.exists({ connection: second.id })).toBe(true);
  await Promise.all([first.stop(), second.stop()]);
});
