import { describe, expect, test } from 'vitest';
import { jsonHubProtocol } from '../../src/protocol/hub-json.ts';
import { messagePackHubProtocol } from '../../src/protocol/hub-messagepack.ts';
import type { ServiceMessageKind } from '../../src/protocol/service.ts';
import { chatHub, linkSetup } from '../support/link-setup.ts';

const setup = linkSetup();

/** `echo("hi")` in both protocols. */
const message = { kind: 'invocation', target: 'echo', arguments: ['hi'] } as const;
const payloads = new Map([
  ['json', jsonHubProtocol.write(message)],
  ['messagepack', messagePackHubProtocol.write(message)],
]);

describe('a send', () => {
  test.each([
    [{ all: true }, { kind: 'BroadcastData', excludedConnectionIds: [] }],
    [
      { all: true, except: 'c1' },
      { kind: 'BroadcastData', excludedConnectionIds: ['c1'] },
    ],
    [{ group: 'g' }, { kind: 'GroupBroadcastData', group: 'g', excludedConnectionIds: [], excludedUserIds: [] }],
    [
      { group: 'g', except: ['c1', 'c2'] },
      { kind: 'GroupBroadcastData', group: 'g', excludedConnectionIds: ['c1', 'c2'], excludedUserIds: [] },
    ],
    [{ groups: ['g', 'h'] }, { kind: 'MultiGroupBroadcastData', groups: ['g', 'h'] }],
    [{ user: 'u' }, { kind: 'UserData', userId: 'u' }],
    [{ users: ['u', 'v'] }, { kind: 'MultiUserData', userIds: ['u', 'v'] }],
    [{ connection: 'c1' }, { kind: 'MultiConnectionData', connectionIds: ['c1'] }],
    [{ connections: ['c1', 'c2'] }, { kind: 'MultiConnectionData', connectionIds: ['c1', 'c2'] }],
  ] as const)('to %j is one message with a payload for each protocol of the hub', async (to, expected) => {
    const { hub, link } = await setup.started();
    await hub.send(to, 'echo', 'hi');
    expect(await link.next()).toMatchObject({ ...expected, payloads, extensions: {} });
  });

  test('has the bytes of the worked trace', async () => {
    const { hub, link } = await setup.started();
    await hub.clients.client('c1').send('echo', 'hi');
    await link.next('MultiConnectionData');
    expect(Buffer.from(link.bodies.at(-1) ?? []).toString('hex')).toBe(
      '940791a2633182a46a736f6ec42e7b2274797065223a312c22746172676574223a226563686f222c22617267756d656e7473223a5b226869225d7d1eab6d6573736167657061636bc40f0e960180c0a46563686f91a268699080',
    );
  });

  test('to nobody sends nothing', async () => {
    const { hub, link } = await setup.started();
    await hub.send({ users: [] }, 'echo', 'hi');
    await hub.send({ user: 'u' }, 'echo', 'hi');
    expect((await link.next()).kind).toBe('UserData');
  });

  test('has no payload for a protocol that the hub does not speak', async () => {
    const { hub, link } = await setup.started(chatHub({ protocols: ['json'] }));
    await hub.clients.all.send('echo', 'hi');
    expect([...(await link.next('BroadcastData')).payloads.keys()]).toEqual(['json']);
  });

  test('leaves in one write with all others of its turn, in the order of the calls', async () => {
    const { hub, link } = await setup.started();
    await link.ping('status');
    const writes = link.writes.length;
    const sends = Array.from({ length: 100 }, (_, n) => hub.send({ user: `u${n}` }, 'echo', n));
    await Promise.all(sends);
    await hub.send({ all: true }, 'echo', 'hi');
    await link.next('BroadcastData');
    const ids = link.received.flatMap((received) => (received.kind === 'UserData' ? [received.userId] : []));
    expect(ids).toEqual(Array.from({ length: 100 }, (_, n) => `u${n}`));
    expect(link.writes.length - writes).toBeLessThanOrEqual(2);
  });

  test('is told to the observer', async () => {
    const { hub } = await setup.started();
    await hub.clients.all.send('echo', 'hi');
    const bytes = [...payloads.values()].reduce((sum, { length }) => sum + length, 0);
    expect(setup.facts).toContainEqual({ fact: 'sent', hub: 'chat', to: 'all', via: 'link', bytes });
  });
});

type Act = (hub: Awaited<ReturnType<typeof setup.started>>['hub']) => Promise<unknown>;

/** Each command, the message that asks for it, and what it resolves with for Ok and for NotFound. */
const commands: readonly [string, Act, ServiceMessageKind, object, unknown, unknown][] = [
  [
    'groups.addToGroup',
    (hub) => hub.groups.addToGroup('c1', 'g'),
    'JoinGroupWithAck',
    { connectionId: 'c1', group: 'g' },
    undefined,
    undefined,
  ],
  [
    'groups.removeFromGroup',
    (hub) => hub.groups.removeFromGroup('c1', 'g'),
    'LeaveGroupWithAck',
    { connectionId: 'c1', group: 'g' },
    undefined,
    undefined,
  ],
  [
    'groups.removeFromAllGroups',
    (hub) => hub.groups.removeFromAllGroups('c1'),
    'LeaveGroupWithAck',
    { connectionId: 'c1', group: undefined },
    undefined,
    undefined,
  ],
  [
    'userGroups.addToGroup for good',
    (hub) => hub.userGroups.addToGroup('u', 'g'),
    'UserJoinGroupWithAck',
    { userId: 'u', group: 'g', extensions: {} },
    undefined,
    undefined,
  ],
  [
    'userGroups.addToGroup for now',
    (hub) => hub.userGroups.addToGroup('u', 'g', { ttlSeconds: 0 }),
    'UserJoinGroupWithAck',
    { userId: 'u', group: 'g', extensions: { ttl: 0 } },
    undefined,
    undefined,
  ],
  [
    'userGroups.removeFromGroup',
    (hub) => hub.userGroups.removeFromGroup('u', 'g'),
    'UserLeaveGroupWithAck',
    { userId: 'u', group: 'g' },
    undefined,
    undefined,
  ],
  [
    'userGroups.removeFromAllGroups',
    (hub) => hub.userGroups.removeFromAllGroups('u'),
    'UserLeaveGroupWithAck',
    { userId: 'u', group: undefined },
    undefined,
    undefined,
  ],
  [
    'userGroups.isInGroup',
    (hub) => hub.userGroups.isInGroup('u', 'g'),
    'CheckUserInGroupWithAck',
    { userId: 'u', group: 'g' },
    true,
    false,
  ],
  [
    'connections.exists of a connection',
    (hub) => hub.connections.exists({ connection: 'c1' }),
    'CheckConnectionExistenceWithAck',
    { connectionId: 'c1' },
    true,
    false,
  ],
  [
    'connections.exists of a user',
    (hub) => hub.connections.exists({ user: 'u' }),
    'CheckUserExistenceWithAck',
    { userId: 'u' },
    true,
    false,
  ],
  [
    'connections.exists of a group',
    (hub) => hub.connections.exists({ group: 'g' }),
    'CheckGroupExistenceWithAck',
    { group: 'g' },
    true,
    false,
  ],
  [
    'connections.close of a connection',
    (hub) => hub.connections.close({ connection: 'c1' }, { reason: 'bye' }),
    'CloseConnectionWithAck',
    { connectionId: 'c1', reason: 'bye' },
    undefined,
    undefined,
  ],
  [
    'connections.close of all but one',
    (hub) => hub.connections.close({ all: true, except: 'c1' }),
    'CloseConnectionsWithAck',
    { excludedConnectionIds: ['c1'], reason: undefined },
    undefined,
    undefined,
  ],
  [
    'connections.close of a user',
    (hub) => hub.connections.close({ user: 'u' }),
    'CloseUserConnectionsWithAck',
    { userId: 'u', excludedConnectionIds: [] },
    undefined,
    undefined,
  ],
  [
    'connections.close of a group',
    (hub) => hub.connections.close({ group: 'g', except: 'c1' }),
    'CloseGroupConnectionsWithAck',
    { group: 'g', excludedConnectionIds: ['c1'] },
    undefined,
    undefined,
  ],
];

describe('a command', () => {
  test.each(commands)('%s waits for its ack', async (_, act, kind, members, ok, notFound) => {
    const { hub, link } = await setup.started();
    for (const [status, expected] of [
      [1, ok],
      [2, notFound],
    ] as const) {
      const acting = act(hub);
      const message = await link.next(kind);
      expect(message).toMatchObject(members);
      link.ack((message as { ackId: number }).ackId, status);
      expect(await acting).toBe(expected);
    }
  });

  test('has an ack id of its own, over all links', async () => {
    const { hub, link } = await setup.started();
    const acting = Promise.all([hub.connections.exists({ user: 'a' }), hub.connections.exists({ user: 'b' })]);
    const [first, second] = [
      await link.next('CheckUserExistenceWithAck'),
      await link.next('CheckUserExistenceWithAck'),
    ];
    expect(first.ackId).not.toBe(second.ackId);
    link.ack(second.ackId, 2);
    link.ack(12_345);
    link.ack(first.ackId, 1);
    expect(await acting).toEqual([true, false]);
  });

  test.each([
    [3, 'ERR_TIMEOUT', 'the service ran out of time: busy'],
    [4, 'ERR_UNAVAILABLE', 'the service answered with ack status 4: busy'],
    [99, 'ERR_UNAVAILABLE', 'the service answered with ack status 99: busy'],
  ])('rejects for ack status %s with %s', async (status, code, message) => {
    const { hub, link } = await setup.started();
    const rejected = expect(hub.groups.addToGroup('c1', 'g')).rejects.toMatchObject({
      code,
      message,
      outcome: 'unknown',
    });
    link.ack((await link.next('JoinGroupWithAck')).ackId, status, 'busy');
    await rejected;
  });

  test('rejects with ERR_TIMEOUT when no ack comes in time', async () => {
    const { hub } = await setup.started(chatHub(), { ackTimeoutMs: 20 });
    await expect(hub.groups.addToGroup('c1', 'g')).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      message: 'waited 20 ms for the ack to join',
      outcome: 'unknown',
    });
  });

  test('stands in one line with sends', async () => {
    const { hub, link } = await setup.started();
    void hub.groups.addToGroup('c1', 'g').catch(() => undefined);
    void hub.clients.group('g').send('echo', 1);
    void hub.groups.removeFromGroup('c1', 'g').catch(() => undefined);
    await hub.clients.all.send('echo', 2);
    await link.next('BroadcastData');
    expect(link.received.map(({ kind }) => kind).slice(1)).toEqual([
      'JoinGroupWithAck',
      'GroupBroadcastData',
      'LeaveGroupWithAck',
      'BroadcastData',
    ]);
  });
});

describe('the members of a group', () => {
  test('are asked for page by page', async () => {
    const { writeMemberPage } = await import('../../src/protocol/service-payloads.ts');
    const { hub, link } = await setup.started();
    const listing = (async () => {
      const found = [];
      for await (const member of hub.connections.list({ group: 'g' }, { pageSize: 2 })) found.push(member);
      return found;
    })();
    const answer = (ackId: number, members: { connectionId: string; userId?: string }[], continuationToken?: string) =>
      link.say({
        kind: 'Ack',
        ackId,
        status: 1,
        message: '',
        payload: writeMemberPage({ members, continuationToken }),
      });
    const first = await link.next('GroupMemberQuery');
    expect(first).toMatchObject({ group: 'g', maxPageSize: 2, continuationToken: undefined, top: undefined });
    answer(first.ackId, [{ connectionId: 'c1', userId: 'u1' }, { connectionId: 'c2' }], 'more');
    const second = await link.next('GroupMemberQuery');
    expect(second).toMatchObject({ continuationToken: 'more' });
    answer(second.ackId, [{ connectionId: 'c3' }]);
    expect(await listing).toEqual([
      { connectionId: 'c1', userId: 'u1' },
      { connectionId: 'c2' },
      { connectionId: 'c3' },
    ]);
  });

  test('can be listed, but not those of a user or a hub, nor can any be counted', async () => {
    const { hub } = await setup.started();
    const notSupported = { code: 'ERR_NOT_SUPPORTED' };
    for (const where of [{ user: 'u' }, { all: true }] as const) {
      await expect(hub.connections.list(where)[Symbol.asyncIterator]().next()).rejects.toMatchObject(notSupported);
    }
    await expect(hub.connections.count({ all: true })).rejects.toMatchObject(notSupported);
  });
});
