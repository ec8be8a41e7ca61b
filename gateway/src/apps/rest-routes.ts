import type { Question, Send } from '../protocol/command.ts';
import { readPayload } from './rest-body.ts';
import type { RestCall } from './rest-names.ts';
import { both, type Route, type SendDraft } from './rest-route.ts';
import { laterRoutes } from './rest-routes-later.ts';
import { ownRoutes } from './rest-routes-own.ts';

const post = ['POST'];
const remove = ['DELETE'];
const look = ['HEAD', 'GET'];

function sends(call: RestCall, to: Send['to']): SendDraft {
  return { kind: 'send', hub: call.hub, to, exceptConnections: call.excluded(), exceptUsers: [] };
}

function closes(call: RestCall, to: Send['to']): Question {
  return { kind: 'close', hub: call.hub, to, exceptConnections: call.excluded(), reason: call.reason() };
}

/** What every send has but its path and its audience. */
const sending = { kind: 'send', methods: post, ok: both(202), takes: 'Message', payload: readPayload } as const;

/** The operations of 1.0 and 2022-06-01 (REST reference, sections 3 and 4). */
const firstRoutes: readonly Route[] = [
  {
    kind: 'open',
    operation: 'health',
    doc: 'Is the gateway there? Anybody may ask, and nothing of the cluster is looked at.',
    methods: look,
    paths: ['health'],
    ok: both(200),
  },
  {
    ...sending,
    operation: 'broadcast',
    doc: 'Sends a message to every connection of the hub.',
    query: ['excluded'],
    paths: ['hubs/{hub}', 'hubs/{hub}/:send'],
    make: (call) => sends(call, { kind: 'all' }),
  },
  {
    ...sending,
    operation: 'send_to_user',
    doc: 'Sends a message to every connection of a user.',
    paths: ['hubs/{hub}/users/{user}', 'hubs/{hub}/users/{user}/:send'],
    make: (call) => sends(call, { kind: 'user', user: call.user() }),
  },
  {
    ...sending,
    operation: 'send_to_group',
    doc: 'Sends a message to every connection in a group.',
    query: ['excluded'],
    paths: ['hubs/{hub}/groups/{group}', 'hubs/{hub}/groups/{group}/:send'],
    make: (call) => sends(call, { kind: 'group', group: call.group() }),
  },
  {
    ...sending,
    operation: 'send_to_connection',
    doc: 'Sends a message to one connection. An unknown one is no error.',
    paths: ['hubs/{hub}/connections/{connection}', 'hubs/{hub}/connections/{connection}/:send'],
    make: (call) => sends(call, { kind: 'connection', connection: call.connection() }),
  },
  {
    kind: 'ask',
    operation: 'connection_exists',
    doc: 'Is the connection there now?',
    methods: look,
    paths: ['hubs/{hub}/connections/{connection}'],
    ok: both(200),
    no: both('connection_unknown'),
    make: (call) => ({ kind: 'exists', hub: call.hub, at: { kind: 'connection', connection: call.connection() } }),
  },
  {
    kind: 'ask',
    operation: 'user_exists',
    doc: 'Has the user a connection now?',
    methods: look,
    paths: ['hubs/{hub}/users/{user}'],
    ok: both(200),
    no: both('user_unknown'),
    make: (call) => ({ kind: 'exists', hub: call.hub, at: { kind: 'user', user: call.user() } }),
  },
  {
    kind: 'ask',
    operation: 'group_exists',
    doc: 'Has the group a member connection now?',
    methods: look,
    paths: ['hubs/{hub}/groups/{group}'],
    ok: both(200),
    no: both('group_unknown'),
    make: (call) => ({ kind: 'exists', hub: call.hub, at: { kind: 'group', group: call.group() } }),
  },
  {
    kind: 'ask',
    operation: 'close_connection',
    doc: 'Closes one connection.',
    query: ['reason'],
    methods: remove,
    paths: ['hubs/{hub}/connections/{connection}'],
    ok: { v1: 202, dated: 200 },
    // 1.0 lists no 404 here, and its callers expect no code that would excuse one.
    no: { v1: undefined, dated: 'connection_unknown' },
    make: (call) => closes(call, { kind: 'connection', connection: call.connection() }),
  },
  {
    kind: 'ask',
    operation: 'close_hub',
    doc: 'Closes every connection of the hub.',
    query: ['excluded', 'reason'],
    methods: post,
    paths: ['hubs/{hub}/:closeConnections'],
    ok: both(204),
    no: both(undefined),
    make: (call) => closes(call, { kind: 'all' }),
  },
  {
    kind: 'ask',
    operation: 'close_group',
    doc: 'Closes every connection in a group.',
    query: ['excluded', 'reason'],
    methods: post,
    paths: ['hubs/{hub}/groups/{group}/:closeConnections'],
    ok: both(204),
    no: both(undefined),
    make: (call) => closes(call, { kind: 'group', group: call.group() }),
  },
  {
    kind: 'ask',
    operation: 'close_user',
    doc: 'Closes every connection of a user.',
    query: ['excluded', 'reason'],
    methods: post,
    paths: ['hubs/{hub}/users/{user}/:closeConnections'],
    ok: both(204),
    no: both(undefined),
    make: (call) => closes(call, { kind: 'user', user: call.user() }),
  },
  {
    kind: 'ask',
    operation: 'join_group',
    doc: 'Puts a connection into a group. It is in force, on all nodes, when the answer comes.',
    methods: ['PUT'],
    paths: ['hubs/{hub}/groups/{group}/connections/{connection}'],
    ok: both(200),
    no: both('connection_to_join_unknown'),
    refusals: ['limit_reached'],
    make: (call) => ({ kind: 'join', hub: call.hub, connection: call.connection(), group: call.group() }),
  },
  {
    kind: 'ask',
    operation: 'leave_group',
    doc: 'Takes a connection out of a group. A connection that is unknown or no member is no error.',
    methods: remove,
    paths: ['hubs/{hub}/groups/{group}/connections/{connection}'],
    ok: both(200),
    // The Management SDK throws on any 404 to a removal (REST reference, 4.1).
    no: both(undefined),
    make: (call) => ({ kind: 'leave', hub: call.hub, connection: call.connection(), group: call.group() }),
  },
  {
    kind: 'ask',
    operation: 'leave_all_groups',
    doc: 'Takes a connection out of all groups.',
    methods: remove,
    paths: ['hubs/{hub}/connections/{connection}/groups'],
    ok: both(200),
    no: both(undefined),
    make: (call) => ({ kind: 'leave', hub: call.hub, connection: call.connection(), group: undefined }),
  },
  {
    kind: 'ask',
    operation: 'join_group_as_user',
    doc: 'Puts a user into a group: the connections of now, and later ones for as long as it stands.',
    query: ['ttl'],
    methods: ['PUT'],
    paths: ['hubs/{hub}/users/{user}/groups/{group}', 'hubs/{hub}/groups/{group}/users/{user}'],
    ok: { v1: 202, dated: 200 },
    no: both(undefined),
    make: (call) => ({
      kind: 'joinUser',
      hub: call.hub,
      user: call.user(),
      group: call.group(),
      ttlSeconds: call.ttlSeconds(),
    }),
  },
  {
    kind: 'ask',
    operation: 'leave_group_as_user',
    doc: 'Takes a user, and every connection of the user, out of a group.',
    methods: remove,
    paths: ['hubs/{hub}/users/{user}/groups/{group}', 'hubs/{hub}/groups/{group}/users/{user}'],
    ok: { v1: 202, dated: 204 },
    no: both(undefined),
    make: (call) => ({ kind: 'leaveUser', hub: call.hub, user: call.user(), group: call.group() }),
  },
  {
    kind: 'ask',
    operation: 'leave_all_groups_as_user',
    doc: 'Takes a user out of all groups.',
    methods: remove,
    paths: ['hubs/{hub}/users/{user}/groups'],
    ok: { v1: 200, dated: 204 },
    no: both(undefined),
    make: (call) => ({ kind: 'leaveUser', hub: call.hub, user: call.user(), group: undefined }),
  },
  {
    kind: 'ask',
    operation: 'user_in_group',
    doc: 'Is the user in the group, by a standing membership or by a connection?',
    methods: look,
    paths: ['hubs/{hub}/users/{user}/groups/{group}', 'hubs/{hub}/groups/{group}/users/{user}'],
    ok: both(200),
    no: both('user_not_in_group'),
    make: (call) => ({ kind: 'userInGroup', hub: call.hub, user: call.user(), group: call.group() }),
  },
];

/** Every operation there is. */
export const routes: readonly Route[] = [...firstRoutes, ...laterRoutes, ...ownRoutes];
