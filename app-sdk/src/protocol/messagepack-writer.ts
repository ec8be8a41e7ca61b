import { lengthPrefixSize, putLengthPrefix } from './framing.ts';

const slabSize = 8192;
const prefixRoom = 5;
/** Room behind a large payload for the few small fields that follow it. */
const slack = 64;

/**
 * Writes MessagePack, each value in its shortest form. One writer makes any number of messages, one after another:
 * `bytes()` or `frame()` ends a message, hands it out without a copy and never touches it again; small messages share
 * a slab of 8 KiB, as Node's own buffers do. After a throw call `reset()`, or start with it.
 */
export class Writer {
  #buffer: Buffer;
  /** Where the body of this message starts; the bytes before it are kept free for a length prefix. */
  #start = prefixRoom;
  #at = prefixRoom;

  /** @param room bytes to allocate at first; worth giving when a large message comes. */
  constructor(room = slabSize) {
    this.#buffer = Buffer.allocUnsafeSlow(room + prefixRoom);
  }

  /** Bytes of this message so far, without a prefix. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** Makes room for so many bytes at once, so that large parts are copied only once. */
  reserve(length: number): this {
    this.#at = this.#room(length);
    return this;
  }

  /** @param count number of elements, which must follow. */
  writeArrayHeader(count: number): this {
    return this.#header(count, 0x90, 15, 0xdc);
  }

  /** @param count number of pairs, which must follow: each a key and a value. */
  writeMapHeader(count: number): this {
    return this.#header(count, 0x80, 15, 0xde);
  }

  /** A whole number of 64 bits, signed or not. Anything else is a `RangeError`: the caller's mistake. */
  writeInt(value: number | bigint): this {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError('an integer must be safe');
    if (value >= 0 && value <= 0x7f) return this.#byte(Number(value));
    if (value < 0 && value >= -0x20) return this.#byte(Number(value) & 0xff);
    return value >= 0 ? this.#positive(value) : this.#negative(value);
  }

  /** An integer in the five-byte form that ConnectionFlowControl has by rule. */
  writeInt32(value: number): this {
    const at = this.#room(5);
    this.#buffer[at] = 0xd2;
    this.#buffer.writeInt32BE(value, at + 1);
    return this;
  }

  /** A float of 64 bits, also for whole numbers. */
  writeFloat64(value: number): this {
    const at = this.#room(9);
    this.#buffer[at] = 0xcb;
    this.#buffer.writeDoubleBE(value, at + 1);
    return this;
  }

  /** A string as UTF-8; half a surrogate pair becomes U+FFFD. */
  writeString(value: string): this {
    const length = Buffer.byteLength(value, 'utf8');
    if (length < 32) this.#byte(0xa0 | length);
    else this.#sized(length, length <= 0xff ? 0xd9 : length <= 0xffff ? 0xda : 0xdb);
    const at = this.#room(length);
    this.#buffer.write(value, at, length, 'utf8');
    return this;
  }

  /** A string, or nil for `undefined`. */
  writeStringOrNil(value: string | undefined): this {
    return value === undefined ? this.writeNil() : this.writeString(value);
  }

  /** Bytes; copied. */
  writeBin(value: Uint8Array): this {
    const { length } = value;
    this.#sized(length, length <= 0xff ? 0xc4 : length <= 0xffff ? 0xc5 : 0xc6);
    return this.writeRaw(value);
  }

  writeBool(value: boolean): this {
    return this.#byte(value ? 0xc3 : 0xc2);
  }

  writeNil(): this {
    return this.#byte(0xc0);
  }

  /** An extension value of an application type or the standard's own (-1 is a timestamp). */
  writeExtension(type: number, data: Uint8Array): this {
    const { length } = data;
    const fixed = [1, 2, 4, 8, 16].indexOf(length);
    if (fixed >= 0) this.#byte(0xd4 + fixed);
    else this.#sized(length, length <= 0xff ? 0xc7 : length <= 0xffff ? 0xc8 : 0xc9);
    return this.#byte(type & 0xff).writeRaw(data);
  }

  /** Bytes that are MessagePack already. */
  writeRaw(value: Uint8Array): this {
    const at = this.#room(value.length);
    this.#buffer.set(value, at);
    return this;
  }

  /** Ends the message and returns it. */
  bytes(): Uint8Array {
    return this.#end(this.#start);
  }

  /** Ends the message and returns it with its length prefix in front. */
  frame(): Uint8Array {
    const { length } = this;
    this.#room(0);
    const from = this.#start - lengthPrefixSize(length);
    putLengthPrefix(this.#buffer, from, length);
    return this.#end(from);
  }

  /** Forgets what was written since the last message ended. */
  reset(): this {
    this.#at = this.#start;
    return this;
  }

  #end(from: number): Uint8Array {
    const message = new Uint8Array(this.#buffer.buffer, from, this.#at - from);
    this.#start = this.#at + prefixRoom;
    this.#at = this.#start;
    return message;
  }

  #room(length: number): number {
    const at = this.#at;
    if (at + length > this.#buffer.length) return this.#grow(length);
    this.#at = at + length;
    return at;
  }

  #grow(length: number): number {
    const used = Math.max(0, this.length);
    // Twice what is written keeps the copying linear; what comes is not doubled, since it is often one large payload.
    const next = Buffer.allocUnsafeSlow(prefixRoom + Math.max(slabSize, used * 2 + length + slack));
    if (used > 0) next.set(this.#buffer.subarray(this.#start, this.#at), prefixRoom);
    this.#buffer = next;
    this.#start = prefixRoom;
    this.#at = prefixRoom + used + length;
    return prefixRoom + used;
  }

  #byte(value: number): this {
    const at = this.#room(1);
    this.#buffer[at] = value;
    return this;
  }

  #header(count: number, fixed: number, most: number, code16: number): this {
    return count <= most ? this.#byte(fixed | count) : this.#sized(count, count <= 0xffff ? code16 : code16 + 1);
  }

  /** A format byte and the big-endian number behind it; its width follows from the number. */
  #sized(value: number, code: number): this {
    const narrow = code === 0xdc || code === 0xde;
    const width = value > 0xffff ? 4 : value > 0xff || narrow ? 2 : 1;
    const at = this.#room(1 + width);
    this.#buffer[at] = code;
    this.#buffer.writeUIntBE(value, at + 1, width);
    return this;
  }

  #positive(value: number | bigint): this {
    if (value <= 0xff) return this.#sized(Number(value), 0xcc);
    if (value <= 0xffff) return this.#sized(Number(value), 0xcd);
    if (value <= 0xffffffff) return this.#sized(Number(value), 0xce);
    const at = this.#room(9);
    this.#buffer[at] = 0xcf;
    this.#buffer.writeBigUInt64BE(BigInt(value), at + 1);
    return this;
  }

  #negative(value: number | bigint): this {
    const width = value >= -0x80 ? 1 : value >= -0x8000 ? 2 : value >= -0x80000000 ? 4 : 8;
    const at = this.#room(1 + width);
    this.#buffer[at] = 0xd0 + Math.log2(width);
    if (width === 8) this.#buffer.writeBigInt64BE(BigInt(value), at + 1);
    else this.#buffer.writeIntBE(Number(value), at + 1, width);
    return this;
  }
}
