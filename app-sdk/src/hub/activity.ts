/** Counts what is under way, for those who wait until nothing is. */
export class Activity {
  #count = 0;
  #waiting: (() => void)[] = [];

  begin(): void {
    this.#count++;
  }

  end(): void {
    this.#count--;
    if (this.#count > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Whether something is under way. */
  get busy(): boolean {
    return this.#count > 0;
  }

  /** Counts until the promise settles; gives the same promise. */
  track<T>(promise: Promise<T>): Promise<T> {
    this.begin();
    const end = (): void => this.end();
    promise.then(end, end);
    return promise;
  }

  /** Resolves at once when nothing is under way, else when it was the first time. */
  idle(): Promise<void> {
    return this.busy ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }
}
