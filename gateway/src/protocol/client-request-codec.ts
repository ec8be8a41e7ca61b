import { MalformedError, type Reader, type Writer } from '@signalbox/app-sdk/protocol';
import type { Asker } from './address.ts';
import type { ClientOutcome, ClientRequestCommand, ClientRequestKind } from './client-request.ts';
import { type CommandRow, readAsked, writeAsked } from './command-fields.ts';

type Kind = ClientRequestCommand['kind'];

/** Position is the wire value: only append. */
const whats: readonly ClientRequestKind[] = ['poll', 'post', 'delete', 'events'];

/** Position is the wire value: only append. */
const outcomes: readonly ClientOutcome[] = [
  'done',
  'ended',
  'gone',
  'conflict',
  'other_transport',
  'is_socket',
  'not_polling',
  'too_large',
  'lost',
];

/** The rows of requests of clients elsewhere, for the table of all commands. */
export const clientRequestRows: {
  readonly [K in Kind]: CommandRow<Extract<ClientRequestCommand, { kind: K }>>;
} = {
  locate: {
    code: 40,
    fields: 4,
    write(writer, { hub, ask, connection }) {
      writeAsked(writer, hub, ask);
      writer.writeString(connection);
    },
    read: (reader) => ({ kind: 'locate', ...readAsker(reader), connection: reader.readString() }),
  },
  clientRequest: {
    code: 41,
    fields: 8,
    write(writer, { hub, ask, connection, what, number, last, bytes }) {
      writeAsked(writer, hub, ask);
      writer.writeString(connection).writeInt(whats.indexOf(what));
      writePiece(writer, number, last, bytes);
    },
    read: (reader) => ({
      kind: 'clientRequest',
      ...readAsker(reader),
      connection: reader.readString(),
      what: known(whats[reader.readInt()]),
      ...readPiece(reader),
    }),
  },
  clientAnswer: {
    code: 42,
    fields: 6,
    write(writer, { id, outcome, number, last, bytes }) {
      writePiece(writer.writeInt(id).writeInt(outcomes.indexOf(outcome)), number, last, bytes);
    },
    read: (reader) => ({
      kind: 'clientAnswer',
      id: reader.readInt(),
      outcome: outcomes[reader.readInt()] ?? 'lost',
      ...readPiece(reader),
    }),
  },
  clientTaken: {
    code: 43,
    fields: 5,
    write(writer, { connection, ask, taken }) {
      writer.writeString(connection).writeString(ask.node).writeInt(ask.id).writeBool(taken);
    },
    read: (reader) => ({
      kind: 'clientTaken',
      connection: reader.readString(),
      ask: { node: reader.readString(), id: reader.readInt() },
      taken: reader.readBool(),
    }),
  },
};

function known(what: ClientRequestKind | undefined): ClientRequestKind {
  if (what === undefined) throw new MalformedError('a request of a client must be of a known kind');
  return what;
}

function readAsker(reader: Reader): { hub: string; ask: Asker } {
  const { hub, ask } = readAsked(reader);
  if (ask === undefined) throw new MalformedError('a request of a client must say who asks');
  return { hub, ask };
}

function writePiece(writer: Writer, number: number, last: boolean, bytes: Uint8Array): void {
  writer.writeInt(number).writeBool(last).writeBin(bytes);
}

function readPiece(reader: Reader): { number: number; last: boolean; bytes: Uint8Array } {
  return { number: reader.readInt(), last: reader.readBool(), bytes: reader.readBin() };
}
