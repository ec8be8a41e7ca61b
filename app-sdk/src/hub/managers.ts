import { checkAddress, checkGroup, checkId, checkPlace } from '../address.ts';
import type { ConnectionManager, GroupManager, UserGroupManager } from '../hub-context.ts';
import { checkPageSize, checkTtl, notSupported, notSupportedList } from '../manager-checks.ts';
import type { Gateway } from './gateway.ts';

/** Groups of connections over a gateway. */
export function gatewayGroups(gateway: Gateway): GroupManager {
  const member = (id: string): { connection: string } => ({ connection: checkId(id, 'connectionId') });
  return {
    async addToGroup(connectionId, group) {
      await gateway.command({ kind: 'join', who: member(connectionId), group: checkGroup(group) });
    },
    async removeFromGroup(connectionId, group) {
      await gateway.command({ kind: 'leave', who: member(connectionId), group: checkGroup(group) });
    },
    async removeFromAllGroups(connectionId) {
      await gateway.command({ kind: 'leave', who: member(connectionId) });
    },
  };
}

/** Groups of users over a gateway. */
export function gatewayUserGroups(gateway: Gateway): UserGroupManager {
  const member = (id: string): { user: string } => ({ user: checkId(id, 'userId') });
  return {
    async addToGroup(userId, group, options = {}) {
      const { ttl } = checkTtl(options.ttlSeconds);
      const more = ttl === undefined ? {} : { ttlSeconds: ttl };
      await gateway.command({ kind: 'join', who: member(userId), group: checkGroup(group), ...more });
    },
    async removeFromGroup(userId, group) {
      await gateway.command({ kind: 'leave', who: member(userId), group: checkGroup(group) });
    },
    async removeFromAllGroups(userId) {
      await gateway.command({ kind: 'leave', who: member(userId) });
    },
    async isInGroup(userId, group) {
      return await gateway.command({ kind: 'isMember', ...member(userId), group: checkGroup(group) });
    },
  };
}

/** Connections over a gateway. */
export function gatewayConnections(gateway: Gateway): ConnectionManager {
  return {
    async exists(where) {
      return await gateway.command({ kind: 'exists', spot: checkPlace(where, ['connection', 'user', 'group']) });
    },
    async close(where, { reason } = {}) {
      const more = reason === undefined ? {} : { reason };
      const { spots } = checkAddress(where);
      await Promise.all(spots.map((spot) => gateway.command({ kind: 'close', spot, ...more })));
    },
    async count(where) {
      const spot = checkPlace(where, ['connection', 'user', 'group', 'all']);
      return gateway.count === undefined ? await notSupported('connections.count') : await gateway.count(spot);
    },
    list(where, options = {}) {
      const spot = checkPlace(where, ['connection', 'user', 'group', 'all']);
      checkPageSize(options.pageSize);
      if (gateway.list === undefined) return notSupportedList(`connections.list of ${spot.place}`);
      return gateway.list(spot, options);
    },
  };
}
