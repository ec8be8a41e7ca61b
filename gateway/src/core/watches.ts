/** What the watches need of the bus. */
export interface Watching {
  readonly remote: boolean;
  watch(topic: string): Promise<void>;
  unwatch(topic: string): Promise<void>;
}

interface Watch {
  holders: number;
  /** The answer of Redis: pending, given, or refused. */
  watched: Promise<void>;
  refused: boolean;
}

const done = Promise.resolve();

/**
 * Which topics this node watches: from the first holder to the last, and for a while after it, because who leaves often
 * comes back (measured cost of a topic in Redis: 1–2 µs to watch, about 230 bytes to keep).
 */
export class Watches {
  readonly #bus: Watching;
  readonly #lingerMs: number;
  readonly #now: () => number;
  readonly #watches = new Map<string, Watch>();
  /** Topics without holders and when they are given up, oldest first. */
  readonly #lingering = new Map<string, number>();

  constructor(bus: Watching, lingerMs: number, now: () => number) {
    this.#bus = bus;
    this.#lingerMs = lingerMs;
    this.#now = now;
  }

  /** False: this node is alone, and holding a topic does nothing. */
  get remote(): boolean {
    return this.#bus.remote;
  }

  /** Topics watched, lingering ones included. */
  get size(): number {
    return this.#watches.size;
  }

  /**
   * Watches for one more holder. Resolves when what is published from now on arrives here. When it rejects the topic is
   * held all the same, and is watched as soon as the backplane can.
   */
  hold(topic: string): Promise<void> {
    if (!this.#bus.remote) return done;
    let watch = this.#watches.get(topic);
    if (watch === undefined) {
      watch = { holders: 0, watched: done, refused: true };
      this.#watches.set(topic, watch);
    }
    if (watch.refused) this.#start(topic, watch);
    watch.holders++;
    this.#lingering.delete(topic);
    return watch.watched;
  }

  #start(topic: string, watch: Watch): void {
    watch.refused = false;
    watch.watched = this.#bus.watch(topic);
    watch.watched.catch(() => {
      watch.refused = true; // the holder hears of it from the promise; the next one asks again
    });
  }

  /** One holder less. */
  release(topic: string): void {
    const watch = this.#watches.get(topic);
    if (watch === undefined || --watch.holders > 0) return;
    this.#lingering.set(topic, this.#now() + this.#lingerMs);
  }

  /** Gives up what has lingered long enough; called about once a second. */
  sweep(): void {
    const now = this.#now();
    for (const [topic, until] of this.#lingering) {
      if (until > now) return;
      this.#lingering.delete(topic);
      this.#watches.delete(topic);
      void this.#bus.unwatch(topic);
    }
  }
}
