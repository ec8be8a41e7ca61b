interface Waiter<T> {
  readonly holds: (items: readonly T[]) => boolean;
  resolve(): void;
}

/** What came to one receiver, in order, and who waits for more of it. */
export class Inbox<T> {
  readonly items: T[] = [];
  #waiters: Waiter<T>[] = [];

  add(item: T): void {
    this.items.push(item);
    if (this.#waiters.length === 0) return;
    const [ready, waiting] = [this.#waiters.filter(this.#isReady), this.#waiters.filter((one) => !this.#isReady(one))];
    this.#waiters = waiting;
    for (const waiter of ready) waiter.resolve();
  }

  readonly #isReady = (waiter: Waiter<T>): boolean => waiter.holds(this.items);

  /**
   * Resolves when the condition holds for what came.
   * @throws Error with what came instead, after `deadlineMs`.
   */
  async until(what: string, holds: (items: readonly T[]) => boolean, deadlineMs = 15_000): Promise<void> {
    if (holds(this.items)) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        const came = JSON.stringify(this.items.slice(-5));
        reject(new Error(`not within ${deadlineMs} ms: ${what}; the last that came: ${came}`));
      }, deadlineMs);
      const finish = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiters.push({ holds, resolve: finish });
    });
  }

  /** Resolves when an item came that fits. */
  one(what: string, fits: (item: T) => boolean, deadlineMs?: number): Promise<void> {
    return this.until(what, (items) => items.some(fits), deadlineMs);
  }
}
