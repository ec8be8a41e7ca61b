import type { PartState } from './health.ts';

/** How often the event loop is asked, in ms. */
const beatMs = 500;
/** For so long one late beat counts, in ms: a loop that is late again and again is not well in between. */
const rememberedMs = 5000;

export interface LoopWatchOptions {
  /** By how much a beat may be late, in ms. */
  readonly lateMs: number;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

/** Is the event loop in time? Asked by a timer of its own; how late that comes is how late everything is. */
export class LoopWatch {
  readonly #lateMs: number;
  readonly #now: () => number;
  #due: number;
  /** The first late beat of those that still count, in ms since 1970. */
  #since = 0;
  #lastLate = Number.NEGATIVE_INFINITY;
  #worstMs = 0;

  constructor({ lateMs, now = () => performance.now() }: LoopWatchOptions) {
    this.#lateMs = lateMs;
    this.#now = now;
    this.#due = now() + beatMs;
  }

  /** Runs as long as the process, and does not keep it alive. */
  start(): void {
    this.#due = this.#now() + beatMs;
    setInterval(() => this.beat(), beatMs).unref();
  }

  /** The timer fired. */
  beat(): void {
    const now = this.#now();
    const late = now - this.#due;
    this.#due = now + beatMs;
    if (late <= this.#lateMs) return;
    if (!this.#remembers(now)) {
      this.#since = Date.now() - late;
      this.#worstMs = 0;
    }
    this.#lastLate = now;
    this.#worstMs = Math.max(this.#worstMs, late);
  }

  /** For the health of the node. */
  state(): PartState {
    if (!this.#remembers(this.#now())) return { up: true };
    return { up: false, since: this.#since, why: `the event loop was late by ${Math.round(this.#worstMs)} ms` };
  }

  #remembers(now: number): boolean {
    return now - this.#lastLate < rememberedMs;
  }
}
