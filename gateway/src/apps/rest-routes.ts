import type { ErrorCode } from '../errors.ts';
import type { Question, Send } from '../protocol/command.ts';
import type { RestCall } from './rest-names.ts';

/** Under which prefix a request came: `/api/v1/` or `/api/`. They differ in statuses, not in what is done. */
export type Style = 'v1' | 'dated';

/** A value for each of the two prefixes. */
export interface ByStyle<T> {
  readonly v1: T;
  readonly dated: T;
}

interface Shape {
  /** Name in metrics and logs. */
  readonly operation: string;
  /** HTTP methods, upper case. */
  readonly methods: readonly string[];
  /** Templates below the prefix; every one is served under both. A literal is matched in any case. */
  readonly paths: readonly string[];
  /** Status of success, under each prefix. */
  readonly ok: ByStyle<number>;
}

/** A send but for its payload, which is read from the body afterwards. */
export type SendDraft = Omit<Send, 'payload'>;

/** One operation of the REST API: how it is called, what it makes of the call, and what it answers. */
export type Route =
  | (Shape & { readonly kind: 'send'; make(call: RestCall): SendDraft })
  | (Shape & {
      readonly kind: 'ask';
      make(call: RestCall): Question;
      /** What the reply `no` becomes; `undefined`: success. */
      readonly no: ByStyle<ErrorCode | undefined>;
    })
  | (Shape & { /** Answered at once, to anybody. */ readonly kind: 'open' });

const both = <T>(value: T): ByStyle<T> => ({ v1: value, dated: value });
const post = ['POST'];
const remove = ['DELETE'];
const look = ['HEAD', 'GET'];

function sends(call: RestCall, to: Send['to']): SendDraft {
  return { kind: 'send', hub: call.hub, to, exceptConnections: call.excluded(), exceptUsers: [] };
}

function closes(call: RestCall, to: Send['to']): Question {
  return { kind: 'close', hub: call.hub, to, exceptConnections: call.excluded(), reason: call.reason() };
}

/** Every operation there is (REST reference, sections 3 and 4). A later one is one more row. */
export const routes: readonly Route[] = [
  { kind: 'open', operation: 'health', methods: look, paths: ['health'], ok: both(200) },
  {
    kind: 'send',
    operation: 'broadcast',
    methods: post,
    paths: ['hubs/{hub}', 'hubs/{hub}/:send'],
    ok: both(202),
    make: (call) => sends(call, { kind: 'all' }),
  },
  {
    kind: 'send',
    operation: 'send_to_user',
    methods: post,
    paths: ['hubs/{hub}/users/{user}', 'hubs/{hub}/users/{user}/:send'],
    ok: both(202),
    make: (call) => sends(call, { kind: 'user', user: call.user() }),
  },
  {
    kind: 'send',
    operation: 'send_to_group',
    methods: post,
    paths: ['hubs/{hub}/groups/{group}', 'hubs/{hub}/groups/{group}/:send'],
    ok: both(202),
    make: (call) => sends(call, { kind: 'group', group: call.group() }),
  },
  {
    kind: 'send',
    operation: 'send_to_connection',
    methods: post,
    paths: ['hubs/{hub}/connections/{connection}', 'hubs/{hub}/connections/{connection}/:send'],
    ok: both(202),
    make: (call) => sends(call, { kind: 'connection', connection: call.connection() }),
  },
  {
    kind: 'ask',
    operation: 'connection_exists',
    methods: look,
    paths: ['hubs/{hub}/connections/{connection}'],
    ok: both(200),
    no: both('connection_unknown'),
    make: (call) => ({ kind: 'exists', hub: call.hub, at: { kind: 'connection', connection: call.connection() } }),
  },
  {
    kind: 'ask',
    operation: 'user_exists',
    methods: look,
    paths: ['hubs/{hub}/users/{user}'],
    ok: both(200),
    no: both('user_unknown'),
    make: (call) => ({ kind: 'exists', hub: call.hub, at: { kind: 'user', user: call.user() } }),
  },
  {
    kind: 'ask',
    operation: 'group_exists',
    methods: look,
    paths: ['hubs/{hub}/groups/{group}'],
    ok: both(200),
    no: both('group_unknown'),
    make: (call) => ({ kind: 'exists', hub: call.hub, at: { kind: 'group', group: call.group() } }),
  },
  {
    kind: 'ask',
    operation: 'close_connection',
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
    methods: post,
    paths: ['hubs/{hub}/:closeConnections'],
    ok: both(204),
    no: both(undefined),
    make: (call) => closes(call, { kind: 'all' }),
  },
  {
    kind: 'ask',
    operation: 'close_group',
    methods: post,
    paths: ['hubs/{hub}/groups/{group}/:closeConnections'],
    ok: both(204),
    no: both(undefined),
    make: (call) => closes(call, { kind: 'group', group: call.group() }),
  },
  {
    kind: 'ask',
    operation: 'close_user',
    methods: post,
    paths: ['hubs/{hub}/users/{user}/:closeConnections'],
    ok: both(204),
    no: both(undefined),
    make: (call) => closes(call, { kind: 'user', user: call.user() }),
  },
  {
    kind: 'ask',
    operation: 'join_group',
    methods: ['PUT'],
    paths: ['hubs/{hub}/groups/{group}/connections/{connection}'],
    ok: both(200),
    no: both('connection_to_join_unknown'),
    make: (call) => ({ kind: 'join', hub: call.hub, connection: call.connection(), group: call.group() }),
  },
  {
    kind: 'ask',
    operation: 'leave_group',
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
    methods: remove,
    paths: ['hubs/{hub}/connections/{connection}/groups'],
    ok: both(200),
    no: both(undefined),
    make: (call) => ({ kind: 'leave', hub: call.hub, connection: call.connection(), group: undefined }),
  },
  {
    kind: 'ask',
    operation: 'join_group_as_user',
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
    methods: remove,
    paths: ['hubs/{hub}/users/{user}/groups/{group}', 'hubs/{hub}/groups/{group}/users/{user}'],
    ok: { v1: 202, dated: 204 },
    no: both(undefined),
    make: (call) => ({ kind: 'leaveUser', hub: call.hub, user: call.user(), group: call.group() }),
  },
  {
    kind: 'ask',
    operation: 'leave_all_groups_as_user',
    methods: remove,
    paths: ['hubs/{hub}/users/{user}/groups'],
    ok: { v1: 200, dated: 204 },
    no: both(undefined),
    make: (call) => ({ kind: 'leaveUser', hub: call.hub, user: call.user(), group: undefined }),
  },
  {
    kind: 'ask',
    operation: 'user_in_group',
    methods: look,
    paths: ['hubs/{hub}/users/{user}/groups/{group}', 'hubs/{hub}/groups/{group}/users/{user}'],
    ok: both(200),
    no: both('user_not_in_group'),
    make: (call) => ({ kind: 'userInGroup', hub: call.hub, user: call.user(), group: call.group() }),
  },
];
