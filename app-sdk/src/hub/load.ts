/** What a waiting message costs besides its bytes: many small ones must not cost more than a large one. */
const perMessage = 64;

/** Bytes of one connection that wait for its hub. One more than the limit, and `over` is called, once. */
export class Load {
  bytes = 0;
  readonly #limit: number;
  readonly #over: () => void;

  constructor(limit: number, over: () => void) {
    this.#limit = limit;
    this.#over = over;
  }

  add(bytes: number): void {
    const before = this.bytes;
    this.bytes += bytes + perMessage;
    if (before <= this.#limit && this.bytes > this.#limit) this.#over();
  }

  remove(bytes: number): void {
    this.bytes -= bytes + perMessage;
  }
}
