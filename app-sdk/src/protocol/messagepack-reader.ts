import { MalformedError } from './errors.ts';

/** What the next value is, read off its first byte. `none` means the bytes are used up. */
export type MessagePackType =
  | 'nil'
  | 'bool'
  | 'int'
  | 'float'
  | 'str'
  | 'bin'
  | 'array'
  | 'map'
  | 'ext'
  | 'invalid'
  | 'none';

/** Values may nest this deep; one level more is malformed. */
export const maxDepth = 64;

const ends = 'a MessagePack value must be complete';

/** First byte to type, for all 256 bytes. */
const types: readonly MessagePackType[] = Array.from({ length: 256 }, (_, byte) => typeOf(byte));

function typeOf(byte: number): MessagePackType {
  if (byte <= 0x7f || byte >= 0xe0 || (byte >= 0xcc && byte <= 0xd3)) return 'int';
  if (byte <= 0x8f || byte === 0xde || byte === 0xdf) return 'map';
  if (byte <= 0x9f || byte === 0xdc || byte === 0xdd) return 'array';
  if (byte <= 0xbf || (byte >= 0xd9 && byte <= 0xdb)) return 'str';
  if (byte === 0xc0) return 'nil';
  if (byte === 0xc1) return 'invalid';
  if (byte <= 0xc3) return 'bool';
  if (byte <= 0xc6) return 'bin';
  return byte === 0xca || byte === 0xcb ? 'float' : 'ext';
}

/** An extension value: its type number and its data, a view. */
export interface Extension {
  readonly type: number;
  readonly data: Uint8Array;
}

/**
 * A cursor over MessagePack. Each `read…` takes one value, in any format the standard has for its type, and moves on.
 * Whatever does not fit (wrong type, bytes that end early, counts larger than the bytes left) is a `MalformedError`.
 * Byte strings are views of the input; nothing is copied.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  #at: number;

  constructor(bytes: Uint8Array, position = 0) {
    const { buffer, byteOffset, byteLength } = bytes;
    // Views are cut from a plain Uint8Array: a Buffer has a toJSON of its own, which an application would trip over.
    this.#bytes = Buffer.isBuffer(bytes) ? new Uint8Array(buffer, byteOffset, byteLength) : bytes;
    this.#buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(buffer, byteOffset, byteLength);
    this.#at = position;
  }

  /** Offset of the next value. */
  get position(): number {
    return this.#at;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Type of the next value; does not move. */
  get type(): MessagePackType {
    return this.left === 0 ? 'none' : types[this.#bytes[this.#at] as number]!;
  }

  /** Number of elements. Never more than the bytes left, so it is safe to allocate for. */
  readArrayHeader(): number {
    const byte = this.#first('array');
    const count = byte <= 0x9f ? byte & 0x0f : this.#unsigned(byte === 0xdc ? 2 : 4);
    return this.#plausible(count, count);
  }

  /** Number of pairs. Never more than half of the bytes left. */
  readMapHeader(): number {
    const byte = this.#first('map');
    const count = byte <= 0x8f ? byte & 0x0f : this.#unsigned(byte === 0xde ? 2 : 4);
    return this.#plausible(count, count * 2);
  }

  /** An integer of any format; beyond ±(2^53 - 1) it is malformed. */
  readInt(): number {
    const value = this.readInteger();
    if (typeof value === 'number') return value;
    throw new MalformedError('an integer must be between -(2^53 - 1) and 2^53 - 1');
  }

  /** An integer of any format that is not negative; a `bigint` only from 2^53 on. */
  readUint64(): number | bigint {
    const value = this.readInteger();
    if (value < 0) throw new MalformedError('an integer must not be negative');
    return value;
  }

  /** An integer of any format; a `bigint` only beyond ±(2^53 - 1). */
  readInteger(): number | bigint {
    const byte = this.#first('int');
    if (byte <= 0x7f) return byte;
    if (byte >= 0xe0) return byte - 0x100;
    const width = 1 << (byte & 3);
    const signed = byte >= 0xd0;
    if (width === 8) return this.#wide(signed);
    const at = this.#take(width);
    return signed ? this.#buffer.readIntBE(at, width) : this.#buffer.readUIntBE(at, width);
  }

  /** A float of 32 or 64 bits, or an integer. */
  readNumber(): number {
    if (this.type !== 'float') return this.readInt();
    const byte = this.#first('float');
    return byte === 0xca ? this.#buffer.readFloatBE(this.#take(4)) : this.#buffer.readDoubleBE(this.#take(8));
  }

  /** A string. Bytes that are not UTF-8 become U+FFFD. */
  readString(): string {
    const length = this.#stringLength(this.#first('str'));
    const from = this.#take(length);
    return this.#buffer.toString('utf8', from, from + length);
  }

  /** A string, or `undefined` for nil. */
  readStringOrNil(): string | undefined {
    return this.readNil() ? undefined : this.readString();
  }

  /** Bytes: a view of the input, valid as long as the input is. */
  readBin(): Uint8Array {
    const byte = this.#first('bin');
    return this.#view(this.#unsigned(1 << (byte & 3)));
  }

  /** `true` or `false`. */
  readBool(): boolean {
    return this.#first('bool') === 0xc3;
  }

  /** Takes the next value if it is nil, and tells whether it was. */
  readNil(): boolean {
    if (this.#bytes[this.#at] !== 0xc0) return false;
    this.#at++;
    return true;
  }

  /** An extension value of any type; its data is a view. */
  readExtension(): Extension {
    const byte = this.#first('ext');
    const length = byte >= 0xd4 ? 1 << (byte - 0xd4) : this.#unsigned(1 << (byte - 0xc7));
    const type = this.#buffer.readInt8(this.#take(1));
    return { type, data: this.#view(length) };
  }

  /** One value of any type as the bytes it has, for passing on untouched: a view. */
  readRaw(): Uint8Array {
    const from = this.#at;
    this.skip();
    return this.#bytes.subarray(from, this.#at);
  }

  /** Passes over one value of any type. Malformed when it nests deeper than `maxDepth`. */
  skip(depth = 0): void {
    if (depth > maxDepth) throw new MalformedError(`values must nest at most ${maxDepth} deep`);
    const type = this.type;
    if (type === 'array' || type === 'map') this.#skipAll(type, depth);
    else this.#skipScalar(type);
  }

  #skipAll(type: 'array' | 'map', depth: number): void {
    let count = type === 'array' ? this.readArrayHeader() : this.readMapHeader() * 2;
    while (count-- > 0) this.skip(depth + 1);
  }

  #skipScalar(type: MessagePackType): void {
    if (type === 'str') this.#take(this.#stringLength(this.#first('str')));
    else if (type === 'int') this.readInteger();
    else if (type === 'bin') this.readBin();
    else if (type === 'ext') this.readExtension();
    else if (type === 'float') this.readNumber();
    else if (type === 'bool' || type === 'nil') this.#at++;
    else throw new MalformedError(type === 'none' ? ends : 'the byte c1 must not be used');
  }

  #first(wanted: MessagePackType): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new MalformedError(ends);
    const type = types[byte];
    if (type !== wanted) throw new MalformedError(`a MessagePack ${wanted} must stand here, got ${type}`);
    this.#at++;
    return byte;
  }

  #take(length: number): number {
    const from = this.#at;
    if (length > this.#bytes.length - from) throw new MalformedError(ends);
    this.#at = from + length;
    return from;
  }

  #view(length: number): Uint8Array {
    const from = this.#take(length);
    return this.#bytes.subarray(from, this.#at);
  }

  #unsigned(width: number): number {
    return this.#buffer.readUIntBE(this.#take(width), width);
  }

  #stringLength(byte: number): number {
    return byte <= 0xbf ? byte & 0x1f : this.#unsigned(1 << (byte - 0xd9));
  }

  #wide(signed: boolean): number | bigint {
    const at = this.#take(8);
    const value = signed ? this.#buffer.readBigInt64BE(at) : this.#buffer.readBigUInt64BE(at);
    const narrow = Number(value);
    return Number.isSafeInteger(narrow) ? narrow : value;
  }

  #plausible(count: number, values: number): number {
    if (values > this.left) throw new MalformedError(ends);
    return count;
  }
}
