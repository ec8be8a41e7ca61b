/** Whether a method gave a stream. */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** Ends an iterator that nobody reads any more; what it throws then concerns nobody. */
async function leave(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // Its reader is gone.
  }
}

/** Ends a stream that is not read at all. */
export function discard(stream: AsyncIterable<unknown>): void {
  void leave(stream[Symbol.asyncIterator]());
}

/** The result of a hub method on its way to the client: the next item is asked for when the last one was taken. */
export class ResultStream {
  readonly #iterator: AsyncIterator<unknown>;
  readonly #write: (item: unknown) => Promise<void>;
  #cancelled = false;
  #wake: (() => void) | undefined;

  constructor(stream: AsyncIterable<unknown>, write: (item: unknown) => Promise<void>) {
    this.#iterator = stream[Symbol.asyncIterator]();
    this.#write = write;
  }

  /** Resolves when the stream ended or was cancelled. Rejects with what it throws; `write` failing ends it too. */
  async run(): Promise<void> {
    for (let step = await this.#next(); step && !step.done; step = await this.#next()) {
      try {
        await this.#write(step.value);
      } catch (error) {
        void leave(this.#iterator);
        throw error;
      }
    }
  }

  /** Gives the stream `return()`. Does not wait for it, nor for an item that is under way. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#wake?.();
    void leave(this.#iterator);
  }

  async #next(): Promise<IteratorResult<unknown> | undefined> {
    if (this.#cancelled) return undefined;
    const next = Promise.resolve(this.#iterator.next());
    return await new Promise((resolve, reject) => {
      this.#wake = () => resolve(undefined);
      next.then(resolve, reject);
    });
  }
}
