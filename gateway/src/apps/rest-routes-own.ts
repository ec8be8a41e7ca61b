import type { Crowd } from '../protocol/inquiry.ts';
import { sendMany } from './rest-batch.ts';
import { listPage } from './rest-lists.ts';
import type { RestCall } from './rest-names.ts';
import { both, jsonAnswer, type Route } from './rest-route.ts';

function counts(operation: string, doc: string, path: string, of: (call: RestCall) => Crowd): Route {
  return {
    kind: 'answer',
    operation,
    doc,
    methods: ['GET'],
    paths: [`signalbox/hubs/{hub}${path}/count`],
    ok: both(200),
    gives: 'Count',
    answer: async (call, { inquiries }) => jsonAnswer({ count: await inquiries.count(call.hub, of(call)) }),
  };
}

function lists(operation: string, doc: string, path: string, of: (call: RestCall) => Crowd): Route {
  return {
    kind: 'answer',
    operation,
    doc,
    methods: ['GET'],
    paths: [`signalbox/hubs/{hub}${path}/connections`],
    ok: both(200),
    query: ['maxpagesize', 'top', 'continuationToken'],
    gives: 'Connections',
    answer: (call, parts, request) => listPage(call, of(call), parts, request),
  };
}

const hub = (): Crowd => ({ kind: 'all' });
const user = (call: RestCall): Crowd => ({ kind: 'user', user: call.user() });
const group = (call: RestCall): Crowd => ({ kind: 'group', group: call.group() });

/** Operations that Azure SignalR Service does not have, under a path of their own, so that no later one of it collides. */
export const ownRoutes: readonly Route[] = [
  lists('list_hub', 'Lists the connections of the hub, by page.', '', hub),
  lists('list_user', 'Lists the connections of a user, by page. An unknown user has none.', '/users/{user}', user),
  counts('count_hub', 'How many connections has the hub?', '', hub),
  counts('count_user', 'How many connections has the user?', '/users/{user}', user),
  counts('count_group', 'How many connections are in the group?', '/groups/{group}', group),
  {
    kind: 'answer',
    operation: 'send_many',
    doc: 'Sends many messages, one on each line, in their order. Each line is answered by a line; who leaves before, ends it.',
    methods: ['POST'],
    paths: ['signalbox/hubs/{hub}/:sendMany'],
    ok: both(200),
    takes: 'Batch',
    gives: 'BatchOutcomes',
    answer: sendMany,
  },
  {
    kind: 'open',
    operation: 'openapi',
    doc: 'This API as an OpenAPI document. Anybody may read it.',
    methods: ['GET', 'HEAD'],
    paths: ['openapi.json'],
    ok: both(200),
    gives: 'Description',
  },
];
