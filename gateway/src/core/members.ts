import type { Connection } from './connection.ts';

/** Name → connections. Most users own one connection, so a set is made only for the second. */
export class Members {
  readonly #byName = new Map<string, Connection | Set<Connection>>();

  /** How many names have a member. */
  get size(): number {
    return this.#byName.size;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  count(name: string): number {
    const entry = this.#byName.get(name);
    if (entry === undefined) return 0;
    return entry instanceof Set ? entry.size : 1;
  }

  /** The members, possibly none. Do not keep it: it may change with the next join. */
  of(name: string): Iterable<Connection> {
    const entry = this.#byName.get(name);
    if (entry === undefined) return [];
    return entry instanceof Set ? entry : [entry];
  }

  /** Adding twice is adding once. */
  add(name: string, connection: Connection): void {
    const entry = this.#byName.get(name);
    if (entry === undefined) this.#byName.set(name, connection);
    else if (entry instanceof Set) entry.add(connection);
    else if (entry !== connection) this.#byName.set(name, new Set([entry, connection]));
  }

  /** Removing who is no member does nothing. */
  remove(name: string, connection: Connection): void {
    const entry = this.#byName.get(name);
    if (entry === connection) this.#byName.delete(name);
    else if (entry instanceof Set && entry.delete(connection) && entry.size === 0) this.#byName.delete(name);
  }
}
