import type { CheckedAddress, Places, Spot } from './address.ts';
import type { Command, Frames } from './hub/gateway.ts';
import type { ServiceMessage } from './protocol/service.ts';

type SendMaker = (ids: readonly string[], except: readonly string[], payloads: Frames) => ServiceMessage;

/** One message for each kind of address, whatever its length (service protocol, 9.3). */
const sends: Readonly<Record<keyof Places, SendMaker>> = {
  all: (_, excludedConnectionIds, payloads) => ({ kind: 'BroadcastData', excludedConnectionIds, payloads }),
  group: ([group = ''], excludedConnectionIds, payloads) => ({
    kind: 'GroupBroadcastData',
    group,
    excludedConnectionIds,
    payloads,
    excludedUserIds: [],
  }),
  groups: (groups, _, payloads) => ({ kind: 'MultiGroupBroadcastData', groups, payloads }),
  user: ([userId = ''], _, payloads) => ({ kind: 'UserData', userId, payloads }),
  users: (userIds, _, payloads) => ({ kind: 'MultiUserData', userIds, payloads }),
  connection: (connectionIds, _, payloads) => ({ kind: 'MultiConnectionData', connectionIds, payloads }),
  connections: (connectionIds, _, payloads) => ({ kind: 'MultiConnectionData', connectionIds, payloads }),
};

/** The message that sends frames to an address. */
export function sendMessage({ to, spots }: CheckedAddress, frames: Frames): ServiceMessage {
  const ids = spots.map(({ id }) => id);
  return sends[to](ids, spots[0]?.except ?? [], frames);
}

type CommandOf<K extends Command['kind']> = Extract<Command, { kind: K }>;

/** Messages 18 to 27 and 30 to 33 (service protocol, 9.4 and 9.6). */
const commands: { readonly [K in Command['kind']]: (command: CommandOf<K>, ackId: number) => ServiceMessage } = {
  join({ who, group, ttlSeconds }, ackId) {
    if ('connection' in who) return { kind: 'JoinGroupWithAck', connectionId: who.connection, group, ackId };
    const extensions = ttlSeconds === undefined ? {} : { extensions: { ttl: ttlSeconds } };
    return { kind: 'UserJoinGroupWithAck', userId: who.user, group, ackId, ...extensions };
  },
  leave({ who, group }, ackId) {
    if ('connection' in who) return { kind: 'LeaveGroupWithAck', connectionId: who.connection, group, ackId };
    return { kind: 'UserLeaveGroupWithAck', userId: who.user, group, ackId };
  },
  isMember: ({ user, group }, ackId) => ({ kind: 'CheckUserInGroupWithAck', userId: user, group, ackId }),
  exists: ({ spot }, ackId) => checks[spot.place](spot.id, ackId),
  close: ({ spot, reason }, ackId) => closes[spot.place](spot, reason, ackId),
};

/** A whole hub cannot be asked for: callers check. */
const checks: Readonly<Record<Spot['place'], (id: string, ackId: number) => ServiceMessage>> = {
  all() {
    throw new TypeError('"exists" must name a connection, a user or a group');
  },
  connection: (connectionId, ackId) => ({ kind: 'CheckConnectionExistenceWithAck', connectionId, ackId }),
  user: (userId, ackId) => ({ kind: 'CheckUserExistenceWithAck', userId, ackId }),
  group: (group, ackId) => ({ kind: 'CheckGroupExistenceWithAck', group, ackId }),
};

type CloseMaker = (spot: Spot, reason: string | undefined, ackId: number) => ServiceMessage;

const closes: Readonly<Record<Spot['place'], CloseMaker>> = {
  all: ({ except }, reason, ackId) => ({
    kind: 'CloseConnectionsWithAck',
    reason,
    ackId,
    excludedConnectionIds: except,
  }),
  connection: ({ id }, reason, ackId) => ({ kind: 'CloseConnectionWithAck', connectionId: id, reason, ackId }),
  user: ({ id, except }, reason, ackId) => ({
    kind: 'CloseUserConnectionsWithAck',
    userId: id,
    reason,
    ackId,
    excludedConnectionIds: except,
  }),
  group: ({ id, except }, reason, ackId) => ({
    kind: 'CloseGroupConnectionsWithAck',
    group: id,
    reason,
    ackId,
    excludedConnectionIds: except,
  }),
};

/** The message that asks for a command. */
export function commandMessage<K extends Command['kind']>(command: CommandOf<K>, ackId: number): ServiceMessage {
  const make = commands[command.kind as K];
  return make(command, ackId);
}
