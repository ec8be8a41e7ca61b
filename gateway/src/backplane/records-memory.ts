import { GatewayError } from '../errors.ts';
import {
  type Claim,
  keptStanding,
  type LivingNodes,
  type NodeRecord,
  type Records,
  standingSeconds,
  timedStanding,
} from './records.ts';

export interface MemoryRecordsOptions {
  /** This node's id. */
  readonly node: string;
  /** Tells the change of a standing group: the backplane's `publish`. */
  publish(topic: string, envelope: Uint8Array): Promise<number>;
  /** Clock in milliseconds. Default `Date.now`. */
  now?(): number;
}

/** The records of one node that is alone: it judges nobody, and forgets all when it ends. */
export function createMemoryRecords(options: MemoryRecordsOptions): Records {
  return new MemoryRecords(options);
}

interface Standing {
  readonly until: number;
  /** Joined without time to live. */
  readonly kept: boolean;
}

class MemoryRecords implements Records {
  readonly #options: MemoryRecordsOptions;
  readonly #now: () => number;
  #record: NodeRecord | undefined;
  #secret: string | undefined;
  readonly #claims = new Map<string, { owner: string; until: number }>();
  readonly #standing = new Map<string, Map<string, Standing>>();
  #sweepAt = 0;

  constructor(options: MemoryRecordsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async start(record: NodeRecord): Promise<void> {
    this.#record = record;
  }

  async lease(record: NodeRecord): Promise<void> {
    this.#record = record;
  }

  async nodes(): Promise<LivingNodes> {
    const own: [string, NodeRecord][] = this.#record === undefined ? [] : [[this.#options.node, this.#record]];
    return { settled: true, nodes: new Map(own) };
  }

  async secret(make: () => string): Promise<string> {
    this.#secret ??= make();
    return this.#secret;
  }

  async close(): Promise<void> {
    this.#record = undefined;
  }

  async claim(id: string, ttlSeconds: number, owner: string): Promise<Claim> {
    this.#sweep();
    const held = this.#ownerOf(id);
    if (held !== undefined) return { won: false, owner: held };
    this.#claims.set(id, { owner, until: this.#now() + ttlSeconds * 1_000 });
    return { won: true, owner };
  }

  async owner(id: string): Promise<string | undefined> {
    return this.#ownerOf(id);
  }

  async standing(hub: string, user: string): Promise<string[]> {
    const groups = [...this.#live(hub, user)].reverse().sort(([, a], [, b]) => b.until - a.until);
    return groups.map(([group]) => group);
  }

  async stands(hub: string, user: string, group: string): Promise<boolean> {
    return this.#live(hub, user).has(group);
  }

  async joinStanding(
    hub: string,
    user: string,
    group: string,
    ttlSeconds: number | undefined,
    topic: string,
    envelope: Uint8Array,
  ): Promise<number> {
    this.#sweep();
    const groups = this.#live(hub, user);
    groups.delete(group);
    const kept = ttlSeconds === undefined;
    const alike = [...groups].filter(([, standing]) => standing.kept === kept);
    if (!kept && alike.length >= timedStanding) throw tooManyStanding();
    const tooMany = kept ? Math.max(0, alike.length + 1 - keptStanding) : 0;
    for (const [oldest] of alike.slice(0, tooMany)) groups.delete(oldest);
    groups.set(group, { until: this.#now() + (ttlSeconds ?? standingSeconds) * 1_000, kept });
    this.#standing.set(standingKey(hub, user), groups);
    return this.#options.publish(topic, envelope);
  }

  async leaveStanding(
    hub: string,
    user: string,
    group: string | undefined,
    topic: string,
    envelope: Uint8Array,
  ): Promise<{ receivers: number; had: boolean }> {
    const groups = this.#live(hub, user);
    const had = group === undefined ? groups.size > 0 : groups.has(group);
    if (group === undefined) groups.clear();
    else groups.delete(group);
    if (groups.size === 0) this.#standing.delete(standingKey(hub, user));
    return { receivers: await this.#options.publish(topic, envelope), had };
  }

  #ownerOf(id: string): string | undefined {
    const claim = this.#claims.get(id);
    return claim !== undefined && claim.until > this.#now() ? claim.owner : undefined;
  }

  /** The live groups of a user, in the order joined. */
  #live(hub: string, user: string): Map<string, Standing> {
    const groups = this.#standing.get(standingKey(hub, user)) ?? new Map<string, Standing>();
    removeEnded(groups, this.#now());
    return groups;
  }

  /** Once a minute at most: what ended and was not asked for again. */
  #sweep(): void {
    const now = this.#now();
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + 60_000;
    removeEnded(this.#claims, now);
    for (const [key, groups] of this.#standing) {
      removeEnded(groups, now);
      if (groups.size === 0) this.#standing.delete(key);
    }
  }
}

function removeEnded(entries: Map<string, { readonly until: number }>, now: number): void {
  for (const [key, { until }] of entries) if (until <= now) entries.delete(key);
}

/** Refusal of one more group with a time to live. */
export function tooManyStanding(): GatewayError {
  return new GatewayError('limit_reached', `a user must have at most ${timedStanding} groups with a time to live`);
}

function standingKey(hub: string, user: string): string {
  return JSON.stringify([hub, user]);
}
