import type { Address, Asker } from './address.ts';

/** What an operator looks at: everybody of a hub, a group, a user, or one connection. */
export type Sight = Extract<Address, { kind: 'all' | 'group' | 'user' | 'connection' }>;

/** Which connections an operator means. */
export interface Quarry {
  /** Empty: of every hub. */
  readonly hub: string;
  readonly of: Sight;
}

/** How are you? Every node answers with a picture of itself, in JSON. */
export interface Survey {
  readonly kind: 'survey';
  readonly ask: Asker;
}

/** Who is there? Every node answers with what it knows of at most `max` of its connections, in JSON. */
export interface Lookup extends Quarry {
  readonly kind: 'lookup';
  readonly ask: Asker;
  readonly max: number;
}

/** Tell what happens there, until told otherwise or for {@link leaseMs}: said again and again by who wants more. */
export interface Follow extends Quarry {
  readonly kind: 'follow';
  /** Where it is told, and under which number. */
  readonly ask: Asker;
  /** With the bytes of messages, as far as the node that tells allows it. */
  readonly payloads: boolean;
  readonly leaseMs: number;
}

/** Tell no more. */
export interface Unfollow {
  readonly kind: 'unfollow';
  readonly ask: Asker;
}

/** What happened on one node, to the node that follows. */
export interface Followed {
  readonly kind: 'followed';
  /** The asker's number. */
  readonly id: number;
  /** Happenings that were left out before these, because there were too many. */
  readonly lost: number;
  /** Each the JSON of a happening, in order. */
  readonly happenings: readonly string[];
}

/** All that operators say between nodes. It travels to every node: operators are few, and who is meant may be anywhere. */
export type OperatorCommand = Survey | Lookup | Follow | Unfollow | Followed;
