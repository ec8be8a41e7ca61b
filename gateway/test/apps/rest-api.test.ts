import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { json, type RestServer, startRest } from './rest-server.ts';

let rest: RestServer;
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest.close());
beforeEach(() => rest.reset());

const hub = 'chat';
const exceptConnections: string[] = [];
const exceptUsers: string[] = [];
const user = { kind: 'user', user: 'u' } as const;
const group = { kind: 'group', group: 'g' } as const;
const connection = { kind: 'connection', connection: 'c' } as const;
const reason = undefined;

interface Row {
  readonly operation: string;
  readonly methods: readonly string[];
  readonly paths: readonly string[];
  readonly v1: number;
  readonly dated: number;
  readonly command: object;
  /** Status and code when the reply is `no`; absent: as with `yes`. */
  readonly no?: { v1?: number; status: number; code: string };
}

const look = ['HEAD', 'GET'];
const gone = (code: string) => ({ status: 404, code });
const asks: readonly Row[] = [
  {
    operation: 'connection_exists',
    methods: look,
    paths: ['/connections/c'],
    v1: 200,
    dated: 200,
    command: { kind: 'exists', hub, at: connection },
    no: gone('Warning.Connection.NotExisted'),
  },
  {
    operation: 'user_exists',
    methods: look,
    paths: ['/users/u'],
    v1: 200,
    dated: 200,
    command: { kind: 'exists', hub, at: user },
    no: gone('Warning.User.NotExisted'),
  },
  {
    operation: 'group_exists',
    methods: look,
    paths: ['/groups/g'],
    v1: 200,
    dated: 200,
    command: { kind: 'exists', hub, at: group },
    no: gone('Warning.Group.NotExisted'),
  },
  {
    operation: 'close_connection',
    methods: ['DELETE'],
    paths: ['/connections/c'],
    v1: 202,
    dated: 200,
    command: { kind: 'close', hub, to: connection, exceptConnections, reason },
    no: { v1: 202, ...gone('Warning.Connection.NotExisted') },
  },
  {
    operation: 'close_hub',
    methods: ['POST'],
    paths: ['/:closeConnections', '/%3acloseConnections'],
    v1: 204,
    dated: 204,
    command: { kind: 'close', hub, to: { kind: 'all' }, exceptConnections, reason },
  },
  {
    operation: 'close_group',
    methods: ['POST'],
    paths: ['/groups/g/:closeConnections'],
    v1: 204,
    dated: 204,
    command: { kind: 'close', hub, to: group, exceptConnections, reason },
  },
  {
    operation: 'close_user',
    methods: ['POST'],
    paths: ['/users/u/:closeConnections'],
    v1: 204,
    dated: 204,
    command: { kind: 'close', hub, to: user, exceptConnections, reason },
  },
  {
    operation: 'join_group',
    methods: ['PUT'],
    paths: ['/groups/g/connections/c'],
    v1: 200,
    dated: 200,
    command: { kind: 'join', hub, connection: 'c', group: 'g' },
    no: gone('Error.Connection.NotExisted'),
  },
  {
    operation: 'leave_group',
    methods: ['DELETE'],
    paths: ['/groups/g/connections/c'],
    v1: 200,
    dated: 200,
    command: { kind: 'leave', hub, connection: 'c', group: 'g' },
  },
  {
    operation: 'leave_all_groups',
    methods: ['DELETE'],
    paths: ['/connections/c/groups'],
    v1: 200,
    dated: 200,
    command: { kind: 'leave', hub, connection: 'c', group: undefined },
  },
  {
    operation: 'join_group_as_user',
    methods: ['PUT'],
    paths: ['/users/u/groups/g', '/groups/g/users/u'],
    v1: 202,
    dated: 200,
    command: { kind: 'joinUser', hub, user: 'u', group: 'g', ttlSeconds: undefined },
  },
  {
    operation: 'leave_group_as_user',
    methods: ['DELETE'],
    paths: ['/users/u/groups/g', '/groups/g/users/u'],
    v1: 202,
    dated: 204,
    command: { kind: 'leaveUser', hub, user: 'u', group: 'g' },
  },
  {
    operation: 'leave_all_groups_as_user',
    methods: ['DELETE'],
    paths: ['/users/u/groups'],
    v1: 200,
    dated: 204,
    command: { kind: 'leaveUser', hub, user: 'u', group: undefined },
  },
  {
    operation: 'user_in_group',
    methods: look,
    paths: ['/users/u/groups/g', '/groups/g/users/u'],
    v1: 200,
    dated: 200,
    command: { kind: 'userInGroup', hub, user: 'u', group: 'g' },
    no: gone('Info.User.NotInGroup'),
  },
];

const sends: readonly Row[] = [
  { operation: 'broadcast', path: '', to: { kind: 'all' } },
  { operation: 'send_to_user', path: '/users/u', to: user },
  { operation: 'send_to_group', path: '/groups/g', to: group },
  { operation: 'send_to_connection', path: '/connections/c', to: connection },
].map(({ operation, path, to }) => ({
  operation,
  methods: ['POST'],
  paths: [path, `${path}/:send`, `${path}/%3Asend`],
  v1: 202,
  dated: 202,
  command: { kind: 'send', hub, to, exceptConnections, exceptUsers, payload: expect.anything() },
}));

const everyCall = [...sends, ...asks].flatMap((row) =>
  row.methods.flatMap((method) =>
    row.paths.flatMap((path) => [
      { name: row.operation, style: 'v1' as const, method, target: `/api/v1/hubs/chat${path}`, row },
      {
        name: row.operation,
        style: 'dated' as const,
        method,
        target: `/api/hubs/Chat${path}?api-version=2022-06-01`,
        row,
      },
    ]),
  ),
);

describe('every operation under both prefixes', () => {
  test.each(everyCall)('$name: $method $target becomes its command and its status', async (given) => {
    const { row, method, target, style } = given;
    const answer = await rest.call(method, target, method === 'POST' ? json : {});
    expect(answer.status).toBe(row[style]);
    expect(answer.body).toBe('');
    expect(answer.headers['x-signalbox']).toBe('1.2.3');
    expect(answer.headers['x-ms-error-code']).toBeUndefined();
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(rest.commands).toEqual([row.command]);
    expect(rest.events).toEqual([{ operation: row.operation, status: row[style], seconds: expect.any(Number) }]);
  });

  test.each(everyCall.filter(({ row }) => asks.includes(row)))(
    '$name: $method $target with the reply no',
    async (given) => {
      const { row, method, target, style } = given;
      rest.reply = 'no';
      const answer = await rest.call(method, target);
      const status = style === 'v1' ? (row.no?.v1 ?? row.no?.status) : row.no?.status;
      expect(answer.status).toBe(status ?? row[style]);
      if (answer.status !== 404) return;
      expect(answer.headers['x-ms-error-code']).toBe(row.no?.code);
      if (method === 'HEAD') expect(answer.body).toBe('');
      else expect(JSON.parse(answer.body)).toEqual({ code: row.no?.code, message: expect.any(String) });
    },
  );

  test('a limit that was reached is 429 and named', async () => {
    rest.reply = 'limit';
    const answer = await rest.call('PUT', '/api/hubs/chat/groups/g/connections/c');
    expect(answer.status).toBe(429);
    expect(JSON.parse(answer.body)).toEqual({
      code: 'Error.Request.Throttled',
      message: 'a connection must be in at most 1000 groups (SIGNALBOX_MAX_GROUPS_PER_CONNECTION)',
    });
  });

  test.each(['backplane_down', 'backplane_full', 'no_answer'] as const)('%s is 503, for sends too', async (code) => {
    rest.reply = new GatewayError(code, 'why');
    rest.reach = rest.reply;
    expect((await rest.call('HEAD', '/api/hubs/chat/users/u')).status).toBe(503);
    expect((await rest.call('POST', '/api/hubs/chat/:send', json)).status).toBe(503);
    expect(rest.events.map(({ status }) => status)).toEqual([503, 503]);
  });

  test('a defect is 500, logged, and not explained to the caller', async () => {
    rest.reach = new Error('inner words');
    const answer = await rest.call('POST', '/api/hubs/chat/:send', json);
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain('inner words');
    expect(answer.headers['x-signalbox']).toBe('1.2.3');
    expect(rest.logged).toEqual([
      { message: 'a REST request failed', facts: { operation: 'broadcast', error: rest.reach } },
    ]);
  });

  test('a send that reached only this node says so', async () => {
    rest.reach = 'local';
    const answer = await rest.call('POST', '/api/hubs/chat/:send', json);
    expect([answer.status, answer.headers['x-signalbox-reach']]).toEqual([202, 'local']);
  });
});
