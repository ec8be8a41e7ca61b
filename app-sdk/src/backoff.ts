/** Seconds after the first, second … failed attempt in a row; all further ones wait the last (service protocol, 7.4). */
const steps = [1, 2, 4, 8, 16, 32, 60] as const;
const jitterMs = 1000;

/** How long to wait after so many failed attempts in a row, in ms: none at first, then 1 s … 60 s and 0 to 1000 ms. */
export function retryDelayMs(failures: number, random: () => number = Math.random): number {
  const step = steps[Math.min(failures, steps.length) - 1];
  return step === undefined ? 0 : step * 1000 + Math.floor(random() * (jitterMs + 1));
}

/** Tells of a failed attempt, and when the next one of all that share the back-off begins. */
export type Failed = (error: unknown, retryInMs: number) => void;

/**
 * When those that lost the same thing try again. One of them probes; the others wait for its result: a failure lets the
 * next one probe after the delay, a success lets all others try at once.
 */
export class Backoff {
  readonly #signal: AbortSignal;
  #failures = 0;
  #delayMs = 0;
  #probe: Promise<boolean> | undefined;

  /** `signal` ends all waiting. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /**
   * Tries until an attempt succeeds; `undefined` when the signal ended it. `atOnce`: the first attempt waits for nobody.
   * Attempts fail by rejecting.
   */
  async run<T>(attempt: () => Promise<T>, failed: Failed, atOnce = false): Promise<T | undefined> {
    for (let free = atOnce; !this.#signal.aborted; free = false) {
      // Without a probe to wait for there must be no pause here: one of the waiting becomes the probe, the others see it.
      const released = free || (this.#probe !== undefined && (await this.#probe));
      if (this.#signal.aborted || (!released && this.#probe !== undefined)) continue;
      const result = released ? await this.#try(attempt, failed) : await this.#runProbe(attempt, failed);
      if (result !== undefined) return result.value;
    }
    return undefined;
  }

  /** How long the next attempt waits, in ms. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** Something that had succeeded failed so soon that it counts as a failed attempt. @returns the delay, in ms. */
  fail(): number {
    this.#failures++;
    this.#delayMs = retryDelayMs(this.#failures);
    return this.#delayMs;
  }

  /** Beside others: many that fail together count once. */
  async #try<T>(attempt: () => Promise<T>, failed: Failed): Promise<{ value: T } | undefined> {
    try {
      return { value: await attempt() };
    } catch (error) {
      if (!this.#signal.aborted) failed(error, this.#failures > 0 ? this.#delayMs : this.fail());
      return undefined;
    }
  }

  async #runProbe<T>(attempt: () => Promise<T>, failed: Failed): Promise<{ value: T } | undefined> {
    let settle: (succeeded: boolean) => void = () => undefined;
    this.#probe = new Promise((resolve) => {
      settle = resolve;
    });
    const result = await this.#probeOnce(attempt, failed);
    this.#probe = undefined;
    settle(result !== undefined);
    return result;
  }

  async #probeOnce<T>(attempt: () => Promise<T>, failed: Failed): Promise<{ value: T } | undefined> {
    await pause(this.#delayMs, this.#signal);
    if (this.#signal.aborted) return undefined;
    try {
      const value = await attempt();
      this.#failures = 0;
      this.#delayMs = 0;
      return { value };
    } catch (error) {
      if (!this.#signal.aborted) failed(error, this.fail());
      return undefined;
    }
  }
}

/** Waits so many ms, or until the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
