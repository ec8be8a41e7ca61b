/** A standing membership without an end lasts a year. */
const year = 365 * 86_400;

/** The groups that later connections of a user join (service protocol, section 9.5). */
export class StandingGroups {
  readonly #users = new Map<string, Map<string, number>>();

  /** `ttlSeconds` 0: only the present connections, and an older promise is taken back. */
  join(user: string, group: string, ttlSeconds = year): void {
    const groups = this.#users.get(user) ?? new Map<string, number>();
    this.#users.set(user, groups);
    if (ttlSeconds === 0) groups.delete(group);
    else groups.set(group, Date.now() + ttlSeconds * 1000);
  }

  /** Without a group: all of them. */
  leave(user: string, group: string | undefined): void {
    if (group === undefined) this.#users.delete(user);
    else this.#users.get(user)?.delete(group);
  }

  /** Those that have not run out. */
  of(user: string): string[] {
    const groups = this.#users.get(user) ?? [];
    return [...groups].flatMap(([group, until]) => (until > Date.now() ? [group] : []));
  }
}
