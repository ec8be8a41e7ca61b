import { MalformedError, type Reader, type Writer } from '@signalbox/app-sdk/protocol';
import type { Address, Asker, Place } from './address.ts';
import type { Payload } from './command.ts';

/** How one kind of command is read and written. */
export interface CommandRow<C> {
  readonly code: number;
  /** Elements that every version wrote, the code included. */
  readonly fields: number;
  write(writer: Writer, command: C): void;
  read(reader: Reader): C;
}

/** Position is the wire value: only append. */
export const addressKinds = ['all', 'group', 'user', 'connection', 'users', 'connections'] as const;

/** Writes `[kind, name(s)]`. */
export function writeAddress(writer: Writer, to: Address): void {
  writer.writeArrayHeader(to.kind === 'all' ? 1 : 2).writeInt(addressKinds.indexOf(to.kind));
  switch (to.kind) {
    case 'all':
      return;
    case 'group':
      writer.writeString(to.group);
      return;
    case 'user':
      writer.writeString(to.user);
      return;
    case 'connection':
      writer.writeString(to.connection);
      return;
    case 'users':
      writeList(writer, to.users);
      return;
    case 'connections':
      writeList(writer, to.connections);
  }
}

/** Reads what {@link writeAddress} wrote. */
export function readAddress(reader: Reader): Address {
  const fields = reader.readArrayHeader();
  const address = readTarget(reader, addressKinds[reader.readInt()]);
  skipLater(reader, fields - (address.kind === 'all' ? 1 : 2));
  return address;
}

function readTarget(reader: Reader, kind: Address['kind'] | undefined): Address {
  switch (kind) {
    case 'all':
      return { kind };
    case 'group':
      return { kind, group: reader.readString() };
    case 'user':
      return { kind, user: reader.readString() };
    case 'connection':
      return { kind, connection: reader.readString() };
    case 'users':
      return { kind, users: readList(reader) };
    case 'connections':
      return { kind, connections: readList(reader) };
    default:
      throw new MalformedError('address must be of a known kind');
  }
}

/** Passes over fields that a later version appended. */
function skipLater(reader: Reader, count: number): void {
  for (let left = count; left > 0; left--) reader.skip();
}

/** Reads an address that must be one place. */
export function readPlace(reader: Reader): Place {
  const address = readAddress(reader);
  if (address.kind === 'group' || address.kind === 'user' || address.kind === 'connection') return address;
  throw new MalformedError(`place must be a group, user or connection, got ${address.kind}`);
}

/** Writes the hub, and who waits for an answer or nil. */
export function writeAsked(writer: Writer, hub: string, ask: Asker | undefined): void {
  writer.writeString(hub);
  if (ask === undefined) writer.writeNil();
  else writer.writeArrayHeader(2).writeString(ask.node).writeInt(ask.id);
}

/** Reads what {@link writeAsked} wrote. */
export function readAsked(reader: Reader): { hub: string; ask?: Asker } {
  const hub = reader.readString();
  if (reader.readNil()) return { hub };
  const fields = reader.readArrayHeader();
  const ask = { node: reader.readString(), id: reader.readInt() };
  skipLater(reader, fields - 2);
  return { hub, ask };
}

/** Writes a list of strings. */
export function writeList(writer: Writer, items: readonly string[]): void {
  writer.writeArrayHeader(items.length);
  for (const item of items) writer.writeString(item);
}

/** Reads a list of strings. */
export function readList(reader: Reader): string[] {
  return Array.from({ length: reader.readArrayHeader() }, () => reader.readString());
}

/** Ready frames are a map, a message to convert is its bytes alone. */
export function writePayload(writer: Writer, payload: Payload): void {
  if (payload.kind === 'convert') writer.writeBin(payload.json);
  else writeFrames(writer, payload.frames);
}

/** Reads what {@link writePayload} wrote; the bytes are views. */
export function readPayload(reader: Reader): Payload {
  if (reader.type !== 'map') return { kind: 'convert', json: reader.readBin() };
  return { kind: 'ready', frames: readFrames(reader) };
}

/** Writes a map of hub protocol name and bytes. */
export function writeFrames(writer: Writer, frames: ReadonlyMap<string, Uint8Array>): void {
  writer.writeMapHeader(frames.size);
  for (const [protocol, bytes] of frames) writer.writeString(protocol).writeBin(bytes);
}

/** Reads what {@link writeFrames} wrote; the bytes are views. */
export function readFrames(reader: Reader): ReadonlyMap<string, Uint8Array> {
  const frames = new Map<string, Uint8Array>();
  for (let left = reader.readMapHeader(); left > 0; left--) frames.set(reader.readString(), reader.readBin());
  return frames;
}
