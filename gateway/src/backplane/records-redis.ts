import { encodeName } from './names.ts';
import { checkFit } from './record-checks.ts';
import {
  type Claim,
  keptStanding,
  type LivingNodes,
  leaseMs,
  type NodeRecord,
  type Records,
  type RecordsEvents,
  renewMs,
  standingSeconds,
  timedStanding,
} from './records.ts';
import { tooManyStanding } from './records-memory.ts';
import * as scripts from './records-scripts.ts';
import type { RedisBackplane, RoadName } from './redis.ts';

export interface RedisRecordsOptions {
  /** Records share its connections: what must keep its order with sends takes the lane, all else control. */
  readonly backplane: RedisBackplane;
  /** Full prefix of keys, as the backplane's. */
  readonly prefix: string;
  /** This node's id. */
  readonly node: string;
  /** Life of this node's record without renewal, in milliseconds. Default {@link leaseMs}. */
  readonly leaseMs?: number;
  /** How often it is renewed, in milliseconds. Default {@link renewMs}. */
  readonly renewMs?: number;
  /** How long the lease was held is told by this clock, in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/** The records in Redis. Start the backplane first. */
export function createRedisRecords(options: RedisRecordsOptions): Records {
  return new RedisRecords(options);
}

interface Script {
  readonly road: RoadName;
  readonly text: string;
  readonly keys: readonly string[];
  readonly args: readonly (string | number | Buffer)[];
}

class RedisRecords implements Records {
  readonly #options: RedisRecordsOptions;
  readonly #leases: readonly [leases: string, records: string, secret: string];
  readonly #lifeMs: number;
  readonly #now: () => number;
  #record: NodeRecord | undefined;
  #on: RecordsEvents | undefined;
  #secret = '';
  #timer: NodeJS.Timeout | undefined;
  #renewing = false;
  /** Since when this node's lease was never missing or late: what it sees of the others is worth so much. */
  #unbrokenSince = Number.POSITIVE_INFINITY;
  #lastHeld = 0;
  #lost = false;
  #differs = false;

  constructor(options: RedisRecordsOptions) {
    this.#options = options;
    this.#lifeMs = options.leaseMs ?? leaseMs;
    this.#now = options.now ?? (() => performance.now());
    const base = options.backplane.hashTags ? `{${options.prefix}}` : options.prefix;
    this.#leases = [`${base}:leases`, `${base}:records`, `${base}:secret`];
  }

  async start(record: NodeRecord, on: RecordsEvents): Promise<void> {
    const { prefix } = this.#options;
    this.#on = on;
    checkFit(record, prefix, await this.#living());
    await this.lease(record);
    try {
      checkFit(record, prefix, await this.#living()); // somebody may have started at the same moment
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#timer = setInterval(() => void this.#renew(), this.#options.renewMs ?? renewMs).unref();
  }

  async lease(record: NodeRecord): Promise<void> {
    this.#record = record;
    const args = [this.#options.node, JSON.stringify(record), this.#lifeMs, this.#secret];
    const reply = await this.#script({ road: 'control', text: scripts.leaseScript, keys: this.#leases, args });
    const [secret, unbroken] = reply as unknown[];
    this.#held(Number(unbroken) === 1);
    this.#compareSecret(String(secret));
  }

  async nodes(): Promise<LivingNodes> {
    const nodes = await this.#living();
    const settled = nodes.has(this.#options.node) && this.#now() - this.#unbrokenSince >= this.#lifeMs;
    return { settled, nodes };
  }

  async secret(make: () => string): Promise<string> {
    const [, , key] = this.#leases;
    await this.#control(key, 'set', key, make(), 'NX');
    this.#secret = String(await this.#control(key, 'get', key));
    return this.#secret;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#record === undefined) return;
    this.#record = undefined;
    try {
      const [leases, records] = this.#leases;
      const args = [this.#options.node];
      await this.#script({ road: 'control', text: scripts.leaveScript, keys: [leases, records], args });
    } catch {
      // without Redis the lease ends by itself
    }
  }

  async claim(id: string, ttlSeconds: number, owner: string): Promise<Claim> {
    const key = this.#claimKey(id);
    for (;;) {
      if ((await this.#control(key, 'set', key, owner, 'EX', Math.ceil(ttlSeconds), 'NX')) !== null)
        return { won: true, owner };
      const held = await this.owner(id);
      if (held !== undefined) return { won: false, owner: held };
    }
  }

  async owner(id: string): Promise<string | undefined> {
    const key = this.#claimKey(id);
    const owner = await this.#control(key, 'get', key);
    return owner === null ? undefined : String(owner);
  }

  async standing(hub: string, user: string): Promise<string[]> {
    const keys = [this.#standingKey(hub, user)];
    const members = await this.#script({ road: 'control', text: scripts.standingScript, keys, args: [] });
    return (members as unknown[]).map((member) => String(member).slice(1));
  }

  async stands(hub: string, user: string, group: string): Promise<boolean> {
    return (await this.standing(hub, user)).includes(group);
  }

  async joinStanding(
    hub: string,
    user: string,
    group: string,
    ttlSeconds: number | undefined,
    topic: string,
    envelope: Uint8Array,
  ): Promise<number> {
    const kept = ttlSeconds === undefined;
    const life = (ttlSeconds ?? standingSeconds) * 1_000;
    const { publishVerb } = this.#options.backplane;
    const limit = kept ? ['k', keptStanding] : ['t', timedStanding];
    const args = [group, life, ...limit, publishVerb, Buffer.from(envelope)];
    const keys = [this.#standingKey(hub, user), topic];
    const receivers = Number(await this.#script({ road: 'lane', text: scripts.joinScript, keys, args }));
    if (receivers < 0) throw tooManyStanding();
    return receivers;
  }

  async leaveStanding(
    hub: string,
    user: string,
    group: string | undefined,
    topic: string,
    envelope: Uint8Array,
  ): Promise<{ receivers: number; had: boolean }> {
    const which = group === undefined ? ['all', ''] : ['one', group];
    const args = [...which, this.#options.backplane.publishVerb, Buffer.from(envelope)];
    const keys = [this.#standingKey(hub, user), topic];
    const [removed, receivers] = (await this.#script({
      road: 'lane',
      text: scripts.leaveStandingScript,
      keys,
      args,
    })) as unknown[];
    return { receivers: Number(receivers), had: Number(removed) > 0 };
  }

  async #living(): Promise<Map<string, NodeRecord>> {
    const [leases, records] = this.#leases;
    const flat = await this.#script({ road: 'control', text: scripts.nodesScript, keys: [leases, records], args: [] });
    const texts = (flat as unknown[]).map(String);
    const nodes = new Map<string, NodeRecord>();
    for (let i = 0; i < texts.length; i += 2) nodes.set(texts[i] ?? '', JSON.parse(texts[i + 1] ?? '') as NodeRecord);
    return nodes;
  }

  async #renew(): Promise<void> {
    if (this.#record === undefined || this.#renewing) return;
    this.#renewing = true;
    try {
      await this.lease(this.#record);
    } catch {
      this.#missed();
    } finally {
      this.#renewing = false;
    }
  }

  #compareSecret(secret: string): void {
    const differs = this.#secret !== '' && secret !== this.#secret;
    if (differs && !this.#differs) this.#on?.secretDiffers();
    this.#differs = differs;
  }

  #held(unbroken: boolean): void {
    this.#lastHeld = this.#now();
    if (!unbroken || this.#unbrokenSince === Number.POSITIVE_INFINITY) this.#unbrokenSince = this.#lastHeld;
    if (!this.#lost) return;
    this.#lost = false;
    this.#on?.leaseHeld();
  }

  /** A renewal that fails makes what is seen of the others worthless; a lease that ran out is news. */
  #missed(): void {
    this.#unbrokenSince = Number.POSITIVE_INFINITY;
    if (this.#lost || this.#now() - this.#lastHeld < this.#lifeMs) return;
    this.#lost = true;
    this.#on?.leaseLost();
  }

  #control(key: string, name: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#options.backplane.run('control', key, [name, ...args]);
  }

  /** Whole scripts travel, not their hashes: one that Redis forgot would lose its place in the order. */
  #script({ road, text, keys, args }: Script): Promise<unknown> {
    const bytes = args.reduce<number>((sum, arg) => sum + (typeof arg === 'number' ? 8 : arg.length), text.length);
    return this.#options.backplane.run(road, keys[0] ?? '', ['eval', text, keys.length, ...keys, ...args], bytes);
  }

  #claimKey(id: string): string {
    return `${this.#options.prefix}:claim:${encodeName(id)}`;
  }

  #standingKey(hub: string, user: string): string {
    const { prefix, backplane } = this.#options;
    const base = `${prefix}:h:${encodeName(hub)}`;
    return `${backplane.hashTags ? `{${base}}` : base}:standing:${encodeName(user)}`;
  }
}
