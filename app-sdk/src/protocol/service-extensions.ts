import type { Reader } from './messagepack-reader.ts';
import type { Writer } from './messagepack-writer.ts';
import type { Field } from './service-fields.ts';

/** All that extension maps can say (service-protocol section 6). Each message allows some of them. */
export interface Extensions {
  /** Follows a message through the logs of all who pass it on. */
  readonly tracingId?: number | bigint | undefined;
  /** Seconds that a user stays in a group. 0 is not the same as absent. */
  readonly ttl?: number | undefined;
  /** Name of a hub protocol. */
  readonly protocol?: string | undefined;
  /** Which subscribers a send is for, in a language like OData's. */
  readonly filter?: string | undefined;
  /** What the bytes of a client are: one of `dataTypes`. */
  readonly dataType?: number | undefined;
  /** A fragment: the rest of the message follows. */
  readonly isPartial?: boolean | undefined;
}

interface Entry<T> {
  readonly key: number;
  read(reader: Reader): T;
  write(writer: Writer, value: NonNullable<T>): unknown;
  /** Whether a value says nothing and is left out. */
  isSilent?(value: T): boolean;
}

type Entries = { readonly [N in keyof Extensions]-?: Entry<Extensions[N]> };

/** In ascending order of keys, as they are written. */
const entries: Entries = {
  tracingId: { key: 1, read: (reader) => reader.readUint64(), write: (writer, value) => writer.writeInt(value) },
  ttl: { key: 2, read: (reader) => reader.readInt(), write: (writer, value) => writer.writeInt(value) },
  protocol: {
    key: 3,
    read: (reader) => reader.readStringOrNil(),
    write: (writer, value) => writer.writeString(value),
  },
  filter: { key: 4, read: (reader) => reader.readStringOrNil(), write: (writer, value) => writer.writeString(value) },
  dataType: {
    key: 5,
    read: (reader) => reader.readInt(),
    write: (writer, value) => writer.writeInt(value),
    isSilent: (value) => value === 0,
  },
  isPartial: {
    key: 6,
    read: (reader) => reader.readBool(),
    write: (writer, value) => writer.writeBool(value),
    isSilent: (value) => value === false,
  },
};

const none: Extensions = Object.freeze({});

/**
 * The extension map of a message that allows the named entries. Reading passes over every other key with its value.
 * Writing writes the allowed ones and nothing else: the reader of .NET loses its place at a key it does not expect.
 */
export function extensions<N extends keyof Extensions = never>(
  ...allowed: N[]
): Field<Pick<Extensions, N> | undefined> {
  const names = (Object.keys(entries) as (keyof Extensions)[]).filter((name) => allowed.includes(name as N));
  const byKey = new Map(names.map((name) => [entries[name].key, name]));
  return {
    read: (reader) => readExtensions(reader, byKey) as Pick<Extensions, N>,
    write: (writer, value = none) => writeExtensions(writer, names, value),
    missing: none,
  };
}

function readExtensions(reader: Reader, byKey: ReadonlyMap<number | bigint, keyof Extensions>): Extensions {
  let left = reader.readNil() ? 0 : reader.readMapHeader();
  if (left === 0) return none;
  const found: Partial<Record<keyof Extensions, unknown>> = {};
  for (; left > 0; left--) {
    const name = readName(reader, byKey);
    if (name === undefined) reader.skip();
    else found[name] = entries[name].read(reader);
  }
  return found as Extensions;
}

function readName(reader: Reader, byKey: ReadonlyMap<number | bigint, keyof Extensions>): keyof Extensions | undefined {
  if (reader.type === 'int') return byKey.get(reader.readInteger());
  reader.skip();
  return undefined;
}

function writeExtensions(writer: Writer, names: readonly (keyof Extensions)[], value: Extensions): void {
  const said = value === none ? [] : names.filter((name) => says(name, value));
  writer.writeMapHeader(said.length);
  for (const name of said) {
    const { key, write } = entries[name] as Entry<unknown>;
    write(writer.writeInt(key), value[name] as NonNullable<unknown>);
  }
}

function says(name: keyof Extensions, value: Extensions): boolean {
  const { isSilent } = entries[name] as Entry<unknown>;
  return value[name] !== undefined && !isSilent?.(value[name]);
}
