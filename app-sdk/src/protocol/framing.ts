import { MalformedError, TooLargeError } from './errors.ts';

/** The largest length that a prefix can state, 2^31 - 1. */
export const maxFrameLength = 0x7fffffff;

/**
 * The length prefix of the service protocol (section 5) and of MessagePack hub messages: groups of seven bits, least
 * significant first, the high bit set when another follows; one to five bytes. The length counts the body only.
 */
export function writeLengthPrefix(length: number): Uint8Array {
  const bytes = new Uint8Array(lengthPrefixSize(length));
  putLengthPrefix(bytes, 0, length);
  return bytes;
}

/** How many bytes the prefix of a length has. @throws RangeError when it is no length. */
export function lengthPrefixSize(length: number): number {
  if (!Number.isInteger(length) || length < 0 || length > maxFrameLength) {
    throw new RangeError(`a length must be 0 to ${maxFrameLength}, got ${length}`);
  }
  let size = 1;
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) size++;
  return size;
}

/** Writes the prefix of a length into bytes that have room for it. */
export function putLengthPrefix(bytes: Uint8Array, from: number, length: number): void {
  let at = from;
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at] = rest;
}

/** A length prefix as it was read: the length of the body, and how many bytes the prefix itself has. */
export interface LengthPrefix {
  readonly length: number;
  readonly size: number;
}

/**
 * Reads a length prefix; `undefined` when the bytes end inside it. Forms longer than needed are accepted.
 * @throws MalformedError when it is longer than five bytes or states more than 2^31 - 1.
 */
export function readLengthPrefix(bytes: Uint8Array, at = 0): LengthPrefix | undefined {
  let length = 0;
  for (let size = 1; size <= 5; size++) {
    const byte = bytes[at + size - 1];
    if (byte === undefined) return undefined;
    if (size === 5 && byte > 7) break;
    length |= (byte & 0x7f) << (7 * (size - 1));
    if (byte <= 0x7f) return { length, size };
  }
  throw new MalformedError('a length prefix must have at most five bytes and state at most 2147483647');
}

/** The body with its length prefix in front, copied into new bytes. */
export function frame(body: Uint8Array): Uint8Array {
  const prefix = writeLengthPrefix(body.length);
  const framed = new Uint8Array(prefix.length + body.length);
  framed.set(prefix);
  framed.set(body, prefix.length);
  return framed;
}

/** Cuts a stream of bytes into messages. */
export interface Splitter {
  /**
   * Takes the next piece of the stream and yields the messages that it completes, in order. Lazy: iterate to the end.
   * A message that lies whole inside the piece is a view of it, valid as long as the piece is.
   * After a throw, and after leaving the loop early, the splitter is of no more use.
   * @throws TooLargeError as soon as a message is known to be over the limit.
   * @throws MalformedError for a length prefix that breaks the rules.
   */
  push(chunk: Uint8Array): Generator<Uint8Array, void, undefined>;
  /** Bytes held of a message that is not complete yet. */
  readonly pending: number;
}

/** How a splitter cuts. */
export interface SplitOptions {
  /** Most bytes of one message, its separator or length prefix included, as servers count (hub-protocol section 11). */
  readonly limit: number;
  /** Yields each message with its separator or prefix, ready to be passed on. Default false. */
  readonly framed?: boolean;
}

/** The incomplete message between two pieces. Doubles as it fills, so that a long message costs O(n), however it is cut. */
class Remainder {
  #buffer = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What is held: a view. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#buffer.length) this.#grow(length);
    this.#buffer.set(piece, this.#length);
    this.#length = length;
  }

  /** Hands the bytes over and starts with none. */
  take(): Uint8Array {
    const { bytes } = this;
    this.#buffer = new Uint8Array(0);
    this.#length = 0;
    return bytes;
  }

  #grow(length: number): void {
    const next = new Uint8Array(Math.max(64, length, this.#buffer.length * 2));
    next.set(this.bytes);
    this.#buffer = next;
  }
}

/** What both splitters know: how to cut, and what waits for its end. */
abstract class Cutter {
  protected readonly limit: number;
  protected readonly framed: boolean;
  protected readonly rest = new Remainder();

  constructor(options: SplitOptions) {
    this.limit = options.limit;
    this.framed = options.framed ?? false;
  }

  get pending(): number {
    return this.rest.length;
  }
}

/** Splits messages that carry a length prefix. Yields bodies; a body may be empty. */
export class FrameSplitter extends Cutter implements Splitter {
  *push(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    let at = 0;
    while (at < chunk.length) {
      if (this.rest.length > 0) {
        at += this.#fill(chunk, at);
        const prefix = this.#prefix(this.rest.bytes, 0);
        if (prefix && this.rest.length === prefix.size + prefix.length) yield this.#cut(this.rest.take(), prefix);
        continue;
      }
      const prefix = this.#prefix(chunk, at);
      const end = prefix ? at + prefix.size + prefix.length : Number.POSITIVE_INFINITY;
      const piece = chunk.subarray(at, end);
      at += piece.length;
      if (prefix && at === end) yield this.#cut(piece, prefix);
      else this.rest.append(piece);
    }
  }

  /** Adds to the remainder: one byte while the prefix is not known, then what the message still lacks. */
  #fill(chunk: Uint8Array, at: number): number {
    const prefix = this.#prefix(this.rest.bytes, 0);
    const lacks = prefix ? prefix.size + prefix.length - this.rest.length : 1;
    const piece = chunk.subarray(at, at + lacks);
    this.rest.append(piece);
    return piece.length;
  }

  #prefix(bytes: Uint8Array, at: number): LengthPrefix | undefined {
    const prefix = readLengthPrefix(bytes, at);
    if (prefix && prefix.size + prefix.length > this.limit) throw new TooLargeError(this.limit);
    return prefix;
  }

  #cut(message: Uint8Array, prefix: LengthPrefix): Uint8Array {
    return this.framed ? message : message.subarray(prefix.size);
  }
}

/** The byte that ends a JSON hub message and a handshake. */
export const recordSeparator = 0x1e;

/** Splits text records that end with 0x1e. Yields them without it; a record may be empty. */
export class RecordSplitter extends Cutter implements Splitter {
  *push(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    let at = 0;
    while (at < chunk.length) {
      const separator = chunk.indexOf(recordSeparator, at);
      const end = separator < 0 ? chunk.length : separator + 1;
      // A record without its end is at least one byte longer than what is here.
      const size = this.rest.length + end - at + (separator < 0 ? 1 : 0);
      if (size > this.limit) throw new TooLargeError(this.limit);
      const piece = chunk.subarray(at, end);
      at = end;
      if (separator >= 0 && this.rest.length === 0) yield this.#cut(piece);
      else this.rest.append(piece);
      if (separator >= 0 && this.rest.length > 0) yield this.#cut(this.rest.take());
    }
  }

  #cut(record: Uint8Array): Uint8Array {
    return this.framed ? record : record.subarray(0, -1);
  }
}
