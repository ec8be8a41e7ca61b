import {
  readMemberPage,
  type ServiceMessage,
  serversRequestPing,
  statusRequestPing,
} from '@signalbox/app-sdk/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ScriptedApp } from '../apps/scripted-app.ts';
import { type Service, startService } from '../support/service.ts';
import { until, within } from '../support/until.ts';
import { broadcast, heardBy, type JoinedClient, Scripts, toGroup } from './scripts.ts';

let service: Service;
let scripts: Scripts;
let ackId = 0;

beforeAll(async () => {
  service = await startService({ nodes: 3, env: { SIGNALBOX_MODES: '*=default' } });
  scripts = new Scripts(service);
});

afterAll(async () => {
  scripts.close();
  await service[Symbol.asyncDispose]();
});

/** Says a message that wants an ack. @returns the ack. */
async function ask(app: ScriptedApp, make: (ackId: number) => ServiceMessage) {
  const id = ++ackId;
  app.say(make(id));
  const find = () => app.of('Ack').find((ack) => ack.ackId === id);
  await app.until(() => find() !== undefined);
  return find()!;
}

const status = async (app: ScriptedApp, make: (ackId: number) => ServiceMessage): Promise<number> =>
  (await ask(app, make)).status;
const ok = 1;
const notFound = 2;

test('the status is 0 before and 1 after the first client of the hub, which is on another node', async () => {
  const app = await scripts.link({ at: 0, hub: 'status' });
  app.say(statusRequestPing);
  expect(await app.hearsPing('status')).toMatchObject([{ active: false }]);
  await scripts.join(2, 'status', [app]);
  app.say(statusRequestPing);
  expect((await app.hearsPing('status', 2)).at(-1)).toMatchObject({ active: true });
});

test('the list of two app servers names each once on every link, in one order, and its time grows', async () => {
  const plans = [
    ['srvB', 2],
    ['srvA', 0],
    ['srvA', 1],
  ] as const;
  const apps = await Promise.all(plans.map(([server, at]) => scripts.link({ at, hub: 'servers', server })));
  for (const app of apps) {
    await until('both are listed', async () => {
      const before = app.pings.length;
      app.say(serversRequestPing);
      await app.until(() => app.pings.length > before);
      return app.pings.some((ping) => ping.topic === 'servers' && ping.ids.length === 2);
    });
    const lists = await app.hearsPing('servers');
    expect(lists.at(-1)?.ids).toEqual(['srvA', 'srvB']);
    app.say(serversRequestPing);
    const more = await app.hearsPing('servers', lists.length + 1);
    expect(more.at(-1)?.timestamp).toBeGreaterThan(lists.at(-1)?.timestamp ?? Number.NaN);
  }
});

describe('CloseConnection of an app server that does not carry the client', () => {
  test('closes the client on a third node, and tells its own app server once', async () => {
    const hub = 'foreign';
    const own = await scripts.link({ at: 0, hub });
    const { id, client } = await scripts.join(1, hub, [own]);
    const foreign = await scripts.link({ at: 2, hub, server: 'srvB' });
    foreign.say({ kind: 'CloseConnection', connectionId: id, errorMessage: 'enough', headers: [] });
    expect(await own.hears('CloseConnection')).toMatchObject({ connectionId: id, headers: [] });
    await within('the client is closed', client.closed);
    expect(client.inbox.items.at(-1)).toMatchObject({ type: 7, allowReconnect: true });
    await own.settled();
    expect(own.of('CloseConnection')).toHaveLength(1);
    expect(foreign.of('CloseConnection')).toEqual([]);
  });

  test('for a client that is nowhere is passed over', async () => {
    const app = await scripts.link({ at: 0, hub: 'nobody' });
    app.say({ kind: 'CloseConnection', connectionId: 'nobody', errorMessage: '', headers: [] });
    await app.settled();
    expect(app.faults).toEqual([]);
  });
});

test('GroupMemberQuery with pages of 2 over 5 members on three nodes: three pages, each member once, no token at the end', async () => {
  const hub = 'members';
  const app = await scripts.link({ at: 1, hub });
  const joined: JoinedClient[] = [];
  for (const at of [0, 1, 2, 0, 2]) joined.push(await scripts.join(at, hub, [app], `user${joined.length}`));
  for (const { id: connectionId } of joined) {
    expect(await status(app, (id) => ({ kind: 'JoinGroupWithAck', connectionId, group: 'g', ackId: id }))).toBe(ok);
  }
  const pages: ReturnType<typeof readMemberPage>[] = [];
  let continuationToken: string | undefined;
  do {
    const { payload } = await ask(app, (id) => ({
      kind: 'GroupMemberQuery',
      group: 'g',
      ackId: id,
      maxPageSize: 2,
      continuationToken,
    }));
    pages.push(readMemberPage(payload ?? new Uint8Array()));
    continuationToken = pages.at(-1)?.continuationToken ?? undefined;
  } while (continuationToken !== undefined);
  expect(pages.map((page) => page.members.length)).toEqual([2, 2, 1]);
  const members = pages.flatMap((page) => page.members);
  const expected = joined.map(({ id }, i) => [id, `user${i}`]).sort();
  expect(members.map(({ connectionId, userId }) => [connectionId, userId]).sort()).toEqual(expected);
});

describe('UserJoinGroupWithAck', () => {
  const joinUser = (group: string, userId: string, ttl?: number) => (id: number) =>
    ({
      kind: 'UserJoinGroupWithAck',
      userId,
      group,
      ackId: id,
      ...(ttl !== undefined && { extensions: { ttl } }),
    }) as const;

  /** Which of them hear a send to the group. */
  async function members(app: ScriptedApp, group: string, joined: readonly JoinedClient[]): Promise<boolean[]> {
    const text = `to ${group} ${++ackId}`;
    app.say(toGroup(group, text), broadcast(`behind ${text}`));
    await Promise.all(joined.map(({ client }) => client.heard(`behind ${text}`)));
    return joined.map((one) => heardBy(one).includes(text));
  }

  test('without ttl: connections of the user on any node, present and later, are in the group, others are not', async () => {
    const hub = 'standing';
    const app = await scripts.link({ at: 0, hub });
    const present = await scripts.join(1, hub, [app], 'ann');
    expect(await status(app, joinUser('g', 'ann'))).toBe(ok);
    const later = await scripts.join(2, hub, [app], 'ann');
    const other = await scripts.join(2, hub, [app], 'bob');
    expect(await members(app, 'g', [present, later, other])).toEqual([true, true, false]);
    expect(await status(app, (id) => ({ kind: 'UserLeaveGroupWithAck', userId: 'ann', group: 'g', ackId: id }))).toBe(
      ok,
    );
    const last = await scripts.join(1, hub, [app], 'ann');
    expect(await members(app, 'g', [present, later, last])).toEqual([false, false, false]);
  });

  test('with ttl 0: only present connections', async () => {
    const hub = 'present';
    const app = await scripts.link({ at: 0, hub });
    const present = await scripts.join(1, hub, [app], 'ann');
    expect(await status(app, joinUser('g', 'ann', 0))).toBe(ok);
    const later = await scripts.join(1, hub, [app], 'ann');
    expect(await members(app, 'g', [present, later])).toEqual([true, false]);
  });

  test('with ttl: those that come within it; later ones are not, and the first ones stay', async () => {
    const hub = 'expiring';
    const app = await scripts.link({ at: 0, hub });
    const present = await scripts.join(1, hub, [app], 'ann');
    expect(await status(app, joinUser('g', 'ann', 600))).toBe(ok);
    const soon = await scripts.join(2, hub, [app], 'ann');
    expect(await members(app, 'g', [present, soon])).toEqual([true, true]);
    // The last one counts.
    expect(await status(app, joinUser('g', 'ann', 1))).toBe(ok);
    await until('the membership expires', async () => {
      const one = await scripts.join(2, hub, [app], 'ann');
      const [isMember] = await members(app, 'g', [one]);
      return isMember === false;
    });
    expect(await members(app, 'g', [present, soon])).toEqual([true, true]);
  });
});

test('checks with ack from every node: NotFound before, Ok while the client is there, NotFound afterwards', async () => {
  const hub = 'checks';
  const apps = await Promise.all([0, 1, 2].map((at) => scripts.link({ at, hub, server: `srv${at}` })));
  const [own] = apps;
  const checks = (connectionId: string): ((id: number) => ServiceMessage)[] => [
    (id) => ({ kind: 'CheckConnectionExistenceWithAck', connectionId, ackId: id }),
    (id) => ({ kind: 'CheckUserExistenceWithAck', userId: 'ann', ackId: id }),
    (id) => ({ kind: 'CheckGroupExistenceWithAck', group: 'g', ackId: id }),
    (id) => ({ kind: 'CheckUserInGroupWithAck', userId: 'ann', group: 'g', ackId: id }),
  ];
  const answers = async (connectionId: string): Promise<number[]> =>
    Promise.all(apps.flatMap((app) => checks(connectionId).map((check) => status(app, check))));
  expect(await answers('nobody')).toEqual(Array(12).fill(notFound));
  const { id, client, app } = await scripts.join(2, hub, apps, 'ann');
  await ask(app, (ack) => ({ kind: 'JoinGroupWithAck', connectionId: id, group: 'g', ackId: ack }));
  expect(await answers(id)).toEqual(Array(12).fill(ok));
  client.leave();
  await app.hears('CloseConnection');
  expect(await answers(id)).toEqual(Array(12).fill(notFound));
  expect(own?.faults).toEqual([]);
});

test('acks of closes reach across nodes: a connection, the members of a group, a user but one connection, the hub', async () => {
  const hub = 'closes';
  const app = await scripts.link({ at: 0, hub });
  const here = await scripts.join(0, hub, [app], 'ann');
  const there = await scripts.join(1, hub, [app], 'ann');
  const far = await scripts.join(2, hub, [app], 'ann');
  await ask(app, (id) => ({ kind: 'JoinGroupWithAck', connectionId: there.id, group: 'g', ackId: id }));
  const common = { excludedConnectionIds: [], reason: 'enough' };
  expect(await status(app, (id) => ({ kind: 'CloseGroupConnectionsWithAck', group: 'g', ackId: id, ...common }))).toBe(
    ok,
  );
  await within('the member is closed', there.client.closed);
  const but = { excludedConnectionIds: [far.id], reason: 'enough' };
  expect(await status(app, (id) => ({ kind: 'CloseUserConnectionsWithAck', userId: 'ann', ackId: id, ...but }))).toBe(
    ok,
  );
  await within('the one here is closed', here.client.closed);
  const close = (connectionId: string) => (id: number) =>
    ({ kind: 'CloseConnectionWithAck', connectionId, reason: 'enough', ackId: id }) as const;
  expect(await status(app, close(far.id))).toBe(ok);
  await within('the last is closed', far.client.closed);
  expect(await status(app, close(far.id))).toBe(notFound);
});

test("a payload map without the client's protocol sends it nothing, and says so to nobody", async () => {
  const hub = 'payloads';
  const app = await scripts.link({ at: 0, hub });
  const joined = await scripts.join(1, hub, [app]);
  const payloads = new Map([['messagepack', new Uint8Array([0x01])]]);
  app.say({ kind: 'BroadcastData', excludedConnectionIds: [], payloads }, broadcast('behind it'));
  await joined.client.heard('behind it');
  expect(heardBy(joined)).toEqual(['behind it']);
});
