import type { PayloadMap, ServiceMessageKind, ServiceMessageOf } from '@signalbox/app-sdk/protocol';
import { GatewayError } from '../errors.ts';
import type { Address } from '../protocol/address.ts';
import type { Payload, Question, Send } from '../protocol/command.ts';
import type { LinkNames } from './link-names.ts';

/*
 * Messages of the service protocol → commands: what an app server asks over its link, in the words of the core (service
 * protocol, sections 9.3 to 9.6). Pure; what is carried out and answered stands in `link-requests.ts`.
 */

/** Messages that send. */
export type SendKind =
  | 'MultiConnectionData'
  | 'UserData'
  | 'MultiUserData'
  | 'BroadcastData'
  | 'GroupBroadcastData'
  | 'MultiGroupBroadcastData';

/** Messages that ask for a change or a fact, with an ack or, in the old forms, without. */
export type QuestionKind =
  | 'JoinGroup'
  | 'JoinGroupWithAck'
  | 'LeaveGroup'
  | 'LeaveGroupWithAck'
  | 'UserJoinGroup'
  | 'UserJoinGroupWithAck'
  | 'UserLeaveGroup'
  | 'UserLeaveGroupWithAck'
  | 'CheckUserInGroupWithAck'
  | 'CheckGroupExistenceWithAck'
  | 'CheckConnectionExistenceWithAck'
  | 'CheckUserExistenceWithAck'
  | 'CloseConnection'
  | 'CloseConnectionWithAck'
  | 'CloseConnectionsWithAck'
  | 'CloseUserConnectionsWithAck'
  | 'CloseGroupConnectionsWithAck';

/** To whom a message goes, one send for each address, in this order. */
interface Audience {
  readonly to: readonly Address[];
  readonly exceptConnections: readonly string[];
  readonly exceptUsers: readonly string[];
}

type Rows<K extends ServiceMessageKind, T> = {
  readonly [N in K]: (message: ServiceMessageOf<N>, names: LinkNames, hub: string) => T;
};

function only(...to: readonly Address[]): Audience {
  return { to, exceptConnections: [], exceptUsers: [] };
}

const audiences: Rows<SendKind, Audience> = {
  MultiConnectionData({ connectionIds }, names) {
    const connections = names.list('connectionIds', connectionIds);
    return connections.length === 0 ? only() : only({ kind: 'connections', connections });
  },
  UserData: ({ userId }, names) => only({ kind: 'user', user: names.user(userId) }),
  MultiUserData({ userIds }, names) {
    const users = names.list('userIds', userIds);
    return users.length === 0 ? only() : only({ kind: 'users', users });
  },
  BroadcastData: ({ excludedConnectionIds }, names) => ({
    to: [{ kind: 'all' }],
    exceptConnections: names.list('excludedConnectionIds', excludedConnectionIds),
    exceptUsers: [],
  }),
  GroupBroadcastData: ({ group, excludedConnectionIds, excludedUserIds }, names) => ({
    to: [{ kind: 'group', group: names.group(group) }],
    exceptConnections: names.list('excludedConnectionIds', excludedConnectionIds),
    exceptUsers: names.list('excludedUserIds', excludedUserIds),
  }),
  MultiGroupBroadcastData: ({ groups }, names) =>
    only(...names.list('groups', groups).map((group) => ({ kind: 'group', group: names.group(group) }) as const)),
};

const join = (message: { connectionId: string; group: string }, names: LinkNames, hub: string): Question => ({
  kind: 'join',
  hub,
  connection: message.connectionId,
  group: names.group(message.group),
});

const leave = (
  message: { connectionId: string; group?: string | undefined },
  names: LinkNames,
  hub: string,
): Question => ({
  kind: 'leave',
  hub,
  connection: message.connectionId,
  group: names.groupOrAll(message.group),
});

const joinUser = (
  message: ServiceMessageOf<'UserJoinGroup' | 'UserJoinGroupWithAck'>,
  names: LinkNames,
  hub: string,
): Question => ({
  kind: 'joinUser',
  hub,
  user: names.user(message.userId),
  group: names.group(message.group),
  ttlSeconds: names.ttlSeconds(message.extensions?.ttl),
});

const leaveUser = (
  message: { userId: string; group?: string | undefined },
  names: LinkNames,
  hub: string,
): Question => ({
  kind: 'leaveUser',
  hub,
  user: names.user(message.userId),
  group: names.groupOrAll(message.group),
});

function close(
  hub: string,
  to: Address,
  reason: string | undefined,
  exceptConnections: readonly string[] = [],
): Question {
  return { kind: 'close', hub, to, exceptConnections, reason: reason || undefined };
}

const questions: Rows<QuestionKind, Question> = {
  JoinGroup: join,
  JoinGroupWithAck: join,
  LeaveGroup: leave,
  LeaveGroupWithAck: leave,
  UserJoinGroup: joinUser,
  UserJoinGroupWithAck: joinUser,
  UserLeaveGroup: leaveUser,
  UserLeaveGroupWithAck: leaveUser,
  CheckUserInGroupWithAck: ({ userId, group }, names, hub) => ({
    kind: 'userInGroup',
    hub,
    user: names.user(userId),
    group: names.group(group),
  }),
  CheckGroupExistenceWithAck: ({ group }, names, hub) => ({
    kind: 'exists',
    hub,
    at: { kind: 'group', group: names.group(group) },
  }),
  CheckConnectionExistenceWithAck: ({ connectionId }, _names, hub) => ({
    kind: 'exists',
    hub,
    at: { kind: 'connection', connection: connectionId },
  }),
  CheckUserExistenceWithAck: ({ userId }, names, hub) => ({
    kind: 'exists',
    hub,
    at: { kind: 'user', user: names.user(userId) },
  }),
  CloseConnection: ({ connectionId, errorMessage }, _names, hub) =>
    close(hub, { kind: 'connection', connection: connectionId }, errorMessage),
  CloseConnectionWithAck: ({ connectionId, reason }, _names, hub) =>
    close(hub, { kind: 'connection', connection: connectionId }, reason),
  CloseConnectionsWithAck: ({ reason, excludedConnectionIds }, names, hub) =>
    close(hub, { kind: 'all' }, reason, names.list('excludedConnectionIds', excludedConnectionIds)),
  CloseUserConnectionsWithAck: ({ userId, reason, excludedConnectionIds }, names, hub) =>
    close(
      hub,
      { kind: 'user', user: names.user(userId) },
      reason,
      names.list('excludedConnectionIds', excludedConnectionIds),
    ),
  CloseGroupConnectionsWithAck: ({ group, reason, excludedConnectionIds }, names, hub) =>
    close(
      hub,
      { kind: 'group', group: names.group(group) },
      reason,
      names.list('excludedConnectionIds', excludedConnectionIds),
    ),
};

/**
 * The sends that a message asks for, in order; none for an empty list.
 * @throws {GatewayError} `request_invalid` for a filter or a list that is too long, `name_invalid`.
 */
export function sendsOf<K extends SendKind>(
  message: ServiceMessageOf<K>,
  names: LinkNames,
  hub: string,
): readonly Send[] {
  const audienceOf = audiences[message.kind] as Rows<K, Audience>[K];
  // Whom a filter would leave out is not known here, and to deliver to everybody instead is worse than to nobody.
  if (message.extensions?.filter)
    throw new GatewayError('request_invalid', '"filter" must be absent: it is not supported');
  const { to, ...except } = audienceOf(message, names, hub);
  const payload = ready(message.payloads);
  return to.map((address) => ({ kind: 'send', hub, to: address, ...except, payload }));
}

/**
 * What a message asks.
 * @throws {GatewayError} `request_invalid`, `name_invalid`.
 */
export function questionOf<K extends QuestionKind>(
  message: ServiceMessageOf<K>,
  names: LinkNames,
  hub: string,
): Question {
  const row = questions[message.kind] as Rows<K, Question>[K];
  return row(message, names, hub);
}

/** Does this kind of message send? */
export function isSend(message: { readonly kind: ServiceMessageKind }): message is ServiceMessageOf<SendKind> {
  return Object.hasOwn(audiences, message.kind);
}

/** Does this kind of message ask? */
export function isQuestion(message: { readonly kind: ServiceMessageKind }): message is ServiceMessageOf<QuestionKind> {
  return Object.hasOwn(questions, message.kind);
}

function ready(payloads: PayloadMap): Payload {
  const frames = new Map<string, Uint8Array>();
  for (const [protocol, bytes] of payloads) frames.set(protocol.toLowerCase(), bytes);
  return { kind: 'ready', frames };
}
