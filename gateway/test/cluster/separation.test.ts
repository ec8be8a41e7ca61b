import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OfficialClient } from '../support/official-client.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Service, startService } from '../support/service.ts';

let redis: TestRedis;
let services: readonly Service[];

beforeAll(async () => {
  redis = await startRedis();
  services = await Promise.all([
    startService({ redis, env: { SIGNALBOX_PREFIX: 'red' } }),
    startService({ redis, env: { SIGNALBOX_PREFIX: 'blue' } }),
    startService({ redis, env: { SIGNALBOX_PREFIX: 'blue', REDIS_URL: redis.url(1) } }),
  ]);
});

afterAll(async () => {
  await Promise.all(services.map((service) => service[Symbol.asyncDispose]()));
  await redis.stop();
});

test('two prefixes and two database numbers on one Redis: hub, user, group and standing group of one name are three each', async () => {
  const heard: OfficialClient[] = [];
  for (const [at, service] of services.entries()) {
    const app = service.app('hub');
    await app.userGroups.addToGroup('ann', `group ${at}`);
    const client = await service.client('hub', { at: 1, userId: 'ann' });
    await app.groups.addToGroup(client.id, 'team');
    heard.push(client);
  }
  for (const [at, service] of services.entries()) {
    const app = service.app('hub', 0);
    for (const to of [{ all: true }, { user: 'ann' }, { group: 'team' }] as const) await app.send(to, 'news', at);
    for (const group of [0, 1, 2]) await app.send({ group: `group ${group}` }, 'news', `${at} to group ${group}`);
    await app.send({ all: true }, 'fence', 'end');
  }
  for (const [at, client] of heard.entries()) {
    await client.heard('end');
    expect(client.inbox.items).toEqual([at, at, at, `${at} to group ${at}`, 'end']);
  }
});

test('a connection id of one service is unknown to the others', async () => {
  const client = await services[0]?.client('hub');
  const known = services.map((service) => service.app('hub').connections.exists({ connection: client?.id ?? '' }));
  expect(await Promise.all(known)).toEqual([true, false, false]);
});

test('two hubs of one service never see the traffic of each other', async () => {
  const [service] = services;
  const hubs = ['one', 'two'];
  const clients = await Promise.all(hubs.map((hub) => service?.client(hub, { userId: 'ann', at: 1 })));
  for (const [at, hub] of hubs.entries()) {
    await service?.app(hub).userGroups.addToGroup('ann', 'team', { ttlSeconds: 0 });
    for (const to of [{ all: true }, { user: 'ann' }, { group: 'team' }] as const) {
      await service?.app(hub, 0).send(to, 'news', at);
    }
    await service?.app(hub).send({ all: true }, 'fence', 'end');
  }
  for (const [at, client] of clients.entries()) {
    await client?.heard('end');
    expect(client?.inbox.items).toEqual([at, at, at, 'end']);
  }
});
