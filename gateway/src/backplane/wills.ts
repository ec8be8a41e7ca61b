/**
 * What is to be done for a connection when its node dies, kept where the other nodes can read it. Makers:
 * `wills-redis.ts`, and {@link noWills} for a node without Redis, which takes its connections' ends with it.
 */

/** What one connection left: its id, and what its own node wrote. */
export interface Will {
  readonly connection: string;
  /** Opaque here. */
  readonly text: string;
}

/** The wills of this node's connections, and those that dead nodes left. Calls reject with `backplane_down` without Redis. */
export interface Wills {
  /** Keeps the will of a connection of this node, or of one that was inherited. */
  keep(will: Will): Promise<void>;
  /** The connection ended, or its will was done. */
  drop(connection: string): Promise<void>;
  /**
   * Puts the wills of this node back after Redis was away: it may have forgotten them. False: the others took this node for
   * dead meanwhile and did what the wills say; nothing was put back, and from now on this node counts as new.
   */
  restore(wills: readonly Will[]): Promise<boolean>;
  /**
   * Takes at most `most` wills over from one node of those that left some and are not among the living. They are this
   * node's from then on, so that they are not lost if it dies too. Of several that ask at once each gets others. Empty:
   * nobody left any.
   */
  inherit(living: Iterable<string>, most: number): Promise<readonly Will[]>;
}

/** For a node without Redis: nobody would read them. */
export const noWills: Wills = {
  keep: () => Promise.resolve(),
  drop: () => Promise.resolve(),
  restore: () => Promise.resolve(true),
  inherit: () => Promise.resolve([]),
};
