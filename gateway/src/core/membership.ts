import type { Verdict } from '../protocol/command.ts';
import type { Connection } from './connection.ts';
import type { Follows } from './follows.ts';
import type { Registry } from './registry.ts';
import type { Topics } from './topics.ts';
import type { Watches } from './watches.ts';

export interface MembershipOptions {
  readonly registry: Registry;
  readonly watches: Watches;
  readonly topics: Topics;
  /** Groups that one connection may be in. */
  readonly maxGroups: number;
  readonly limitReached: () => void;
  readonly follows: Pick<Follows, 'on' | 'joined' | 'leaves'>;
}

/** Joins and leaves of the connections here, with the topics that go with them. */
export class Membership {
  readonly #options: MembershipOptions;
  /** What waits until a connection's standing groups were read: changes of its user's groups. */
  readonly #reading = new Map<Connection, Array<() => void>>();

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** `yes` when the group's topic is watched. A member before that is reached by this node's own sends only. */
  async join(connection: Connection, group: string): Promise<Verdict> {
    const { registry, watches, topics } = this.#options;
    const topic = topics.group(connection.hub, group);
    if (connection.groups?.has(group)) return this.#alreadyJoined(topic);
    if ((connection.groups?.size ?? 0) >= this.#options.maxGroups) return this.#refuse();
    registry.join(connection, group);
    if (this.#options.follows.on) this.#options.follows.joined(connection, group);
    await watches.hold(topic);
    return 'yes';
  }

  /** A second join may come while the first still waits for Redis: it is told yes no sooner. */
  async #alreadyJoined(topic: string): Promise<Verdict> {
    const { watches } = this.#options;
    const watched = watches.hold(topic);
    watches.release(topic);
    await watched;
    return 'yes';
  }

  #refuse(): Verdict {
    this.#options.limitReached();
    return 'limit';
  }

  /** Leaves one group, or all. `yes` also when it was no member. */
  leave(connection: Connection, group: string | undefined): Verdict {
    for (const name of group === undefined ? [...(connection.groups ?? [])] : [group]) this.#leaveOne(connection, name);
    return 'yes';
  }

  #leaveOne(connection: Connection, group: string): void {
    const { follows, registry, watches, topics } = this.#options;
    if (follows.on && connection.groups?.has(group)) follows.leaves(connection, group);
    if (registry.leave(connection, group)) watches.release(topics.group(connection.hub, group));
  }

  /** All connections of a user join; those whose standing groups are still being read join behind that. */
  joinUser(connections: readonly Connection[], group: string): Promise<Verdict> {
    return this.#forUser(connections, (one) => this.join(one, group));
  }

  /** All connections of a user leave one group, or all. */
  leaveUser(connections: readonly Connection[], group: string | undefined): Promise<Verdict> {
    return this.#forUser(connections, (one) => this.leave(one, group));
  }

  async #forUser(
    connections: readonly Connection[],
    act: (connection: Connection) => Verdict | Promise<Verdict>,
  ): Promise<Verdict> {
    const verdicts = await Promise.all(connections.map((one) => this.#behindReading(one, act)));
    return verdicts.find((verdict) => verdict !== 'yes') ?? 'yes';
  }

  /** Who left meanwhile is in no group any more. */
  #behindReading(
    connection: Connection,
    act: (connection: Connection) => Verdict | Promise<Verdict>,
  ): Verdict | Promise<Verdict> {
    const waiting = this.#reading.get(connection);
    if (waiting === undefined) return act(connection);
    return new Promise((resolve, reject) => {
      const change = (): Verdict | Promise<Verdict> => (connection.state === 'closed' ? 'yes' : act(connection));
      waiting.push(() => Promise.resolve(change()).then(resolve, reject));
    });
  }

  /**
   * Joins the connection to its user's standing groups. Changes that arrive while `read` is under way wait behind it, so
   * that none is lost and none is undone (architecture, section 5).
   */
  async adopt(connection: Connection, read: () => Promise<readonly string[]>): Promise<void> {
    const waiting: Array<() => void> = [];
    this.#reading.set(connection, waiting);
    try {
      const groups = await read();
      if (connection.state !== 'closed') await Promise.all(groups.map((group) => this.join(connection, group)));
    } finally {
      this.#reading.delete(connection);
      for (const change of waiting) change();
    }
  }

  /** Gives up the topics of a connection that ended; the registry still knows its groups. */
  release(connection: Connection): void {
    const { watches, topics } = this.#options;
    for (const group of connection.groups ?? []) watches.release(topics.group(connection.hub, group));
  }
}
