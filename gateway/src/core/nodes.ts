import type { Bus } from '../backplane/bus.ts';
import { type LivingNodes, leaseMs, type NodeRecord, type NodeRecords, renewMs } from '../backplane/records.ts';
import type { Topics } from './topics.ts';

export interface NodesOptions {
  readonly bus: Pick<Bus, 'watch' | 'unwatch' | 'watchers' | 'forget'>;
  readonly records: NodeRecords;
  readonly topics: Topics;
  readonly now: () => number;
  readonly warn: (text: string, error?: unknown) => void;
}

/** Which nodes are alive, and whether all of them hear everything. */
export class Nodes {
  readonly #options: NodesOptions;
  /** Known nodes and when they were last seen alive: one that just lost its connection to Redis is still known. */
  readonly #seen = new Map<string, number>();
  #leaseHeld = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: NodesOptions) {
    this.#options = options;
  }

  /** Living nodes, this one included, as last seen. */
  get known(): number {
    return this.#seen.size;
  }

  /** Does this node hold its lease? Without it Redis counts as down. */
  get leased(): boolean {
    return this.#leaseHeld;
  }

  /** Takes the lease and tells the others that this node hears. Throws when it does not fit to the living nodes. */
  async start(record: NodeRecord): Promise<void> {
    const { records, warn } = this.#options;
    await records.start(record, {
      leaseLost: () => this.#leased(false),
      leaseHeld: () => this.#leased(true),
      secretDiffers: () => warn('Redis holds another routing secret: restart this node'),
    });
    await this.#see();
    await this.hearing();
    this.#timer = setInterval(() => void this.#see(), renewMs);
  }

  #leased(held: boolean): void {
    this.#leaseHeld = held;
    if (!held) this.#options.warn('the lease of this node could not be renewed: the others may take it for dead');
  }

  async #see(): Promise<void> {
    try {
      this.#note(await this.#options.records.nodes());
    } catch {
      // Redis is down: what was known stays known until it is back
    }
  }

  #note(living: LivingNodes): void {
    const now = this.#options.now();
    for (const node of living.nodes.keys()) this.#seen.set(node, now);
    for (const [node, seen] of this.#seen) {
      if (now - seen <= leaseMs) continue;
      this.#seen.delete(node);
      this.#options.bus.forget(node);
    }
  }

  /** This node no longer hears everything: the others must not take its silence for a no. */
  deaf(): void {
    void this.#options.bus.unwatch(this.#options.topics.settled);
  }

  /** This node hears everything again. */
  async hearing(): Promise<void> {
    const now = this.#options.now();
    for (const node of this.#seen.keys()) this.#seen.set(node, now); // nobody could be seen meanwhile
    await this.#options.bus.watch(this.#options.topics.settled);
  }

  /** Do all known nodes hear everything? Only then is "nobody answered yes" a no. */
  async settled(): Promise<boolean> {
    const { bus, records, topics } = this.#options;
    const [living, hearing] = await Promise.all([records.nodes(), bus.watchers(topics.settled)]);
    this.#note(living);
    return hearing >= this.#seen.size;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#options.records.close();
  }
}
