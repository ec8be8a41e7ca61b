import { checkAddress, checkGroup, checkId, checkPlace, type Spot } from './address.ts';
import type { ConnectionManager, GroupManager, UserGroupManager } from './hub-context.ts';
import { checkPageSize, checkTtl, notSupportedList } from './manager-checks.ts';
import { closeOperations, existsOperations, lineOf, partsOf, type RestCalls } from './rest-calls.ts';
import type { RestDoor } from './rest-door.ts';
import type { RestAnswer } from './rest-exchange.ts';
import { count, type Member, members } from './rest-members.ts';
import type { RestOffer } from './rest-offer.ts';
import { runAll } from './rest-sender.ts';

/** Changes of one connection, or of one user, keep their order among themselves and with sends to it. */
function lineFor(place: 'connection' | 'user', id: string): string {
  return lineOf({ place, id, except: [] });
}

/** Groups of connections over REST. */
export function restGroups(door: RestDoor, calls: RestCalls): GroupManager {
  const change =
    (operation: 'addConnectionToGroup' | 'removeConnectionFromGroup') =>
    async (connectionId: string, group: string) => {
      const parts = { connection: checkId(connectionId, 'connectionId'), group: checkGroup(group) };
      await door.call(calls.of(operation, parts, {}, lineFor('connection', connectionId)));
    };
  return {
    addToGroup: change('addConnectionToGroup'),
    removeFromGroup: change('removeConnectionFromGroup'),
    async removeFromAllGroups(connectionId) {
      const parts = { connection: checkId(connectionId, 'connectionId') };
      await door.call(calls.of('removeConnectionFromAllGroups', parts, {}, lineFor('connection', connectionId)));
    },
  };
}

/** Groups of users over REST. */
export function restUserGroups(door: RestDoor, calls: RestCalls): UserGroupManager {
  const parts = (userId: string, group: string) => ({ user: checkId(userId, 'userId'), group: checkGroup(group) });
  return {
    async addToGroup(userId, group, options = {}) {
      const query = checkTtl(options.ttlSeconds);
      await door.call(calls.of('addUserToGroup', parts(userId, group), query, lineFor('user', userId)));
    },
    async removeFromGroup(userId, group) {
      await door.call(calls.of('removeUserFromGroup', parts(userId, group), {}, lineFor('user', userId)));
    },
    async removeFromAllGroups(userId) {
      const user = checkId(userId, 'userId');
      await door.call(calls.of('removeUserFromAllGroups', { user }, {}, lineFor('user', userId)));
    },
    async isInGroup(userId, group) {
      return found(await door.call(calls.of('isUserInGroup', parts(userId, group))));
    },
  };
}

/** The door lets a 404 through only where it says no. */
function found(answer: RestAnswer): boolean {
  return answer.status !== 404;
}

/**
 * Connections over REST. Where the service is no Signalbox, `count`, and `list` of a hub or a user, reject with
 * ERR_NOT_SUPPORTED; `list` of a connection does everywhere.
 */
export function restConnections(door: RestDoor, calls: RestCalls, offer: RestOffer): ConnectionManager {
  const exists = async (spot: Spot): Promise<boolean> => {
    if (spot.place === 'all') return true;
    return found(await door.call(calls.of(existsOperations[spot.place], partsOf(spot))));
  };
  return {
    exists: async (where) => exists(checkPlace(where, ['connection', 'user', 'group'])),
    async close(where, { reason } = {}) {
      const query = reason === undefined ? {} : { reason };
      const close = (spot: Spot) =>
        calls.of(closeOperations[spot.place], partsOf(spot), { ...query, excluded: spot.except }, lineOf(spot));
      await runAll(door, checkAddress(where).spots.map(close));
    },
    async count(where) {
      const spot = checkPlace(where, ['connection', 'user', 'group', 'all']);
      await offer.need('connections.count');
      if (spot.place === 'connection') return (await exists(spot)) ? 1 : 0;
      return await count(door, calls, spot);
    },
    list(where, options = {}) {
      const spot = checkPlace(where, ['connection', 'user', 'group', 'all']);
      const pageSize = checkPageSize(options.pageSize);
      if (spot.place === 'connection') return notSupportedList('connections.list of connection');
      const pages = members(door, calls, spot, pageSize, options.signal);
      return spot.place === 'group' ? pages : offered(offer, spot.place, pages, options.signal);
    },
  };
}

/** A list that is asked for only once it is known to be there. */
async function* offered(
  offer: RestOffer,
  place: string,
  pages: AsyncIterable<Member>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Member> {
  await offer.need(`connections.list of ${place}`, signal && { signal });
  yield* pages;
}
