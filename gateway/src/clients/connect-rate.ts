/** Counts what starts within one second; tells when it is too much. */
export class ConnectRate {
  readonly #perSecond: number;
  readonly #now: () => number;
  #begun = Number.NEGATIVE_INFINITY;
  #used = 0;

  /** @param now milliseconds, of any beginning */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Takes a place in this second; false when there is none left. */
  take(): boolean {
    const now = this.#now();
    if (now - this.#begun >= 1000) {
      this.#begun = now;
      this.#used = 0;
    }
    if (this.#used >= this.#perSecond) return false;
    this.#used++;
    return true;
  }
}
