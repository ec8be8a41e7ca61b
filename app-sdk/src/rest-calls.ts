import type { SinglePlace, Spot } from './address.ts';
import type { HubName } from './hub-name.ts';
import {
  type RestOperation,
  type RestParts,
  type RestQuery,
  type RestRoute,
  restAudiencePath,
  restOperations,
  restPath,
} from './protocol/rest-paths.ts';
import type { RestCall } from './rest-door.ts';

/** What a send, a close and a question are called for each place. */
export const sendOperations = {
  all: 'sendToAll',
  user: 'sendToUser',
  group: 'sendToGroup',
  connection: 'sendToConnection',
} as const satisfies Record<SinglePlace, RestOperation>;

export const closeOperations = {
  all: 'closeAll',
  user: 'closeUser',
  group: 'closeGroup',
  connection: 'closeConnection',
} as const satisfies Record<SinglePlace, RestOperation>;

export const existsOperations = {
  user: 'userExists',
  group: 'groupExists',
  connection: 'connectionExists',
} as const satisfies Record<Exclude<SinglePlace, 'all'>, RestOperation>;

/** An unknown connection has no groups: nothing to change, and no error. */
const membershipOperations: readonly RestOperation[] = [
  'addConnectionToGroup',
  'removeConnectionFromGroup',
  'removeConnectionFromAllGroups',
];
const unknownConnection = ['Error.Connection.NotExisted', 'Warning.Connection.NotExisted'];

/** The version that has `:invoke` and the members of a group. */
const laterApiVersion = '2024-12-01';
const sends: readonly string[] = Object.values(sendOperations);

/** The name that a path needs for a spot. */
export function partsOf({ place, id }: Spot): RestParts {
  return place === 'all' ? {} : { [place]: id };
}

/** What keeps its order: one line for each user, group and connection, and one for all. */
export function lineOf({ place, id }: Spot): string {
  return `${place}:${id}`;
}

function absentCodes(operation: RestOperation): readonly string[] {
  if (membershipOperations.includes(operation)) return unknownConnection;
  const route: RestRoute = restOperations[operation];
  return route.absentCode === undefined ? [] : [route.absentCode];
}

/** Makes the calls of one hub. Unless `ordered`, they stand in no line. */
export class RestCalls {
  readonly #name: HubName;
  readonly #ordered: boolean;

  constructor(name: HubName, ordered: boolean) {
    this.#name = name;
    this.#ordered = ordered;
  }

  /** A call of the table of operations. Throws `TypeError` when a name that its path needs is empty. */
  of(operation: RestOperation, parts: RestParts, query: RestQuery = {}, line?: string): RestCall {
    const application = this.#name.application;
    const wholeQuery = { ...query, ...(application !== undefined && { application }) };
    return {
      operation,
      method: restOperations[operation].method,
      path: restPath(this.#name.hub, operation, parts, operation === 'health' ? {} : wholeQuery),
      repeat: sends.includes(operation) ? 'notAccepted' : 'always',
      absent: absentCodes(operation),
      ...(line !== undefined && this.#lines([line])),
    };
  }

  /** A send of `body` to one spot. */
  send(spot: Spot, body: string): RestCall {
    const query = { excluded: spot.except };
    return { ...this.of(sendOperations[spot.place], partsOf(spot), query, lineOf(spot)), body };
  }

  /** A question to one connection; it waits for the sends before it and holds up none. */
  invoke(spot: Spot, body: string): RestCall {
    const path = `${restAudiencePath(this.#name.hub, 'connectionExists', partsOf(spot))}/:invoke?${this.#later()}`;
    const order = { ...this.#lines([lineOf(spot)]), passes: true };
    return { operation: 'invoke', method: 'POST', path, body, repeat: 'notAccepted', ...order };
  }

  /** A page of a list of connections. `query` is that of the next link, where there is one. */
  members(spot: Spot, pageSize: number, query?: string): RestCall {
    const path = spot.place === 'group' ? this.#path(spot) : this.#ownPath(spot);
    const search = query ?? `maxpagesize=${pageSize}&${this.#later()}`;
    return {
      operation: 'listMembers',
      method: 'GET',
      path: `${path}/connections?${search}`,
      repeat: 'always',
      absent: ['Warning.Group.NotExisted'],
    };
  }

  /** How many connections there are [Signalbox]. */
  count(spot: Spot): RestCall {
    const path = `${this.#ownPath(spot)}/count?${this.#later()}`;
    return { operation: 'countConnections', method: 'GET', path, repeat: 'always' };
  }

  /** Many sends, one on each line of `body`, in one request [Signalbox]. It stands in the line of each of the spots. */
  sendMany(spots: readonly Spot[], body: string): RestCall {
    const path = `${this.#ownPath({ place: 'all', id: '', except: [] })}/:sendMany?${this.#later()}`;
    const lines = this.#lines([...new Set(spots.map(lineOf))]);
    const contentType = 'application/x-ndjson';
    return { operation: 'sendMany', method: 'POST', path, body, contentType, repeat: 'notAccepted', ...lines };
  }

  #lines(lines: readonly string[]): Pick<RestCall, 'lines'> {
    return this.#ordered ? { lines } : {};
  }

  #path(spot: Spot): string {
    const { hub } = this.#name;
    if (spot.place === 'all') return restAudiencePath(hub, 'sendToAll').replace('/:send', '');
    return restAudiencePath(hub, existsOperations[spot.place], partsOf(spot));
  }

  /** The same place among the operations that only Signalbox has. */
  #ownPath(spot: Spot): string {
    return this.#path(spot).replace('api/', 'api/signalbox/');
  }

  #later(): string {
    const { application } = this.#name;
    return `${application === undefined ? '' : `application=${application}&`}api-version=${laterApiVersion}`;
  }
}
