import {
  decodeTimestampToTimeSpec,
  EXT_TIMESTAMP,
  ExtData,
  encodeDateToTimeSpec,
  encodeTimeSpecToTimestamp,
} from '@msgpack/msgpack';
import { MalformedError } from './errors.ts';
import { maxDepth, Reader } from './messagepack-reader.ts';
import { Writer } from './messagepack-writer.ts';

/**
 * An application's value as MessagePack: `undefined` and `null` are nil; whole numbers are integers, all others float64;
 * `bigint` is an integer of up to 64 bits; any view of bytes is bin; a `Date` is a timestamp (ext -1); other objects are
 * maps of their own members.
 * @throws TypeError for what has no form (functions, symbols, an invalid `Date`) and for values nested deeper than 64,
 *   which a cycle is too; RangeError for a `bigint` of more than 64 bits.
 */
export function encodeValue(value: unknown): Uint8Array {
  const writer = new Writer(256);
  writeValue(writer, value);
  return writer.bytes();
}

/**
 * The value that the bytes hold, the reverse of `encodeValue`. Integers beyond ±(2^53 - 1) come as `bigint`, all others as
 * number; bin comes as a view of the input; maps come as objects (their keys must be strings or integers); timestamps
 * come as `Date`, cut to milliseconds; other extensions as `ExtData` of `@msgpack/msgpack`.
 * @throws MalformedError when the bytes are not exactly one value, or nest deeper than 64.
 */
export function decodeValue(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = readValue(reader);
  if (reader.left > 0) throw new MalformedError('nothing may follow a MessagePack value');
  return value;
}

/** `encodeValue` into a message that is being written. */
export function writeValue(writer: Writer, value: unknown, depth = 0): void {
  if (value === undefined || value === null) writer.writeNil();
  else if (typeof value === 'string') writer.writeString(value);
  else if (typeof value === 'number') writeNumber(writer, value);
  else if (typeof value === 'boolean') writer.writeBool(value);
  else if (typeof value === 'bigint') writer.writeInt(value);
  else if (typeof value === 'object') writeObject(writer, value, depth);
  else throw new TypeError(`a ${typeof value} has no MessagePack form`);
}

function writeNumber(writer: Writer, value: number): void {
  if (Number.isSafeInteger(value)) writer.writeInt(value);
  else writer.writeFloat64(value);
}

function writeObject(writer: Writer, value: object, depth: number): void {
  if (depth >= maxDepth) throw new TypeError(`values must nest at most ${maxDepth} deep`);
  if (Array.isArray(value)) writeArray(writer, value, depth + 1);
  else if (value instanceof Date) writeDate(writer, value);
  else if (value instanceof ExtData) writeExtData(writer, value);
  else if (ArrayBuffer.isView(value)) writer.writeBin(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  else writeMembers(writer, value, depth + 1);
}

function writeArray(writer: Writer, values: readonly unknown[], depth: number): void {
  writer.writeArrayHeader(values.length);
  for (const value of values) writeValue(writer, value, depth);
}

function writeMembers(writer: Writer, value: object, depth: number): void {
  const members = Object.entries(value);
  writer.writeMapHeader(members.length);
  for (const [name, member] of members) {
    writer.writeString(name);
    writeValue(writer, member, depth);
  }
}

function writeDate(writer: Writer, date: Date): void {
  if (Number.isNaN(date.getTime())) throw new TypeError('an invalid Date has no MessagePack form');
  writer.writeExtension(EXT_TIMESTAMP, encodeTimeSpecToTimestamp(encodeDateToTimeSpec(date)));
}

function writeExtData(writer: Writer, { type, data }: ExtData): void {
  writer.writeExtension(type, typeof data === 'function' ? data(writer.length) : data);
}

/** `decodeValue` out of a message that is being read: takes one value. */
export function readValue(reader: Reader, depth = 0): unknown {
  if (depth > maxDepth) throw new MalformedError(`values must nest at most ${maxDepth} deep`);
  const { type } = reader;
  if (type === 'str') return reader.readString();
  if (type === 'int') return reader.readInteger();
  if (type === 'array') return Array.from({ length: reader.readArrayHeader() }, () => readValue(reader, depth + 1));
  if (type === 'map') return readMembers(reader, depth + 1);
  if (type === 'float') return reader.readNumber();
  if (type === 'bool') return reader.readBool();
  if (type === 'bin') return reader.readBin();
  if (type === 'ext') return readExtension(reader);
  if (reader.readNil()) return null;
  return reader.skip();
}

function readMembers(reader: Reader, depth: number): Record<string, unknown> {
  const members: [string, unknown][] = [];
  for (let left = reader.readMapHeader(); left > 0; left--) {
    members.push([readKey(reader), readValue(reader, depth)]);
  }
  // Makes own members only, so that a key like `__proto__` is a key like any other.
  return Object.fromEntries(members);
}

function readKey(reader: Reader): string {
  const { type } = reader;
  if (type === 'str') return reader.readString();
  if (type === 'int') return String(reader.readInteger());
  throw new MalformedError(`a map key must be a string or an integer, got ${type}`);
}

function readExtension(reader: Reader): Date | ExtData {
  const { type, data } = reader.readExtension();
  if (type !== EXT_TIMESTAMP) return new ExtData(type, data as Uint8Array<ArrayBuffer>);
  if (data.length !== 4 && data.length !== 8 && data.length !== 12) {
    throw new MalformedError(`a timestamp must have 4, 8 or 12 bytes, got ${data.length}`);
  }
  const { sec, nsec } = decodeTimestampToTimeSpec(data as Uint8Array<ArrayBuffer>);
  const date = new Date(sec * 1e3 + Math.floor(nsec / 1e6));
  if (Number.isNaN(date.getTime())) throw new MalformedError('a timestamp must be one that a Date can hold');
  return date;
}
