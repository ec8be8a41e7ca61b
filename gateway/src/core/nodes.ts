import { type Bus, controlLane } from '../backplane/bus.ts';
import { type LivingNodes, leaseMs, type NodeRecord, type NodeRecords, renewMs } from '../backplane/records.ts';
import type { News } from '../protocol/command.ts';
import { encodeCommand } from '../protocol/command-codec.ts';
import type { Topics } from './topics.ts';

export interface NodesOptions {
  readonly bus: Pick<Bus, 'watch' | 'unwatch' | 'watchers' | 'forget' | 'send' | 'hearing' | 'remote'>;
  readonly records: NodeRecords;
  readonly topics: Topics;
  readonly node: string;
  readonly now: () => number;
  readonly warn: (text: string, error?: unknown) => void;
}

/** Who wants to know of other nodes. */
export interface NodesListener {
  /** What a node says of itself came, or changed. */
  nodeChanged?(node: string, data: unknown): void;
  /** A node left in good order. */
  nodeLeft?(node: string): void;
  /** The lease of a node ended: it died, or is cut off. */
  nodeLost(node: string): void;
  /** This node no longer hears the others. */
  deaf?(): void;
  /** This node hears the others again. */
  hearing?(): void;
}

interface Known {
  /** When it was last seen alive: one that just lost its connection to Redis is still known. */
  seen: number;
  data: string;
}

/** Least time between two announcements that tell nothing but load, in ms. */
const announceMs = 1000;

/** Which nodes are alive, what they say of themselves, and whether all of them hear everything. */
export class Nodes {
  readonly #options: NodesOptions;
  readonly #known = new Map<string, Known>();
  readonly #listeners: NodesListener[] = [];
  #record: NodeRecord | undefined;
  #leaseHeld = true;
  #timer: NodeJS.Timeout | undefined;
  #announcing: NodeJS.Timeout | undefined;

  constructor(options: NodesOptions) {
    this.#options = options;
  }

  /** Living nodes, this one included, as last seen. */
  get known(): number {
    return this.#known.size;
  }

  /** Name for people of each living node, by id, as last heard. */
  labels(): ReadonlyMap<string, string> {
    return new Map([...this.#known].map(([node, { data }]) => [node, labelOf(JSON.parse(data))]));
  }

  /** Does this node hold its lease? Without it Redis counts as down. */
  get leased(): boolean {
    return this.#leaseHeld;
  }

  listen(listener: NodesListener): void {
    this.#listeners.push(listener);
  }

  /** Takes the lease and tells the others that this node hears. Throws when it does not fit to the living nodes. */
  async start(record: NodeRecord): Promise<void> {
    const { bus, records, topics, warn } = this.#options;
    this.#record = record;
    await records.start(record, {
      leaseLost: () => this.#leased(false),
      leaseHeld: () => this.#leased(true),
      secretDiffers: () => warn('Redis holds another routing secret: restart this node'),
    });
    if (bus.remote) await bus.watch(topics.news);
    await this.#see();
    await this.hearing();
    this.#timer = setInterval(() => void this.#see(), renewMs);
  }

  #leased(held: boolean): void {
    this.#leaseHeld = held;
    if (!held) this.#options.warn('the lease of this node could not be renewed: the others may take it for dead');
  }

  /**
   * Tells the others something new of this node.
   * @param atOnce false: together with what else changes within a second.
   */
  announce(data: unknown, atOnce: boolean): void {
    if (this.#record === undefined) return;
    this.#record = { ...this.#record, data };
    if (atOnce) this.#announceNow();
    else this.#announcing ??= setTimeout(() => this.#announceNow(), announceMs);
  }

  #announceNow(): void {
    clearTimeout(this.#announcing);
    this.#announcing = undefined;
    const { node, records, bus } = this.#options;
    if (this.#record === undefined || !bus.remote || !bus.hearing) return;
    const data = JSON.stringify(this.#record.data);
    records.lease(this.#record).catch((error: unknown) => this.#options.warn('a node record was not stored', error));
    void this.#tell({ kind: 'news', node, data });
  }

  /** Resolves when it left, and what was told before; or when it could not. */
  async #tell(news: News): Promise<void> {
    const { bus, topics } = this.#options;
    try {
      await bus.send(controlLane, topics.news, encodeCommand(news), false);
    } catch (error) {
      this.#options.warn('news of this node did not leave: the others read it from the records', error);
    }
  }

  /** News of another node came. */
  heard({ node, data }: News): void {
    if (node === this.#options.node) return;
    if (data !== undefined) this.#alive(node, data);
    else if (this.#known.delete(node)) this.#gone(node, 'nodeLeft');
  }

  async #see(): Promise<void> {
    try {
      this.#note(await this.#options.records.nodes());
    } catch {
      // Redis is down: what was known stays known until it is back
    }
  }

  #note({ nodes, settled }: LivingNodes): void {
    for (const [node, { data }] of nodes) this.#alive(node, JSON.stringify(data ?? null));
    const oldest = this.#options.now() - leaseMs;
    for (const [node, { seen }] of this.#known) {
      if (!settled || seen >= oldest) continue;
      this.#known.delete(node);
      this.#gone(node, 'nodeLost');
    }
  }

  #alive(node: string, data: string): void {
    const before = this.#known.get(node);
    this.#known.set(node, { seen: this.#options.now(), data });
    if (before?.data === data || node === this.#options.node) return;
    for (const listener of this.#listeners) listener.nodeChanged?.(node, JSON.parse(data));
  }

  #gone(node: string, how: 'nodeLeft' | 'nodeLost'): void {
    this.#options.bus.forget(node);
    for (const listener of this.#listeners) listener[how]?.(node);
  }

  /** This node no longer hears everything: the others must not take its silence for a no. */
  deaf(): void {
    void this.#options.bus.unwatch(this.#options.topics.settled);
    for (const listener of this.#listeners) listener.deaf?.();
  }

  /** This node hears everything again. */
  async hearing(): Promise<void> {
    for (const listener of this.#listeners) listener.hearing?.();
    const now = this.#options.now();
    for (const known of this.#known.values()) known.seen = now; // nobody could be seen meanwhile
    await this.#options.bus.watch(this.#options.topics.settled);
    await this.#see();
    this.#announceNow();
  }

  /** Do all known nodes hear everything? Only then is "nobody answered yes" a no. */
  async settled(): Promise<boolean> {
    const { bus, records, topics } = this.#options;
    const [living, hearing] = await Promise.all([records.nodes(), bus.watchers(topics.settled)]);
    this.#note(living);
    return hearing >= this.#known.size;
  }

  /** Leaves in good order: the others need not wonder. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#announcing);
    const { node, bus, records } = this.#options;
    const told = bus.remote && bus.hearing && this.#record !== undefined;
    const telling = told ? this.#tell({ kind: 'news', node, data: undefined }) : undefined;
    await Promise.all([telling, records.close()]);
  }
}

function labelOf(data: unknown): string {
  const { label } = (data ?? {}) as { readonly label?: unknown };
  return typeof label === 'string' ? label : '';
}
