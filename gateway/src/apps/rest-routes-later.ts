import { invoke } from './rest-invoke.ts';
import { listPage } from './rest-lists.ts';
import { originOf } from './rest-origin.ts';
import { both, jsonAnswer, type Route } from './rest-route.ts';
import { loginRoutes } from './rest-routes-login.ts';
import { completion, readStreamItem } from './rest-streams.ts';

const post = ['POST'];
/** Tokens live an hour unless said. */
const tokenMinutes = 60;

/** The operations of later versions (REST reference, section 5). They are not gated by version: SDKs ask for an old one. */
export const laterRoutes: readonly Route[] = [
  {
    kind: 'answer',
    operation: 'generate_token',
    doc: 'Signs a token with which a client may connect to the hub.',
    methods: post,
    paths: ['hubs/{hub}/:generateToken'],
    ok: both(200),
    query: ['userId', 'minutesToExpire'],
    gives: 'ClientToken',
    async answer(call, { clientTokens, limits }, request) {
      const minutes = call.integer('minutesToExpire', 1, 2_147_483_647) ?? tokenMinutes;
      const token = await clientTokens({
        origin: originOf(request, limits.hosts),
        hub: call.hub,
        userId: call.userId(),
        minutes,
      });
      return jsonAnswer({ token });
    },
  },
  {
    kind: 'answer',
    operation: 'list_group',
    doc: 'Lists the connections in a group, by page. An unknown group has none.',
    methods: ['GET'],
    paths: ['hubs/{hub}/groups/{group}/connections', 'signalbox/hubs/{hub}/groups/{group}/connections'],
    ok: both(200),
    query: ['maxpagesize', 'top', 'continuationToken'],
    gives: 'Connections',
    answer: (call, parts, request) => listPage(call, { kind: 'group', group: call.group() }, parts, request),
  },
  {
    kind: 'answer',
    operation: 'invoke',
    doc: 'Calls a method of one client and waits for its result, for SIGNALBOX_INVOKE_MS at most.',
    methods: post,
    paths: ['hubs/{hub}/connections/{connection}/:invoke'],
    ok: both(200),
    takes: 'Message',
    gives: 'ClientResult',
    refusals: ['connection_unknown', 'client_failed', 'client_timeout', 'limit_reached'],
    answer: invoke,
  },
  {
    kind: 'send',
    operation: 'send_stream_item',
    doc: 'Sends one item of a stream that the client asked for; with `completed=true` it is the last.',
    methods: post,
    paths: ['hubs/{hub}/connections/{connection}/streams/{stream}/:send'],
    ok: both(202),
    query: ['completed'],
    takes: 'StreamItem',
    make: (call) => call.toConnection(),
    payload: readStreamItem,
  },
  {
    kind: 'send',
    operation: 'complete_stream',
    doc: 'Ends a stream that the client asked for; with `reason` (or `error`, as the Management SDK has it) it failed.',
    methods: post,
    paths: ['hubs/{hub}/connections/{connection}/streams/{stream}/:complete'],
    ok: both(202),
    query: ['reason', 'error'],
    make: (call) => call.toConnection(),
    payload: async (_request, _mostBytes, call) => completion(call),
  },
  ...loginRoutes,
  {
    kind: 'refused',
    operation: 'execute',
    doc: 'Runs several commands in one request. The gateway does not have it.',
    methods: post,
    paths: ['hubs/{hub}/:execute'],
    ok: both(202),
    refusals: ['not_supported'],
    why: 'the commands of ":execute" are not published; send them one by one, or messages by ":sendMany"',
  },
  {
    kind: 'refused',
    operation: 'access_key',
    doc: 'Gives callers with an Entra token a key. The gateway takes access keys only, and gives none away.',
    methods: ['GET'],
    paths: ['auth/accessKey'],
    ok: both(200),
    refusals: ['not_supported'],
    why: 'Entra ID is not supported: sign tokens with an access key of SIGNALBOX_ACCESS_KEY',
  },
];
