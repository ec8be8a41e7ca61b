import type { ServiceMessage } from '@signalbox/app-sdk/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import type { AppCommand } from '../../src/protocol/command.ts';
import { FakeCarried, type LinkDoor, startLinkDoor } from './link-door.ts';
import type { ScriptedApp } from './scripted-app.ts';

let door: LinkDoor;
let app: ScriptedApp;
beforeEach(async () => {
  door = await startLinkDoor({ groupNameChars: 20, userIdChars: 10, listLength: 3 });
  app = await door.app();
});
afterEach(() => {
  expect(app.faults).toEqual([]);
  door[Symbol.dispose]();
});

const hub = 'chat';
const json = Buffer.from('{"type":6}\x1e');
const payloads = new Map([['json', json]]);
const excludes = { exceptConnections: [], exceptUsers: [] };

/** What reached the router, its payloads apart. */
async function asked(...messages: readonly ServiceMessage[]): Promise<object[]> {
  app.say(...messages);
  await app.settled();
  return door.host.commands.map((command) => withoutPayload(command));
}

function withoutPayload(command: AppCommand): object {
  if (command.kind !== 'send') return command;
  const { payload: _, ...rest } = command;
  return rest;
}

describe('sends', () => {
  test.each<[ServiceMessage, object]>([
    [
      { kind: 'MultiConnectionData', connectionIds: ['a', 'b'], payloads },
      { to: { kind: 'connections', connections: ['a', 'b'] }, ...excludes },
    ],
    [
      { kind: 'UserData', userId: 'u', payloads },
      { to: { kind: 'user', user: 'u' }, ...excludes },
    ],
    [
      { kind: 'MultiUserData', userIds: ['u', 'v'], payloads },
      { to: { kind: 'users', users: ['u', 'v'] }, ...excludes },
    ],
    [
      { kind: 'BroadcastData', excludedConnectionIds: ['a'], payloads },
      { to: { kind: 'all' }, exceptConnections: ['a'], exceptUsers: [] },
    ],
    [
      {
        kind: 'GroupBroadcastData',
        group: 'g',
        excludedConnectionIds: ['a'],
        payloads,
        excludedUserIds: ['u'],
        callerUserId: 'w',
      },
      { to: { kind: 'group', group: 'g' }, exceptConnections: ['a'], exceptUsers: ['u'] },
    ],
  ])('%j goes to whom it names', async (message, expected) => {
    expect(await asked(message)).toEqual([{ kind: 'send', hub, ...expected }]);
  });

  test('a send to several groups is one send for each, in their order, also when one is named twice', async () => {
    const sent = await asked({ kind: 'MultiGroupBroadcastData', groups: ['g1', 'g2', 'g1'], payloads });
    expect(sent).toEqual(
      ['g1', 'g2', 'g1'].map((group) => ({ kind: 'send', hub, to: { kind: 'group', group }, ...excludes })),
    );
  });

  test('empty lists send nothing and are no mistake', async () => {
    const sent = await asked(
      { kind: 'MultiConnectionData', connectionIds: [], payloads },
      { kind: 'MultiUserData', userIds: [], payloads },
      { kind: 'MultiGroupBroadcastData', groups: [], payloads },
    );
    expect(sent).toEqual([]);
    expect(app.of('ServiceEvent')).toEqual([]);
  });

  test('payloads keep their bytes under lower-cased names, for as long as anybody holds them', async () => {
    const large = Buffer.alloc(70_000, 7);
    const named = new Map([
      ['Json', json],
      ['MESSAGEPACK', large],
    ] as const);
    app.say({ kind: 'BroadcastData', excludedConnectionIds: [], payloads: named });
    for (let i = 0; i < 20; i++)
      app.say({ kind: 'UserData', userId: 'u', payloads: new Map([['x', Buffer.alloc(70_000)]]) });
    await app.settled();
    const [first] = door.host.commands;
    const frames = first?.kind === 'send' && first.payload.kind === 'ready' ? first.payload.frames : new Map();
    expect([...frames.keys()]).toEqual(['json', 'messagepack']);
    expect(Buffer.from(frames.get('json')).equals(json)).toBe(true);
    expect(Buffer.from(frames.get('messagepack')).equals(large)).toBe(true);
  });

  test('commands reach the router in the order they came, whatever it does with them', async () => {
    door.host.answer = async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
      return 'yes' as const;
    };
    const messages: ServiceMessage[] = [];
    for (let i = 0; i < 60; i++) {
      messages.push({ kind: 'JoinGroupWithAck', connectionId: 'c', group: `g${i}`, ackId: i });
      messages.push({
        kind: 'GroupBroadcastData',
        group: `g${i}`,
        excludedConnectionIds: [],
        excludedUserIds: [],
        payloads,
      });
    }
    const expected = messages.map(
      (message) =>
        `${message.kind === 'JoinGroupWithAck' ? 'join' : 'send'} ${'group' in message ? message.group : ''}`,
    );
    app.say(...messages);
    await app.hears('Ack', 60);
    const came = door.host.commands.map((command) =>
      command.kind === 'join'
        ? `join ${command.group}`
        : command.kind === 'send' && command.to.kind === 'group'
          ? `send ${command.to.group}`
          : '?',
    );
    expect(came).toEqual(expected);
  });
});

describe('questions', () => {
  const connection = 'c';
  const group = 'g';
  const user = 'u';
  const to = (kind: string, name: string) => ({ kind, [kind]: name });
  const except = ['x'];
  const closing = (address: object, exceptConnections: string[] = except) => ({
    kind: 'close',
    to: address,
    exceptConnections,
    reason: 'bye',
  });

  test.each<[ServiceMessage, object]>([
    [
      { kind: 'JoinGroupWithAck', connectionId: 'c', group, ackId: 1 },
      { kind: 'join', connection, group },
    ],
    [
      { kind: 'LeaveGroupWithAck', connectionId: 'c', group, ackId: 1 },
      { kind: 'leave', connection, group },
    ],
    [
      { kind: 'LeaveGroupWithAck', connectionId: 'c', ackId: 1 },
      { kind: 'leave', connection, group: undefined },
    ],
    [
      { kind: 'UserJoinGroupWithAck', userId: 'u', group, ackId: 1 },
      { kind: 'joinUser', user, group, ttlSeconds: undefined },
    ],
    [
      { kind: 'UserJoinGroupWithAck', userId: 'u', group, ackId: 1, extensions: { ttl: 0 } },
      { kind: 'joinUser', user, group, ttlSeconds: 0 },
    ],
    [
      { kind: 'UserJoinGroupWithAck', userId: 'u', group, ackId: 1, extensions: { ttl: 10 } },
      { kind: 'joinUser', user, group, ttlSeconds: 10 },
    ],
    [
      { kind: 'UserLeaveGroupWithAck', userId: 'u', group, ackId: 1 },
      { kind: 'leaveUser', user, group },
    ],
    [
      { kind: 'UserLeaveGroupWithAck', userId: 'u', ackId: 1 },
      { kind: 'leaveUser', user, group: undefined },
    ],
    [
      { kind: 'CheckUserInGroupWithAck', userId: 'u', group, ackId: 1 },
      { kind: 'userInGroup', user, group },
    ],
    [
      { kind: 'CheckGroupExistenceWithAck', group, ackId: 1 },
      { kind: 'exists', at: to('group', 'g') },
    ],
    [
      { kind: 'CheckConnectionExistenceWithAck', connectionId: 'c', ackId: 1 },
      { kind: 'exists', at: to('connection', 'c') },
    ],
    [
      { kind: 'CheckUserExistenceWithAck', userId: 'u', ackId: 1 },
      { kind: 'exists', at: to('user', 'u') },
    ],
    [
      { kind: 'CloseConnectionWithAck', connectionId: 'c', reason: 'bye', ackId: 1 },
      closing(to('connection', 'c'), []),
    ],
    [
      { kind: 'CloseConnectionsWithAck', reason: 'bye', ackId: 1, excludedConnectionIds: except },
      closing({ kind: 'all' }),
    ],
    [
      { kind: 'CloseUserConnectionsWithAck', userId: 'u', reason: 'bye', ackId: 1, excludedConnectionIds: except },
      closing(to('user', 'u')),
    ],
    [
      { kind: 'CloseGroupConnectionsWithAck', group, reason: 'bye', ackId: 1, excludedConnectionIds: except },
      closing(to('group', 'g')),
    ],
  ])('%j is asked, and acknowledged as the node answers', async (message, expected) => {
    app.say(message);
    expect(await app.hears('Ack')).toMatchObject({ ackId: 1, status: 1, message: '' });
    door.host.answer = () => 'no';
    app.say(message);
    expect(await app.hears('Ack', 2)).toMatchObject({ ackId: 1, status: 2, message: '' });
    const counted = door.log.of('acknowledged').map(([status]) => status);
    expect(counted).toEqual(['ok', 'not_found']);
    expect(door.host.commands).toEqual([
      { hub, ...expected },
      { hub, ...expected },
    ]);
  });

  test.each<[ServiceMessage, object]>([
    [
      { kind: 'JoinGroup', connectionId: 'c', group },
      { kind: 'join', connection, group },
    ],
    [
      { kind: 'LeaveGroup', connectionId: 'c' },
      { kind: 'leave', connection, group: undefined },
    ],
    [
      { kind: 'UserJoinGroup', userId: 'u', group, extensions: { ttl: 0 } },
      { kind: 'joinUser', user, group, ttlSeconds: 0 },
    ],
    [
      { kind: 'UserLeaveGroup', userId: 'u', group },
      { kind: 'leaveUser', user, group },
    ],
    [
      { kind: 'CloseConnection', connectionId: 'elsewhere', errorMessage: 'bye', headers: [] },
      closing(to('connection', 'elsewhere'), []),
    ],
  ])('the form without ack asks the same: %j', async (message, expected) => {
    expect(await asked(message)).toEqual([{ hub, ...expected }]);
    expect(app.of('Ack')).toHaveLength(1);
  });

  test('a close without a reason has none', async () => {
    const [close] = await asked({ kind: 'CloseConnectionsWithAck', ackId: 0, excludedConnectionIds: [] });
    expect(close).toMatchObject({ reason: undefined });
    const [, foreign] = await asked({ kind: 'CloseConnection', connectionId: 'x', errorMessage: '', headers: [] });
    expect(foreign).toMatchObject({ reason: undefined });
  });

  test('an ack goes to the link that asked, with its own number, 0 included', async () => {
    const other = await door.app();
    app.say({ kind: 'CheckUserExistenceWithAck', userId: 'u', ackId: 0 });
    expect(await app.hears('Ack')).toMatchObject({ ackId: 0 });
    await other.settled();
    expect(other.of('Ack')).toHaveLength(1);
  });

  test.each([
    [new GatewayError('no_answer', 'nobody answered'), 3, 'nobody answered'],
    [new GatewayError('backplane_down', 'Redis is down'), 3, 'Redis is down'],
    [new GatewayError('backplane_full', 'Redis is full'), 3, 'Redis is full'],
    [new GatewayError('too_large', 'too large'), 4, 'too large'],
  ])('%s is acknowledged as status %d', async (error, status, message) => {
    door.host.answer = () => Promise.reject(error);
    app.say({ kind: 'JoinGroupWithAck', connectionId: 'c', group, ackId: 5 });
    expect(await app.hears('Ack')).toMatchObject({ ackId: 5, status, message });
  });

  test('a limit that was reached is acknowledged as an error in words', async () => {
    door.host.answer = () => 'limit';
    app.say({ kind: 'JoinGroupWithAck', connectionId: 'c', group, ackId: 5 });
    expect(await app.hears('Ack')).toMatchObject({ status: 4, message: 'a limit of the gateway was reached' });
  });

  test('a defect is acknowledged without its text, and logged', async () => {
    door.host.answer = () => Promise.reject(new Error('secret of the house'));
    app.say({ kind: 'JoinGroupWithAck', connectionId: 'c', group, ackId: 5 });
    expect(await app.hears('Ack')).toMatchObject({ status: 4, message: 'the gateway failed; its log has more' });
    expect(door.defects).toEqual(['a request of a link failed']);
  });

  test('answers that come when the link is over are let go', async () => {
    let answer: (reply: 'yes') => void = () => undefined;
    door.host.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    app.say({ kind: 'JoinGroupWithAck', connectionId: 'c', group, ackId: 5 });
    await door.host.until(() => door.host.commands.length === 1);
    app.leave();
    await door.ends(1);
    answer('yes');
    await (await door.app()).settled();
    expect(door.defects).toEqual([]);
  });
});

describe('what breaks a rule', () => {
  const long = 'x'.repeat(21);

  test.each<[ServiceMessage, string]>([
    [{ kind: 'JoinGroupWithAck', connectionId: 'c', group: '', ackId: 1 }, '"group" must be 1 to 20 characters, got 0'],
    [
      { kind: 'JoinGroupWithAck', connectionId: 'c', group: long, ackId: 1 },
      '"group" must be 1 to 20 characters, got 21',
    ],
    [{ kind: 'CheckGroupExistenceWithAck', group: ' ', ackId: 1 }, '"group" must not be only white space'],
    [
      { kind: 'LeaveGroupWithAck', connectionId: 'c', group: '', ackId: 1 },
      '"group" must be 1 to 20 characters, got 0',
    ],
    [{ kind: 'CheckUserExistenceWithAck', userId: long, ackId: 1 }, '"user" must be 1 to 10 characters, got 21'],
    [
      { kind: 'UserJoinGroupWithAck', userId: 'u', group: 'g', ackId: 1, extensions: { ttl: -1 } },
      '"ttl" must be 0 to 2147483647, got -1',
    ],
    [
      { kind: 'CloseConnectionsWithAck', ackId: 1, excludedConnectionIds: ['a', 'b', 'c', 'd'] },
      '"excludedConnectionIds" must name at most 3, got 4',
    ],
  ])('%j is acknowledged with the rule and never asked', async (message, text) => {
    app.say(message);
    expect(await app.hears('Ack')).toMatchObject({ ackId: 1, status: 4, message: text });
    expect(door.host.commands).toEqual([]);
    expect(door.log.drops).toEqual({});
  });

  test.each<[ServiceMessage, string]>([
    [
      { kind: 'BroadcastData', excludedConnectionIds: [], payloads, extensions: { filter: "userId eq 'a'" } },
      '"filter" must be absent: it is not supported',
    ],
    [{ kind: 'UserData', userId: '', payloads }, '"user" must be 1 to 10 characters, got 0'],
    [{ kind: 'MultiGroupBroadcastData', groups: ['g', ''], payloads }, '"group" must be 1 to 20 characters, got 0'],
    [{ kind: 'MultiUserData', userIds: ['a', 'b', 'c', 'd'], payloads }, '"userIds" must name at most 3, got 4'],
    [{ kind: 'JoinGroup', connectionId: 'c', group: '' }, '"group" must be 1 to 20 characters, got 0'],
  ])('%j is not carried out, told by ServiceEvent and counted', async (message, text) => {
    expect(await asked(message)).toEqual([]);
    const [link] = door.host.links;
    expect(app.of('ServiceEvent')).toMatchObject([{ objectType: 4, id: link?.id, eventKind: 1, message: text }]);
    expect(door.log.drops).toEqual({ invalid: 1 });
  });

  test.each([
    ['too_large', 1],
    ['backplane_full', 3],
  ] as const)('a send that the node refuses as %s is told by ServiceEvent %d', async (code, eventKind) => {
    door.host.answer = () => Promise.reject(new GatewayError(code, 'why'));
    await asked({ kind: 'BroadcastData', excludedConnectionIds: [], payloads });
    expect(app.of('ServiceEvent')).toMatchObject([{ eventKind, message: 'why' }]);
  });

  test('with Redis down nothing is told: the members here were reached', async () => {
    door.host.answer = () => Promise.reject(new GatewayError('backplane_down', 'Redis is down'));
    await asked({ kind: 'BroadcastData', excludedConnectionIds: [], payloads });
    expect(app.of('ServiceEvent')).toEqual([]);
  });

  test('a flood of mistakes is told once a second and counted in full', async () => {
    const wrong: ServiceMessage = { kind: 'UserData', userId: '', payloads };
    await asked(...Array.from({ length: 100 }, () => wrong));
    expect(app.of('ServiceEvent')).toHaveLength(1);
    door.clock.ms = 1001;
    await asked(wrong);
    expect(app.of('ServiceEvent')).toHaveLength(2);
    expect(door.log.drops).toEqual({ invalid: 101 });
  });
});

describe('what is not offered', () => {
  test('an access key is refused in words', async () => {
    app.say({ kind: 'AccessKeyRequest', token: 't' });
    const answer = await app.hears('AccessKeyResponse');
    expect(answer).toMatchObject({ kid: undefined, accessKey: undefined, errorType: 'NotSupported' });
    expect(answer.errorMessage).toContain('AccessKey');
  });

  test('logins by a text that is no connection token are not found', async () => {
    app.say({ kind: 'RefreshAuth', connectionToken: 'x', claims: [], ackId: 3 });
    app.say({ kind: 'GetConnectionClaims', connectionToken: 'x', ackId: 4 });
    await app.hears('Ack', 2);
    expect(app.of('Ack')).toMatchObject([
      { ackId: 3, status: 2 },
      { ackId: 4, status: 2 },
    ]);
  });
});

test('CloseConnection for a client of another link leaves this link as it is', async () => {
  const other = await door.linked();
  const client = new FakeCarried('c1');
  other.link.open(client, client.info(), Buffer.from('r'));
  await asked({ kind: 'CloseConnection', connectionId: 'c1', errorMessage: '', headers: [] });
  expect(client.told).toEqual([]);
  other.link.close('c1', '');
  expect(await other.app.hears('CloseConnection')).toMatchObject({ connectionId: 'c1', errorMessage: '' });
});

describe('a tracing id', () => {
  const cause = { id: '000000000000000000000000000004d2', span: expect.any(String), sampled: true };

  test.each<ServiceMessage>([
    { kind: 'BroadcastData', excludedConnectionIds: [], payloads, extensions: { tracingId: 1234 } },
    { kind: 'JoinGroupWithAck', connectionId: 'c', group: 'g', ackId: 1, extensions: { tracingId: 1234 } },
  ])('of %j goes on with the command, and into the log', async (message) => {
    await asked(message);
    expect(door.host.causes).toEqual([cause]);
    const [span] = door.traced;
    expect(span).toMatchObject({ trace: cause.id, parent: '00000000000004d2', name: `link ${message.kind}`, hub });
  });

  test('that is not there follows nothing', async () => {
    await asked({ kind: 'BroadcastData', excludedConnectionIds: [], payloads });
    expect([door.host.causes, door.traced]).toEqual([[], []]);
  });
});
