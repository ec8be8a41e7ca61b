import { monitorEventLoopDelay } from 'node:perf_hooks';

const resolutionMs = 20;
/** How long until the older of two records is begun anew, in ms. */
const turnMs = 15_000;

/**
 * By how much timers were late within the last 15 to 30 s, the same for everybody who asks: were it begun anew by each
 * answer, a scrape that its asker gave up while the loop hung would take the worst delay with it.
 */
export class LoopDelay {
  #older = monitorEventLoopDelay({ resolution: resolutionMs });
  #younger = monitorEventLoopDelay({ resolution: resolutionMs });
  #timer: NodeJS.Timeout | undefined;

  /** Runs until {@link close}, and does not keep the process alive. */
  start(): void {
    this.#older.enable();
    this.#younger.enable();
    this.#timer = setInterval(() => this.turn(), turnMs).unref();
  }

  /** The older record is forgotten. */
  turn(): void {
    this.#older.reset();
    [this.#older, this.#younger] = [this.#younger, this.#older];
  }

  /** A percentile of the delays, in seconds; 100 is the worst. */
  late(percentile: number): number {
    // The record holds whole intervals between two timers; what is above the interval is the delay.
    return Math.max(0, this.#older.percentile(percentile) / 1e9 - resolutionMs / 1000);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#older.disable();
    this.#younger.disable();
  }
}
