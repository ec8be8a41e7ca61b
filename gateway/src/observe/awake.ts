/** How often the clock looks, in milliseconds. */
const lookMs = 100;
/** The most that counts between two looks: beyond it the process did not run. */
const countedMs = 2 * lookMs;

/**
 * Counts the milliseconds in which this process was awake, that is, in which its event loop turned. What others answer
 * while it stands still (a paused machine, a starved container, a long turn) lies unread in its sockets, and is not late.
 */
export class AwakeClock {
  readonly #clock: () => number;
  #awakeMs = 0;
  #lastLook: number;

  /** @param clock milliseconds of a monotonic clock */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#lastLook = clock();
  }

  /** Looks as long as the process runs, and does not keep it alive. */
  start(): this {
    setInterval(() => this.look(), lookMs).unref();
    return this;
  }

  /** The event loop turns. */
  look(): void {
    this.#awakeMs = this.now();
    this.#lastLook = this.#clock();
  }

  /** Milliseconds awake so far. Never falls. */
  now(): number {
    return this.#awakeMs + Math.min(this.#clock() - this.#lastLook, countedMs);
  }
}

const clock = new AwakeClock().start();

/** Milliseconds in which this process was awake: the clock of every deadline for the answer of somebody else. */
export function awakeNow(): number {
  return clock.now();
}

/** As `setTimeout`, but only time in which this process was awake counts. @returns what calls it off */
export function afterAwake(ms: number, due: () => void, now: () => number = awakeNow): () => void {
  const end = now() + ms;
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    const left = end - now();
    if (left > 0) timer = setTimeout(wait, left);
    else due();
  };
  wait();
  return () => clearTimeout(timer);
}
