import type { Quarry } from '../protocol/operator.ts';
import type { Connection } from './connection.ts';
import type { HubMembers, Registry } from './registry.ts';

/** The connections here that an operator means; those that are still shaking hands are not registered, and so not among them. */
export function* inSight(registry: Registry, { hub, of }: Quarry): Generator<Connection> {
  for (const [name, members] of registry.hubs) if (hub === '' || hub === name) yield* seen(members, of);
}

function* seen(members: HubMembers, of: Quarry['of']): Generator<Connection> {
  switch (of.kind) {
    case 'all':
      yield* members.connections.values();
      return;
    case 'group':
      yield* members.groups.of(of.group);
      return;
    case 'user':
      yield* members.users.of(of.user);
      return;
    case 'connection': {
      const one = members.connections.get(of.connection);
      if (one !== undefined) yield one;
    }
  }
}

/** Does an operator mean this connection? */
export function isInSight({ hub, of }: Quarry, connection: Connection): boolean {
  if (hub !== '' && hub !== connection.hub) return false;
  switch (of.kind) {
    case 'all':
      return true;
    case 'group':
      return connection.groups?.has(of.group) ?? false;
    case 'user':
      return connection.userId === of.user;
    case 'connection':
      return connection.id === of.connection;
  }
}
