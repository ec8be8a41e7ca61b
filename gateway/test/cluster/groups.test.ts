import type { SignalboxClient } from '@signalbox/app-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawRest } from '../support/raw-rest.ts';
import { type Service, startService } from '../support/service.ts';
import { until, within } from '../support/until.ts';
import { Audience } from './audience.ts';

const hub = 'groups';
let service: Service;
let audience: Audience;
let app: SignalboxClient;
let rest: RawRest;

beforeAll(async () => {
  service = await startService();
  app = service.app(hub);
  rest = new RawRest(service.balancer.origin);
  audience = await Audience.gather(service, hub);
});

afterAll(async () => {
  await rest.close();
  await service[Symbol.asyncDispose]();
});

/** Who is in the group, by what a send to it reaches. */
async function members(group: string): Promise<string[]> {
  const what = `to ${group} ${Math.random()}`;
  await app.send({ group }, 'news', what);
  return audience.heard(what);
}

describe('groups of connections, through random nodes of two', () => {
  test('who was added hears the group, who was removed hears it no more', async () => {
    await app.groups.addToGroup(audience.id('ann json 0'), 'g1');
    await app.groups.addToGroup(audience.id('bob messagepack 1'), 'g1');
    expect(await members('g1')).toEqual(['ann json 0', 'bob messagepack 1']);
    await app.groups.addToGroup(audience.id('ann json 0'), 'g1');
    expect(await members('g1'), 'added twice, sent once').toEqual(['ann json 0', 'bob messagepack 1']);
    await app.groups.removeFromGroup(audience.id('ann json 0'), 'g1');
    expect(await members('g1')).toEqual(['bob messagepack 1']);
    await app.groups.removeFromGroup(audience.id('bob messagepack 1'), 'g1');
    expect(await members('g1')).toEqual([]);
  });

  test('removed from all groups, a connection hears none of its three', async () => {
    const id = audience.id('anonymous messagepack 1');
    for (const group of ['a', 'b/ü', 'c']) await app.groups.addToGroup(id, group);
    expect(await members('b/ü')).toEqual(['anonymous messagepack 1']);
    await app.groups.removeFromAllGroups(id);
    for (const group of ['a', 'b/ü', 'c']) expect(await members(group)).toEqual([]);
  });

  test('an unknown connection cannot join: 404 with Error.Connection.NotExisted; its removal is 200', async () => {
    const target = `/api/hubs/${hub}/groups/g2/connections/nobody?api-version=2022-06-01`;
    const joined = await rest.call('PUT', target);
    expect([joined.status, joined.headers['x-ms-error-code']]).toEqual([404, 'Error.Connection.NotExisted']);
    expect((await rest.call('DELETE', target)).status).toBe(200);
  });
});

describe('groups of users, through random nodes of two', () => {
  const bobs = (): string[] => audience.names(({ user }) => user === 'bob');

  test('without ttl: present connections hear the group, and so does one that comes later', async () => {
    await app.userGroups.addToGroup('bob', 'kept');
    expect(await members('kept')).toEqual(bobs());
    const late = await service.client(hub, { userId: 'bob' });
    await app.send({ group: 'kept' }, 'news', 'kept, later');
    await late.heard('kept, later');
    await late.stop();
    await app.userGroups.removeFromGroup('bob', 'kept');
    expect(await members('kept')).toEqual([]);
    expect(await app.userGroups.isInGroup('bob', 'kept')).toBe(false);
  });

  test('ttl 0: only present connections hear the group', async () => {
    await app.userGroups.addToGroup('bob', 'now', { ttlSeconds: 0 });
    expect(await members('now')).toEqual(bobs());
    const late = await service.client(hub, { userId: 'bob' });
    await app.send({ group: 'now' }, 'news', 'now, later');
    await app.send({ user: 'bob' }, 'news', 'behind it');
    await late.heard('behind it');
    expect(late.inbox.items).not.toContain('now, later');
    await late.stop();
  });

  test('with ttl: a connection made within it hears the group, one made afterwards does not', async () => {
    await app.userGroups.addToGroup('carol', 'timed', { ttlSeconds: 600 });
    const early = await service.client(hub, { userId: 'carol' });
    await app.send({ group: 'timed' }, 'news', 'within');
    await early.heard('within');
    await early.stop();
    // The last one counts.
    await app.userGroups.addToGroup('carol', 'timed', { ttlSeconds: 1 });
    await until('the membership ended', async () => !(await app.userGroups.isInGroup('carol', 'timed')));
    const late = await service.client(hub, { userId: 'carol' });
    await app.send({ group: 'timed' }, 'news', 'after');
    await app.send({ user: 'carol' }, 'news', 'behind it');
    await late.heard('behind it');
    expect(late.inbox.items).not.toContain('after');
    await late.stop();
  });

  test('a user that is not connected is in its group, and leaves all groups', async () => {
    await app.userGroups.addToGroup('dora', 'd1');
    await app.userGroups.addToGroup('dora', 'd2');
    expect(await app.userGroups.isInGroup('dora', 'd1')).toBe(true);
    await app.userGroups.removeFromAllGroups('dora');
    expect(await app.userGroups.isInGroup('dora', 'd1')).toBe(false);
    expect(await app.userGroups.isInGroup('dora', 'd2')).toBe(false);
  });

  test.each([
    ['PUT', '/api/v1/hubs/groups/users/ann/groups/forms', 202],
    ['DELETE', '/api/v1/hubs/groups/users/ann/groups/forms', 202],
    ['DELETE', '/api/v1/hubs/groups/users/ann/groups', 200],
    ['PUT', '/api/hubs/groups/users/ann/groups/forms?api-version=2022-06-01&ttl=60', 200],
    ['GET', '/api/hubs/groups/users/ann/groups/forms?api-version=2022-06-01', 200],
    ['DELETE', '/api/hubs/groups/users/ann/groups/forms?api-version=2022-06-01', 204],
    ['GET', '/api/hubs/groups/users/ann/groups/forms?api-version=2022-06-01', 404],
    ['PUT', '/api/hubs/groups/groups/forms/users/ann?api-version=2024-12-01', 200],
    ['DELETE', '/api/hubs/groups/users/ann/groups?api-version=2024-12-01', 204],
  ] as const)('%s %s answers %i', async (method, target, status) => {
    expect((await rest.call(method, target)).status).toBe(status);
  });
});

describe('existence and closing, through random nodes of two', () => {
  test('a connection, a user and a group exist while there is a connection, on whatever node', async () => {
    for (const at of [0, 1]) {
      const user = `guest ${at}`;
      const guest = await service.client(hub, { userId: user, at });
      const { id } = guest;
      await app.groups.addToGroup(id, `party ${at}`);
      const exist = async (): Promise<boolean[]> =>
        Promise.all([
          app.connections.exists({ connection: id }),
          app.connections.exists({ user }),
          app.connections.exists({ group: `party ${at}` }),
        ]);
      expect(await exist()).toEqual([true, true, true]);
      await guest.stop();
      await until('none of them exists', async () => (await exist()).every((one) => !one));
    }
  });

  test.each([
    ['connections/nobody', 'Warning.Connection.NotExisted'],
    ['users/nobody', 'Warning.User.NotExisted'],
    ['groups/nobody', 'Warning.Group.NotExisted'],
  ])('%s is 404 with %s in both versions', async (path, code) => {
    for (const target of [`/api/v1/hubs/${hub}/${path}`, `/api/hubs/${hub}/${path}?api-version=2022-06-01`]) {
      const answer = await rest.call('GET', target);
      expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([404, code]);
    }
  });

  test('a closed connection is told why when it may know, and nobody else is closed', async () => {
    for (const at of [0, 1]) {
      const curious = await service.client(hub, { at, detailedErrors: true });
      const plain = await service.client(hub, { at });
      await app.connections.close({ connection: curious.id }, { reason: 'the shop shuts' });
      await app.connections.close({ connection: plain.id }, { reason: 'the shop shuts' });
      expect((await within('the close', curious.closed))?.message).toContain('the shop shuts');
      expect((await within('the close', plain.closed))?.message ?? '').not.toContain('shop');
    }
    expect(await members('nobody is here')).toEqual([]);
    expect(audience.names(({ client }) => client.connection.state === 'Connected')).toEqual(audience.names());
  });

  test('a closed user loses all connections on both nodes, a closed group all but the one left out', async () => {
    const eve = await Promise.all([0, 1].map((at) => service.client(hub, { userId: 'eve', at })));
    const frank = await Promise.all([0, 1].map((at) => service.client(hub, { userId: 'frank', at })));
    await app.userGroups.addToGroup('frank', 'franks', { ttlSeconds: 0 });
    await app.connections.close({ user: 'eve' });
    await app.connections.close({ group: 'franks', except: frank[1]?.id ?? '' });
    await within('the closes', Promise.all([...eve, frank[0]].map((client) => client?.closed)));
    await app.send({ user: 'frank' }, 'news', 'still here');
    await frank[1]?.heard('still here');
  });

  test.each([
    ['v1', 202, 202],
    ['dated', 200, 404],
  ])('closing a connection by the %s API answers %i, closing it again %i', async (style, first, second) => {
    const guest = await service.client(hub);
    const base = style === 'v1' ? `/api/v1/hubs/${hub}` : `/api/hubs/${hub}`;
    const target = `${base}/connections/${guest.id}`;
    expect((await rest.call('DELETE', target)).status).toBe(first);
    await within('the close', guest.closed);
    expect((await rest.call('DELETE', target)).status).toBe(second);
  });
});
