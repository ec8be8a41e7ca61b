/**
 * What nodes keep in common, each piece with an owner: leased node records, claims of connection ids, standing groups, the
 * routing secret. Makers: `records-memory.ts`, `records-redis.ts`. Calls reject with `backplane_down` without Redis.
 */

/** How long a node's record lives without renewal, in milliseconds. */
export const leaseMs = 10_000;
/** How often a node renews its record, in milliseconds. */
export const renewMs = 3_000;
/** How many groups joined without time to live are kept per user: the most recent ones. */
export const keptStanding = 100;
/** How many groups with a time to live a user may have; one more is refused with `limit_reached`. */
export const timedStanding = 1_000;
/** How long a group joined without time to live is kept, in seconds. */
export const standingSeconds = 365 * 24 * 60 * 60;

/** What a node says of itself to the others. Must be JSON. */
export interface NodeRecord {
  /** Fingerprints of the access keys this node verifies with; never the keys. */
  readonly accessKeys: readonly string[];
  /** Fingerprint of the routing secret this node uses. */
  readonly routingSecret: string;
  /** Newest envelope version this node reads. */
  readonly envelope: number;
  /** What the core says: links, load, label. Opaque here. */
  readonly data: unknown;
}

/** The nodes that hold a lease. */
export interface LivingNodes {
  /**
   * Has this node itself been connected for one lease time? Until then a missing node proves nothing, and nobody may be
   * declared dead: Redis may just have forgotten everything.
   */
  readonly settled: boolean;
  /** By node id, this node included. */
  readonly nodes: ReadonlyMap<string, NodeRecord>;
}

/** What the records tell. None of these may throw. */
export interface RecordsEvents {
  /** The lease could not be renewed for a whole lease time: counts as Redis down. */
  leaseLost(): void;
  /** The lease is held again. */
  leaseHeld(): void;
  /** Redis holds another routing secret than this node: ids made here and there do not match. Told once. Restart the younger node. */
  secretDiffers(): void;
}

export interface NodeRecords {
  /**
   * Takes this node's lease and renews it from then on. Throws {@link StartRefused} when a living node shares no access
   * key with the record, or uses another routing secret.
   */
  start(record: NodeRecord, on: RecordsEvents): Promise<void>;
  /** Publishes a new record; renewed from then on even when this call rejects. */
  lease(record: NodeRecord): Promise<void>;
  /** Who is alive. */
  nodes(): Promise<LivingNodes>;
  /** The routing secret of this prefix: what Redis holds, else `make()`, kept. Put back by this node when Redis lost it. */
  secret(make: () => string): Promise<string>;
  /** Gives the lease back, so that the others know at once. */
  close(): Promise<void>;
}

/** Who won a claim, or holds it. */
export interface Claim {
  readonly won: boolean;
  readonly owner: string;
}

export interface Claims {
  /** The first claim of an id wins, for `ttlSeconds`; everybody else is told the owner. The owner's own second claim loses too. */
  claim(id: string, ttlSeconds: number, owner: string): Promise<Claim>;
  /** Who holds the id; `undefined` when nobody does. */
  owner(id: string): Promise<string | undefined>;
}

/** Groups that a user's future connections join by themselves (rest-api section 6), by expiry on the maker's clock. */
export interface StandingGroups {
  /** The groups that are live now, longest life first. */
  standing(hub: string, user: string): Promise<string[]>;
  /**
   * Stores, tells and answers in one step: the group stands for `ttlSeconds` (`undefined`: a year, and only the
   * {@link keptStanding} most recent of these), and the envelope is published on the topic, in order with
   * `Backplane.publish` of that lane. Resolves with the receivers. Calling again replaces the time to live.
   */
  joinStanding(
    hub: string,
    user: string,
    group: string,
    ttlSeconds: number | undefined,
    topic: string,
    envelope: Uint8Array,
  ): Promise<number>;
  /** As {@link joinStanding}, but removes: one group, or all when `undefined`. `had`: was a live one removed? */
  leaveStanding(
    hub: string,
    user: string,
    group: string | undefined,
    topic: string,
    envelope: Uint8Array,
  ): Promise<{ receivers: number; had: boolean }>;
  /** Does the group stand for the user now? */
  stands(hub: string, user: string, group: string): Promise<boolean>;
}

/** All that is kept in common. */
export interface Records extends NodeRecords, Claims, StandingGroups {}

/** This node does not fit to the nodes alive under its prefix. The sentence names the setting to change; never a secret. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
  readonly code: 'access_keys_differ' | 'routing_secret_differs';

  constructor(code: StartRefused['code'], message: string) {
    super(message);
    this.code = code;
  }
}
