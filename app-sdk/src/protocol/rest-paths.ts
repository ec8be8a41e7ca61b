/** What the data plane can be asked, in the words of the SDK (rest-api section 4, the dated column). */
export type RestOperation = keyof typeof restOperations;

/** The names that a path is made of. Which of them an operation needs is in its template. */
export interface RestParts {
  readonly user?: string;
  readonly group?: string;
  readonly connection?: string;
}

/** Parameters of a request. */
export interface RestQuery {
  /** Connections that are left out: sends to all or to a group, and closes of many. */
  readonly excluded?: readonly string[];
  /** Text for the error of a closed client. */
  readonly reason?: string;
  /** Seconds that a user stays in a group; 0 is only for the connections of now, absent is for good. */
  readonly ttl?: number;
  /** Prefix of the hub's name: the service puts both together. */
  readonly application?: string;
}

/** One row of the table of operations. */
export interface RestRoute {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/api/hubs/{hub}`; `{user}`, `{group}` and `{connection}` stand for whole segments. */
  readonly template: string;
  /** Statuses that mean success. */
  readonly success: readonly number[];
  /** The `x-ms-error-code` with which a 404 is an answer (false, or nothing to do) and not a failure (section 4.1). */
  readonly absentCode?: string;
}

/** The version asked for; services serve later operations under it too. */
export const restApiVersion = '2022-06-01';

const connectionGone = 'Warning.Connection.NotExisted';

/** All operations. Sends and closes of one target are 202 in version 1.0 of the API, so that is a success as well. */
export const restOperations = {
  sendToAll: { method: 'POST', template: '/:send', success: [202] },
  sendToUser: { method: 'POST', template: '/users/{user}/:send', success: [202] },
  sendToGroup: { method: 'POST', template: '/groups/{group}/:send', success: [202] },
  sendToConnection: { method: 'POST', template: '/connections/{connection}/:send', success: [202] },
  connectionExists: {
    method: 'HEAD',
    template: '/connections/{connection}',
    success: [200],
    absentCode: connectionGone,
  },
  userExists: { method: 'HEAD', template: '/users/{user}', success: [200], absentCode: 'Warning.User.NotExisted' },
  groupExists: { method: 'HEAD', template: '/groups/{group}', success: [200], absentCode: 'Warning.Group.NotExisted' },
  closeConnection: {
    method: 'DELETE',
    template: '/connections/{connection}',
    success: [200, 202, 204],
    absentCode: connectionGone,
  },
  closeAll: { method: 'POST', template: '/:closeConnections', success: [204, 200, 202] },
  closeGroup: { method: 'POST', template: '/groups/{group}/:closeConnections', success: [204, 200, 202] },
  closeUser: { method: 'POST', template: '/users/{user}/:closeConnections', success: [204, 200, 202] },
  addConnectionToGroup: {
    method: 'PUT',
    template: '/groups/{group}/connections/{connection}',
    success: [200, 202, 204],
    absentCode: 'Error.Connection.NotExisted',
  },
  removeConnectionFromGroup: {
    method: 'DELETE',
    template: '/groups/{group}/connections/{connection}',
    success: [200, 202, 204],
  },
  removeConnectionFromAllGroups: {
    method: 'DELETE',
    template: '/connections/{connection}/groups',
    success: [200, 202, 204],
  },
  addUserToGroup: { method: 'PUT', template: '/users/{user}/groups/{group}', success: [200, 202, 204] },
  removeUserFromGroup: { method: 'DELETE', template: '/users/{user}/groups/{group}', success: [204, 200, 202] },
  removeUserFromAllGroups: { method: 'DELETE', template: '/users/{user}/groups', success: [204, 200, 202] },
  isUserInGroup: {
    method: 'GET',
    template: '/users/{user}/groups/{group}',
    success: [200],
    absentCode: 'Info.User.NotInGroup',
  },
  health: { method: 'HEAD', template: '', success: [200] },
} as const satisfies Readonly<Record<string, RestRoute>>;

/**
 * Path and query of an operation, without a leading slash, to be put behind a base that ends with one:
 * `api/hubs/chat/users/a%2Fb/:send?api-version=…`. Hand it to the HTTP client as it is: a URL parser would resolve a
 * user called `..`. `health` belongs to no hub; its hub and parts are not looked at.
 * @throws TypeError when a name that the path needs is absent, empty or not text.
 */
export function restPath(hub: string, operation: RestOperation, parts: RestParts = {}, query: RestQuery = {}): string {
  return `${restAudiencePath(hub, operation, parts)}?${search(query)}api-version=${restApiVersion}`;
}

/** The path alone: what the audience of the operation's token names, behind scheme, host and slash. */
export function restAudiencePath(hub: string, operation: RestOperation, parts: RestParts = {}): string {
  if (operation === 'health') return 'api/health';
  const below = restOperations[operation].template.replace(/\{(\w+)\}/g, (_, name: keyof RestParts) =>
    segment(name, parts[name]),
  );
  return `api/hubs/${segment('hub', hub.toLowerCase())}${below}`;
}

function segment(name: string, value: string | undefined): string {
  if (!value) throw new TypeError(`"${name}" must be a string that is not empty`);
  return value === '.' || value === '..' ? value.replaceAll('.', '%2E') : escaped(name, value);
}

function search({ application, excluded = [], reason, ttl }: RestQuery): string {
  const pairs: [string, string | number | undefined][] = [
    ['application', application?.toLowerCase()],
    ...excluded.map((id): [string, string] => ['excluded', id]),
    ['reason', reason],
    ['ttl', ttl],
  ];
  return pairs.map(([name, value]) => (value === undefined ? '' : `${name}=${escaped(name, String(value))}&`)).join('');
}

function escaped(name: string, value: string): string {
  if (/\p{Surrogate}/u.test(value)) throw new TypeError(`"${name}" must not have half a surrogate pair`);
  return encodeURIComponent(value);
}
