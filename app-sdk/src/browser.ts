import type {
  Args,
  CallName,
  Handler,
  HubContract,
  Item,
  Result,
  ResultName,
  SendName,
  Stream,
  StreamName,
} from './contract.ts';

export type * from './contract.ts';

/** What `@microsoft/signalr` calls IStreamResult; its `Subject` is one. Streams among the arguments are given so. */
export interface StreamSource<T> {
  subscribe(observer: StreamObserver<T>): { dispose(): void };
}

/** What is told about a stream. */
export interface StreamObserver<T> {
  closed?: boolean;
  next(value: T): void;
  // biome-ignore lint/suspicious/noExplicitAny: as in the official client, whose observers must fit
  error(error: any): void;
  complete(): void;
}

type Given<A extends readonly unknown[]> = {
  [I in keyof A]: A[I] extends Stream<infer T> ? StreamSource<T> : A[I];
};

/** The members of a connection that know the contract. */
export interface TypedConnection<C extends HubContract> {
  on<K extends SendName<C> | ResultName<C>>(method: K, handler: Handler<C, K>): void;
  off<K extends SendName<C> | ResultName<C>>(method: K, handler?: Handler<C, K>): void;
  invoke<K extends CallName<C>>(method: K, ...args: Given<Args<C['server'], K>>): Promise<Result<C['server'], K>>;
  send<K extends CallName<C>>(method: K, ...args: Given<Args<C['server'], K>>): Promise<void>;
  stream<K extends StreamName<C>>(method: K, ...args: Given<Args<C['server'], K>>): StreamSource<Item<C['server'], K>>;
}

/** `H` is the HubConnection of `@microsoft/signalr`; nothing of it is imported. */
export type TypedHubConnection<H, C extends HubContract> = Omit<H, keyof TypedConnection<C>> & TypedConnection<C>;

/** A stream has no back-pressure, so a reader that falls behind by so many items loses the stream. */
const maxWaitingItems = 10_000;

/** Items that have come, and the reader that waits for the next. */
class Inbox<T> implements AsyncIterator<T, undefined> {
  readonly #items: T[] = [];
  readonly #readers: { resolve(result: IteratorResult<T, undefined>): void; reject(error: unknown): void }[] = [];
  readonly #subscription: { dispose(): void } | undefined;
  #end: { error?: unknown; failed: boolean } | undefined;

  constructor(stream: StreamSource<T>) {
    this.#subscription = stream.subscribe({
      next: (item) => this.#push(item),
      error: (error) => this.#finish({ error, failed: true }),
      complete: () => this.#finish({ failed: false }),
    });
    // A source that tells everything while it is subscribed to may have ended before there was anything to dispose of.
    if (this.#end?.failed) this.#subscription.dispose();
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.#items.length > 0) return { value: this.#items.shift() as T, done: false };
    if (this.#end === undefined) return await new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    const { failed, error } = this.#end;
    this.#end = { failed: false };
    if (failed) throw error;
    return { value: undefined, done: true };
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    if (this.#end === undefined) this.#subscription?.dispose();
    this.#items.length = 0;
    this.#finish({ failed: false });
    return { value: undefined, done: true };
  }

  #push(item: T): void {
    if (this.#end !== undefined) return;
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ value: item, done: false });
    else if (this.#items.length < maxWaitingItems) this.#items.push(item);
    else this.#overflow();
  }

  #overflow(): void {
    this.#subscription?.dispose();
    this.#finish({ error: new Error(`a reader must not be more than ${maxWaitingItems} items behind`), failed: true });
  }

  #finish(end: { error?: unknown; failed: boolean }): void {
    if (this.#end !== undefined) return;
    const [first, ...others] = this.#readers.splice(0);
    this.#end = first ? { failed: false } : end;
    if (end.failed) first?.reject(end.error);
    else first?.resolve({ value: undefined, done: true });
    for (const reader of others) reader.resolve({ value: undefined, done: true });
  }
}

/**
 * A stream for `for await`. Leaving the loop cancels the stream. What waits to be read is at most 10,000 items; more
 * cancel the stream, and the loop throws after the last of them.
 */
export function iterate<T>(stream: StreamSource<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => new Inbox(stream) };
}

/** An async iterable as an upload: pulled from when the call is made, ended by `dispose`. */
export function upload<T>(values: AsyncIterable<T>): StreamSource<T> {
  return {
    subscribe(observer) {
      const iterator = values[Symbol.asyncIterator]();
      const state = { disposed: false };
      void feed(iterator, observer, state);
      return {
        dispose() {
          state.disposed = true;
          // A generator that is suspended ends here; what its clean-up throws concerns nobody any more.
          iterator.return?.().catch(() => undefined);
        },
      };
    },
  };
}

async function feed<T>(
  iterator: AsyncIterator<T>,
  observer: StreamObserver<T>,
  state: { readonly disposed: boolean },
): Promise<void> {
  try {
    for (let item = await iterator.next(); !item.done; item = await iterator.next()) {
      if (state.disposed) return;
      observer.next(item.value);
    }
    if (!state.disposed) observer.complete();
  } catch (error) {
    if (!state.disposed) observer.error(error);
  }
}
