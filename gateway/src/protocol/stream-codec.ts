import {
  type Claims,
  type Reader,
  readClaims,
  type ServiceHeaders,
  type Writer,
  writeClaims,
} from '@signalbox/app-sdk/protocol';
import { type CommandRow, readAsked, readList, writeAsked, writeList } from './command-fields.ts';
import type { StreamCause, StreamCommand } from './stream.ts';

type Kind = StreamCommand['kind'];

/** Position is the wire value: only append. */
const causes: readonly StreamCause[] = ['closed_by_app', 'link_lost', 'app_slow', 'drain', 'gap', 'gone', 'migrate'];

/** The rows of stream commands, for the table of all commands. */
export const streamRows: { readonly [K in Kind]: CommandRow<Extract<StreamCommand, { kind: K }>> } = {
  streamOpen: {
    code: 20,
    fields: 13,
    write(writer, command) {
      writeAsked(writer, command.hub, command.ask);
      writer
        .writeString(command.connection)
        .writeInt(command.stream)
        .writeString(command.node)
        .writeString(command.link);
      writePairs(writer, command.claims);
      writeHeaders(writer, command.headers);
      writer.writeString(command.queryString).writeString(command.protocol);
      writer.writeStringOrNil(command.migratedFrom).writeBin(command.request);
    },
    read: (reader) => ({
      kind: 'streamOpen',
      ...readAsked(reader),
      connection: reader.readString(),
      stream: reader.readInt(),
      node: reader.readString(),
      link: reader.readString(),
      claims: readPairs(reader),
      headers: readHeaders(reader),
      queryString: reader.readString(),
      protocol: reader.readString(),
      migratedFrom: reader.readStringOrNil(),
      request: reader.readBin(),
    }),
  },
  streamUp: {
    code: 21,
    fields: 7,
    write: writePiece,
    read: (reader) => ({ kind: 'streamUp', ...readPiece(reader) }),
  },
  streamDown: {
    code: 22,
    fields: 7,
    write: writePiece,
    read: (reader) => ({ kind: 'streamDown', ...readPiece(reader) }),
  },
  streamLeft: {
    code: 23,
    fields: 6,
    write(writer, { hub, connection, stream, error, migratedTo }) {
      writer.writeString(hub).writeString(connection).writeInt(stream).writeString(error).writeStringOrNil(migratedTo);
    },
    read: (reader) => ({
      kind: 'streamLeft',
      hub: reader.readString(),
      connection: reader.readString(),
      stream: reader.readInt(),
      error: reader.readString(),
      migratedTo: reader.readStringOrNil(),
    }),
  },
  streamClaims: {
    code: 26,
    fields: 5,
    write(writer, { hub, connection, stream, claims }) {
      writer.writeString(hub).writeString(connection).writeInt(stream).writeBin(writeClaims(claims));
    },
    read: (reader) => ({
      kind: 'streamClaims',
      hub: reader.readString(),
      connection: reader.readString(),
      stream: reader.readInt(),
      claims: readClaims(reader.readBin()),
    }),
  },
  streamExpect: {
    code: 25,
    fields: 6,
    write(writer, { hub, connection, stream, invocationId, server }) {
      writer.writeString(hub).writeString(connection).writeInt(stream).writeString(invocationId).writeString(server);
    },
    read: (reader) => ({
      kind: 'streamExpect',
      hub: reader.readString(),
      connection: reader.readString(),
      stream: reader.readInt(),
      invocationId: reader.readString(),
      server: reader.readString(),
    }),
  },
  streamEnded: {
    code: 24,
    fields: 7,
    write(writer, { hub, connection, stream, node, cause, error }) {
      writer.writeString(hub).writeString(connection).writeInt(stream).writeString(node);
      writer.writeInt(causes.indexOf(cause)).writeString(error);
    },
    read: (reader) => ({
      kind: 'streamEnded',
      hub: reader.readString(),
      connection: reader.readString(),
      stream: reader.readInt(),
      node: reader.readString(),
      cause: causes[reader.readInt()] ?? 'gone',
      error: reader.readString(),
    }),
  },
};

interface Piece {
  readonly hub: string;
  readonly connection: string;
  readonly stream: number;
  readonly node: string;
  readonly number: number;
  readonly bytes: Uint8Array;
}

function writePiece(writer: Writer, { hub, connection, stream, node, number, bytes }: Piece): void {
  writer.writeString(hub).writeString(connection).writeInt(stream).writeString(node).writeInt(number).writeBin(bytes);
}

function readPiece(reader: Reader): Piece {
  return {
    hub: reader.readString(),
    connection: reader.readString(),
    stream: reader.readInt(),
    node: reader.readString(),
    number: reader.readInt(),
    bytes: reader.readBin(),
  };
}

/** A flat list of names and values and not a map: a claim may stand several times. */
function writePairs(writer: Writer, pairs: Claims): void {
  writer.writeArrayHeader(2 * pairs.length);
  for (const [name, value] of pairs) writer.writeString(name).writeString(value);
}

function readPairs(reader: Reader): Claims {
  return Array.from({ length: readPairCount(reader) }, () => [reader.readString(), reader.readString()] as const);
}

function writeHeaders(writer: Writer, headers: ServiceHeaders): void {
  writer.writeArrayHeader(2 * headers.length);
  for (const [name, values] of headers) {
    writer.writeString(name);
    writeList(writer, values);
  }
}

function readHeaders(reader: Reader): ServiceHeaders {
  return Array.from({ length: readPairCount(reader) }, () => [reader.readString(), readList(reader)] as const);
}

function readPairCount(reader: Reader): number {
  return Math.floor(reader.readArrayHeader() / 2);
}
