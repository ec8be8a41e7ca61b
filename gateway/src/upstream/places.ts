/**
 * How many webhooks of one hub may be under way at a time; the others wait in line, in the order in which they came. Knows
 * how much waits in all, so that somebody can refuse more.
 */
export class Places {
  readonly #most: number;
  readonly #line = new Set<() => void>();
  #taken = 0;
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes of the webhooks that wait or are under way, as far as they were told by {@link hold}. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts bytes that are kept for a webhook; negative when they are kept no longer. */
  hold(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Is nothing under way, waiting or held? */
  get idle(): boolean {
    return this.#taken === 0 && this.#bytes === 0;
  }

  /** Runs it when there is a place. Never rejects by itself. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#taken < this.#most) this.#taken++;
    else await new Promise<void>((resolve) => this.#line.add(resolve));
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  /** Hands the place to the first in line. */
  #next(): void {
    const [first] = this.#line;
    if (first === undefined) {
      this.#taken--;
      return;
    }
    this.#line.delete(first);
    first();
  }
}
