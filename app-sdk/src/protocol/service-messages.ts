import { extensions } from './service-extensions.ts';
import {
  bin,
  binOrNil,
  bool,
  claims,
  deadline,
  type Field,
  headers,
  int,
  int32,
  intOrEnd,
  intOrNil,
  list,
  pairs,
  payloads,
  text,
  textOrNil,
} from './service-fields.ts';

/** How a server connection may be used: `connectionType` of HandshakeRequest. */
export const serverConnectionTypes = { default: 0, onDemand: 1, weak: 2 } as const;
/** `status` of Ack. */
export const ackStatuses = { ok: 1, notFound: 2, timeout: 3, internalServerError: 4, forbidden: 5 } as const;
/** `dataType` of ConnectionData. */
export const dataTypes = { unknown: 0, handshake: 1, invocation: 2, other: 3, close: 4 } as const;
/** `objectType` of ServiceEvent. */
export const eventObjects = { serviceInstance: 0, connection: 1, user: 2, group: 3, serverConnection: 4 } as const;
/** `eventKind` of ServiceEvent. */
export const eventKinds = { reloading: 0, invalid: 1, notExisted: 2, bufferFull: 3 } as const;
/** `connectionType` of ConnectionFlowControl. */
export const flowControlTypes = { client: 1, server: 2 } as const;
/** `operation` of ConnectionFlowControl. */
export const flowControlOperations = { pause: 1, pauseAck: 2, resume: 3, offline: 4 } as const;

type Fields = Readonly<Record<string, Field<unknown>>>;

interface Layout<F> {
  readonly number: number;
  /** Fewest elements that a message may have, its number included. */
  readonly least: number;
  /** In the order of the wire. */
  readonly fields: F;
}

function layout<F extends Fields>(number: number, least: number, fields: F): Layout<F> {
  return { number, least, fields };
}

const none = extensions();
const traced = extensions('tracingId');
const sent = extensions('tracingId', 'filter');
const standing = extensions('tracingId', 'ttl');

/** All messages of the service protocol, by their names (section 9): number, fewest elements, fields. */
export const serviceLayouts = {
  HandshakeRequest: layout(1, 2, {
    version: int,
    connectionType: int,
    target: text,
    migrationLevel: int,
    extensions: none,
    allowStatefulReconnects: bool,
  }),
  /** An empty `errorMessage` accepts. */
  HandshakeResponse: layout(2, 2, { errorMessage: text, extensions: none, connectionId: textOrNil }),
  Ping: layout(3, 1, { pairs }),
  /** Always with `protocol` in the extensions: newer SDKs never process a client without it. */
  OpenConnection: layout(4, 3, {
    connectionId: text,
    claims,
    headers,
    /** With its leading `?`, or empty. */
    queryString: text,
    extensions: extensions('tracingId', 'protocol'),
  }),
  CloseConnection: layout(5, 3, { connectionId: text, errorMessage: text, headers, extensions: traced }),
  ConnectionData: layout(6, 3, {
    connectionId: text,
    payload: bin,
    extensions: extensions('tracingId', 'dataType', 'isPartial'),
  }),
  MultiConnectionData: layout(7, 3, { connectionIds: list, payloads, extensions: sent }),
  UserData: layout(8, 3, { userId: text, payloads, extensions: sent }),
  MultiUserData: layout(9, 3, { userIds: list, payloads, extensions: sent }),
  BroadcastData: layout(10, 3, { excludedConnectionIds: list, payloads, extensions: sent }),
  JoinGroup: layout(11, 3, { connectionId: text, group: text, extensions: traced }),
  /** Without a group: from all groups. So it is in the other Leave messages. */
  LeaveGroup: layout(12, 3, { connectionId: text, group: textOrNil, extensions: traced }),
  GroupBroadcastData: layout(13, 4, {
    group: text,
    excludedConnectionIds: list,
    payloads,
    extensions: sent,
    excludedUserIds: list,
    callerUserId: textOrNil,
  }),
  MultiGroupBroadcastData: layout(14, 3, { groups: list, payloads, extensions: sent }),
  /** Not empty: the SDK stops writing on this connection. */
  ServiceError: layout(15, 2, { errorMessage: text }),
  UserJoinGroup: layout(16, 3, { userId: text, group: text, extensions: standing }),
  UserLeaveGroup: layout(17, 3, { userId: text, group: textOrNil, extensions: traced }),
  JoinGroupWithAck: layout(18, 4, { connectionId: text, group: text, ackId: int, extensions: traced }),
  LeaveGroupWithAck: layout(19, 4, { connectionId: text, group: textOrNil, ackId: int, extensions: traced }),
  /** `payload` is MessagePack: see `readMemberPage` and `readClaims`. */
  Ack: layout(20, 3, { ackId: int, status: int, message: text, extensions: none, payload: binOrNil }),
  CheckUserInGroupWithAck: layout(21, 4, { userId: text, group: text, ackId: int, extensions: traced }),
  ServiceEvent: layout(22, 5, { objectType: int, id: text, eventKind: int, message: text, extensions: none }),
  CheckGroupExistenceWithAck: layout(23, 3, { group: text, ackId: int, extensions: traced }),
  CheckConnectionExistenceWithAck: layout(24, 3, { connectionId: text, ackId: int, extensions: traced }),
  CheckUserExistenceWithAck: layout(25, 3, { userId: text, ackId: int, extensions: traced }),
  UserJoinGroupWithAck: layout(26, 4, { userId: text, group: text, ackId: int, extensions: standing }),
  UserLeaveGroupWithAck: layout(27, 4, { userId: text, group: textOrNil, ackId: int, extensions: traced }),
  AccessKeyRequest: layout(28, 3, { token: text, kid: textOrNil, extensions: none }),
  AccessKeyResponse: layout(29, 5, {
    kid: textOrNil,
    accessKey: textOrNil,
    errorType: textOrNil,
    errorMessage: textOrNil,
    extensions: none,
  }),
  CloseConnectionWithAck: layout(30, 4, { connectionId: text, reason: textOrNil, ackId: int, extensions: traced }),
  CloseConnectionsWithAck: layout(31, 4, {
    reason: textOrNil,
    ackId: int,
    excludedConnectionIds: list,
    extensions: traced,
  }),
  CloseUserConnectionsWithAck: layout(32, 5, {
    userId: text,
    reason: textOrNil,
    ackId: int,
    excludedConnectionIds: list,
    extensions: traced,
  }),
  CloseGroupConnectionsWithAck: layout(33, 5, {
    group: text,
    reason: textOrNil,
    ackId: int,
    excludedConnectionIds: list,
    extensions: traced,
  }),
  ClientInvocation: layout(34, 5, {
    invocationId: text,
    connectionId: text,
    callerServerId: text,
    payloads,
    extensions: traced,
  }),
  /** `extensions.protocol` repeats `protocol`. */
  ClientCompletion: layout(35, 6, {
    invocationId: text,
    connectionId: text,
    callerServerId: text,
    protocol: text,
    payload: bin,
    extensions: extensions('tracingId', 'protocol'),
  }),
  ErrorCompletion: layout(36, 5, {
    invocationId: text,
    connectionId: text,
    callerServerId: text,
    error: text,
    extensions: traced,
  }),
  ServiceMapping: layout(37, 4, { invocationId: text, connectionId: text, instanceId: text, extensions: none }),
  ConnectionReconnect: layout(38, 2, { connectionId: text, extensions: none }),
  ConnectionFlowControl: layout(39, 4, {
    connectionId: text,
    connectionType: int32,
    operation: int32,
    extensions: none,
  }),
  /** The one message whose extension map comes first. */
  GroupMemberQuery: layout(40, 6, {
    extensions: traced,
    group: text,
    ackId: int,
    maxPageSize: intOrNil,
    continuationToken: textOrNil,
    top: intOrEnd,
  }),
  /** Without claims: they stay as they are. */
  RefreshAuth: layout(41, 5, { connectionToken: text, claims, expireTime: deadline, ackId: int, extensions: none }),
  GetConnectionClaims: layout(42, 3, { connectionToken: text, ackId: int, extensions: none }),
  UpdateConnectionClaims: layout(43, 3, { connectionId: text, claims, extensions: none }),
} as const;
