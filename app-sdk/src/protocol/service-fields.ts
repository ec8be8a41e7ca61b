import { MalformedError } from './errors.ts';
import type { Reader } from './messagepack-reader.ts';
import type { Writer } from './messagepack-writer.ts';
import { type PayloadMap, readPayloads, writePayloads } from './rest.ts';

/** How one field of a service message is read and written. A type that holds `undefined` makes an optional member. */
export interface Field<T> {
  /** @param left elements of the message that are not read yet, this one included. */
  read(reader: Reader, left: number): T;
  write(writer: Writer, value: T): void;
  /** What an older message that ends before this field means. */
  readonly missing: T;
  /** Array elements that the value takes; one when absent. */
  elements?(value: T): number;
}

/** Claims in the order of the token; a name may stand several times, once for each value. */
export type Claims = readonly (readonly [name: string, value: string])[];

/** Headers in their order, each name once with all its values. Names are compared without case. */
export type ServiceHeaders = readonly (readonly [name: string, values: readonly string[]])[];

/** Text; nil reads as empty. */
export const text: Field<string> = {
  read: (reader) => reader.readStringOrNil() ?? '',
  write: (writer, value) => void writer.writeString(value),
  missing: '',
};

/** Text for which nil has a meaning of its own. */
export const textOrNil: Field<string | undefined> = {
  read: (reader) => reader.readStringOrNil(),
  write: (writer, value) => void writer.writeStringOrNil(value),
  missing: undefined,
};

export const int: Field<number> = {
  read: (reader) => reader.readInt(),
  write: (writer, value) => void writer.writeInt(value),
  missing: 0,
};

export const intOrNil: Field<number | undefined> = {
  read: (reader) => (reader.readNil() ? undefined : reader.readInt()),
  write: (writer, value) => void (value === undefined ? writer.writeNil() : writer.writeInt(value)),
  missing: undefined,
};

/** An integer that may be left out at the end of a message. */
export const intOrEnd: Field<number | undefined> = { ...intOrNil, elements: (value) => (value === undefined ? 0 : 1) };

/** An integer that is always written with four bytes (section 6). */
export const int32: Field<number> = { ...int, write: (writer, value) => void writer.writeInt32(value) };

export const bool: Field<boolean> = {
  read: (reader) => !reader.readNil() && reader.readBool(),
  write: (writer, value) => void writer.writeBool(value),
  missing: false,
};

/** Bytes, as a view of the message; nil reads as empty. */
export const bin: Field<Uint8Array> = {
  read: (reader) => (reader.readNil() ? new Uint8Array(0) : reader.readBin()),
  write: (writer, value) => void writer.writeBin(value),
  missing: new Uint8Array(0),
};

export const binOrNil: Field<Uint8Array | undefined> = {
  read: (reader) => (reader.readNil() ? undefined : reader.readBin()),
  write: (writer, value) => void (value === undefined ? writer.writeNil() : writer.writeBin(value)),
  missing: undefined,
};

/** A list of strings; nil reads as empty. */
export const list: Field<readonly string[]> = {
  read: readList,
  write(writer, values) {
    writer.writeArrayHeader(values.length);
    for (const value of values) writer.writeString(value);
  },
  missing: [],
};

export const claims: Field<Claims> = {
  read: (reader) => readPairs(reader, text.read),
  write(writer, pairs) {
    writer.writeMapHeader(pairs.length);
    for (const [name, value] of pairs) writer.writeString(name).writeString(value);
  },
  missing: [],
};

export const headers: Field<ServiceHeaders> = {
  read: (reader) => readPairs(reader, readList),
  write(writer, pairs) {
    writer.writeMapHeader(pairs.length);
    for (const [name, values] of pairs) list.write(writer.writeString(name), values);
  },
  missing: [],
};

export const payloads: Field<PayloadMap> = {
  read: (reader) => (reader.readNil() ? new Map() : readPayloads(reader)),
  write: writePayloads,
  missing: new Map(),
};

/** The flat keys and values that end a ping. What is no pair of strings is passed over. */
export const pairs: Field<Claims> = {
  read(reader, left) {
    const found: [string, string][] = [];
    for (let pair = Math.floor(left / 2); pair > 0; pair--) {
      const name = readText(reader);
      const value = readText(reader);
      if (name !== undefined && value !== undefined) found.push([name, value]);
    }
    return found;
  },
  write(writer, values) {
    for (const [name, value] of values) writer.writeString(name).writeString(value);
  },
  missing: [],
  elements: (values) => values.length * 2,
};

const ticksOf1970 = 621_355_968_000_000_000n;
const ticksPerMs = 10_000n;
const lastTicks = 3_155_378_975_999_999_999n;
const lastMs = 253_402_300_799_999;

/**
 * An end of authentication: `undefined` keeps the one there is, which the wire says with the last moment of the year
 * 9999. Read from .NET ticks and from a MessagePack timestamp, written as ticks.
 */
export const deadline: Field<Date | undefined> = {
  read(reader) {
    const ms = reader.type === 'ext' ? readTimestamp(reader) : readTicks(reader);
    if (ms < 0) throw new MalformedError('a moment must not be before 1970');
    return ms >= lastMs ? undefined : new Date(ms);
  },
  write(writer, value) {
    writer.writeInt(value === undefined ? lastTicks : BigInt(value.getTime()) * ticksPerMs + ticksOf1970);
  },
  missing: undefined,
};

function readTicks(reader: Reader): number {
  return Number((BigInt(reader.readUint64()) - ticksOf1970) / ticksPerMs);
}

function readTimestamp(reader: Reader): number {
  const { type, data } = reader.readExtension();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (type !== -1 || ![4, 8, 12].includes(data.length))
    throw new MalformedError('a moment must be ticks or a timestamp');
  if (data.length === 4) return view.getUint32(0) * 1_000;
  if (data.length === 12) return Number(view.getBigInt64(4)) * 1_000 + Math.floor(view.getUint32(0) / 1e6);
  const packed = view.getBigUint64(0);
  return Number(packed & 0x3ffffffffn) * 1_000 + Math.floor(Number(packed >> 34n) / 1e6);
}

function readText(reader: Reader): string | undefined {
  const { type } = reader;
  if (type === 'str' || type === 'nil') return text.read(reader, 1);
  reader.skip();
  return undefined;
}

function readList(reader: Reader): string[] {
  if (reader.readNil()) return [];
  return Array.from({ length: reader.readArrayHeader() }, () => text.read(reader, 1));
}

function readPairs<T>(reader: Reader, read: (reader: Reader, left: number) => T): [string, T][] {
  if (reader.readNil()) return [];
  return Array.from({ length: reader.readMapHeader() }, () => [text.read(reader, 1), read(reader, 1)]);
}
