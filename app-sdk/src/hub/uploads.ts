import { ClientResultError, HubException } from '../errors.ts';
import type { CompletionMessage } from '../protocol/hub.ts';
import type { Load } from './load.ts';
import { texts } from './texts.ts';

type Step = IteratorResult<unknown, undefined>;

const done: Step = { value: undefined, done: true };

interface Reader {
  resolve(step: Step): void;
  reject(error: unknown): void;
}

/**
 * One stream that a client feeds, as its hub method reads it. Items beyond the buffer count as load of the connection.
 * Leaving the loop ends it: what still comes is dropped. A failure of the client throws in the loop, after the items.
 */
export class Upload implements AsyncIterableIterator<unknown> {
  readonly #items: { readonly item: unknown; readonly bytes: number }[] = [];
  readonly #readers: Reader[] = [];
  readonly #buffer: number;
  readonly #load: Load;
  readonly #closed: () => void;
  #end: { readonly error?: unknown } | undefined;

  constructor(buffer: number, load: Load, closed: () => void) {
    this.#buffer = buffer;
    this.#load = load;
    this.#closed = closed;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(item: unknown, bytes: number): void {
    if (this.#end !== undefined) return;
    const reader = this.#readers.shift();
    reader?.resolve({ value: item, done: false });
    if (reader !== undefined) return;
    this.#items.push({ item, bytes });
    if (this.#items.length > this.#buffer) this.#load.add(bytes);
  }

  async next(): Promise<Step> {
    const first = this.#shift();
    if (first !== undefined) return { value: first.item, done: false };
    if (this.#end === undefined) return await new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    const { error } = this.#end;
    this.#end = {};
    if (error !== undefined) throw error;
    return done;
  }

  async return(): Promise<Step> {
    while (this.#items.length > 0) this.#shift();
    this.end();
    return done;
  }

  /** No more items come. The first reader that waits, or the next one, hears of the error. */
  end(error?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = this.#readers.length > 0 || error === undefined ? {} : { error };
    this.#closed();
    const [first, ...others] = this.#readers.splice(0);
    if (error === undefined) first?.resolve(done);
    else first?.reject(error);
    for (const reader of others) reader.resolve(done);
  }

  /** The item behind the buffer moves into it, and counts no longer. */
  #shift(): { readonly item: unknown } | undefined {
    const inside = this.#items[this.#buffer];
    if (inside !== undefined) this.#load.remove(inside.bytes);
    return this.#items.shift();
  }
}

/** The open uploads of one connection, by stream id. */
export class Uploads {
  readonly #open = new Map<string, Upload>();
  readonly #buffer: number;
  readonly #load: Load;

  constructor(buffer: number, load: Load) {
    this.#buffer = buffer;
    this.#load = load;
  }

  /** The first id that is open already, or stands twice in the list. */
  taken(ids: readonly string[]): string | undefined {
    const seen = new Set<string>();
    return ids.find((id) => this.#open.has(id) || seen.size === seen.add(id).size);
  }

  /** Opens a stream; `closed` is called once, when it ends. The id must be free. */
  open(id: string, closed: () => void): Upload {
    const upload = new Upload(this.#buffer, this.#load, () => {
      this.#open.delete(id);
      closed();
    });
    this.#open.set(id, upload);
    return upload;
  }

  /** An item; of a stream that is no longer open it is dropped. */
  item(id: string, item: unknown, bytes: number): void {
    this.#open.get(id)?.push(item, bytes);
  }

  /** The client ends a stream. False: there is none of this id. */
  complete({ invocationId, error }: CompletionMessage): boolean {
    const upload = this.#open.get(invocationId);
    upload?.end(error === undefined ? undefined : new HubException(error));
    return upload !== undefined;
  }

  /** The connection ended: the loops throw. */
  close(connectionId: string): void {
    const error = new ClientResultError('ERR_CLIENT_GONE', texts.disconnected(connectionId), { connectionId });
    for (const upload of [...this.#open.values()]) upload.end(error);
  }
}
