import type { ClientKind } from '../observe/events.ts';
import type { Backlog, ConnectionCount } from '../observe/gauges.ts';
import type { Connection } from './connection.ts';
import { Members } from './members.ts';

/** Who is here of one hub. */
export class HubMembers {
  readonly connections = new Map<string, Connection>();
  readonly users = new Members();
  readonly groups = new Members();
}

/** Who is connected to this node: connections, users and groups of each hub. Knows no topics and sends nothing. */
export class Registry {
  readonly #hubs = new Map<string, HubMembers>();
  #size = 0;

  /** Registered connections of all hubs. */
  get size(): number {
    return this.#size;
  }

  /** The hubs that have a connection here, by name. */
  get hubs(): ReadonlyMap<string, HubMembers> {
    return this.#hubs;
  }

  hub(name: string): HubMembers | undefined {
    return this.#hubs.get(name);
  }

  add(connection: Connection): void {
    let hub = this.#hubs.get(connection.hub);
    if (hub === undefined) {
      hub = new HubMembers();
      this.#hubs.set(connection.hub, hub);
    }
    hub.connections.set(connection.id, connection);
    this.#size++;
    if (connection.userId !== undefined) hub.users.add(connection.userId, connection);
  }

  /** Takes the connection out of everything; whoever was not here is ignored. */
  remove(connection: Connection): void {
    const hub = this.#hubs.get(connection.hub);
    if (hub?.connections.get(connection.id) !== connection) return;
    hub.connections.delete(connection.id);
    this.#size--;
    if (connection.userId !== undefined) hub.users.remove(connection.userId, connection);
    for (const group of connection.groups ?? []) hub.groups.remove(group, connection);
    if (hub.connections.size === 0) this.#hubs.delete(connection.hub);
  }

  /** @returns false when it was a member already. */
  join(connection: Connection, group: string): boolean {
    connection.groups ??= new Set();
    if (connection.groups.has(group)) return false;
    connection.groups.add(group);
    this.#hubs.get(connection.hub)?.groups.add(group, connection);
    return true;
  }

  /** @returns false when it was no member. */
  leave(connection: Connection, group: string): boolean {
    if (!connection.groups?.delete(group)) return false;
    if (connection.groups.size === 0) connection.groups = undefined;
    this.#hubs.get(connection.hub)?.groups.remove(group, connection);
    return true;
  }

  /** Handshaken connections by kind, for whoever scrapes. */
  counts(): Iterable<ConnectionCount> {
    const rows = new Map<string, { kind: ClientKind; count: number }>();
    for (const { kind, state } of this.all()) {
      if (state !== 'open') continue;
      const key = `${kind.hub} ${kind.transport} ${kind.protocol} ${kind.mode}`;
      const row = rows.get(key) ?? { kind, count: 0 };
      row.count++;
      rows.set(key, row);
    }
    return rows.values();
  }

  /** What clients have not read, and how many have not read more than `slowBytes`. For whoever scrapes. */
  backlog(slowBytes: number): Backlog {
    let bytes = 0;
    let slowClients = 0;
    for (const { transport } of this.all()) {
      const waiting = transport.buffered();
      bytes += waiting;
      if (waiting > slowBytes) slowClients++;
    }
    return { bytes, slowClients };
  }

  /** Every connection of every hub. */
  *all(): Generator<Connection> {
    for (const hub of this.#hubs.values()) yield* hub.connections.values();
  }
}
