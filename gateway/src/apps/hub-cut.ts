import {
  FrameSplitter,
  RecordSplitter,
  readLengthPrefix,
  recordSeparator,
  type Splitter,
} from '@signalbox/app-sdk/protocol';

type Framing = 'text' | 'length' | 'unknown';

const framings: ReadonlyMap<string, Framing> = new Map([
  ['json', 'text'],
  ['messagepack', 'length'],
  ['blazorpack', 'length'],
]);

/**
 * Cuts the bytes that an app sends to one client at hub-message ends: clients do not take half a message, and nothing else
 * may be written into the middle of one (service protocol, 10.5). A hub protocol of unknown framing passes as it comes.
 */
export class HubCut {
  readonly #framing: Framing;
  readonly #limit: number;
  /** Only while half a message waits. */
  #splitter: Splitter | undefined;

  /** @param limit most bytes of one message. */
  constructor(protocol: string, limit: number) {
    this.#framing = framings.get(protocol) ?? 'unknown';
    this.#limit = limit;
  }

  /**
   * Whole messages, as many as are complete, in as few pieces as they are.
   * @throws {MalformedError | TooLargeError} when they cannot be told apart, or one is above the limit.
   */
  push(bytes: Uint8Array): Iterable<Uint8Array> {
    if (this.#framing === 'unknown' || (this.#splitter === undefined && this.#isWhole(bytes))) return [bytes];
    return this.#split(bytes);
  }

  #isWhole(bytes: Uint8Array): boolean {
    if (this.#framing === 'text') return bytes.at(-1) === recordSeparator;
    let at = 0;
    while (at < bytes.length) {
      const prefix = readLengthPrefix(bytes, at);
      if (prefix === undefined) return false;
      at += prefix.size + prefix.length;
    }
    return at === bytes.length;
  }

  *#split(bytes: Uint8Array): Generator<Uint8Array> {
    const options = { limit: this.#limit, framed: true };
    this.#splitter ??= this.#framing === 'text' ? new RecordSplitter(options) : new FrameSplitter(options);
    yield* this.#splitter.push(bytes);
    if (this.#splitter.pending === 0) this.#splitter = undefined;
  }
}
