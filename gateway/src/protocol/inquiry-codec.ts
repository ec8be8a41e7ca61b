import { MalformedError, Reader, readClaims, Writer, writeClaims } from '@signalbox/app-sdk/protocol';
import type { Asker } from './address.ts';
import {
  type CommandRow,
  readAddress,
  readAsked,
  readFrames,
  writeAddress,
  writeAsked,
  writeFrames,
} from './command-fields.ts';
import type { Answered, Completed, Crowd, Inquiry, InvokeOutcome } from './inquiry.ts';

type Row = Inquiry | Answered | Completed;
type Kind = Row['kind'];

/** The rows of inquiries and their ends, for the table of all commands. */
export const inquiryRows: { readonly [K in Kind]: CommandRow<Extract<Row, { kind: K }>> } = {
  list: {
    code: 30,
    fields: 6,
    write(writer, { hub, ask, of, after, max }) {
      writeAsked(writer, hub, ask);
      writeAddress(writer, of);
      writer.writeString(after).writeInt(max);
    },
    read: (reader) => ({
      kind: 'list',
      ...readAsker(reader),
      of: readCrowd(reader),
      after: reader.readString(),
      max: reader.readInt(),
    }),
  },
  count: {
    code: 31,
    fields: 4,
    write(writer, { hub, ask, of }) {
      writeAsked(writer, hub, ask);
      writeAddress(writer, of);
    },
    read: (reader) => ({ kind: 'count', ...readAsker(reader), of: readCrowd(reader) }),
  },
  invoke: {
    code: 32,
    fields: 7,
    write(writer, { hub, ask, connection, invocationId, server, frames }) {
      writeAsked(writer, hub, ask);
      writer.writeString(connection).writeString(invocationId).writeString(server);
      writeFrames(writer, frames);
    },
    read: (reader) => ({
      kind: 'invoke',
      ...readAsker(reader),
      connection: reader.readString(),
      invocationId: reader.readString(),
      server: reader.readString(),
      frames: readFrames(reader),
    }),
  },
  login: {
    code: 35,
    fields: 7,
    write(writer, { hub, ask, connection, claims, expires, server }) {
      writeAsked(writer, hub, ask);
      writer.writeString(connection).writeString(server);
      if (expires === undefined) writer.writeNil();
      else writer.writeInt(expires);
      writer.writeBin(writeClaims(claims));
    },
    read: (reader) => ({
      kind: 'login',
      ...readAsker(reader),
      connection: reader.readString(),
      server: reader.readString(),
      expires: reader.readNil() ? undefined : reader.readInt(),
      claims: readClaims(reader.readBin()),
    }),
  },
  completed: {
    code: 33,
    fields: 5,
    write: (writer, { id, outcome }) => writeOutcome(writer.writeInt(id), outcome),
    read: (reader) => ({ kind: 'completed', id: reader.readInt(), outcome: readOutcome(reader) }),
  },
  answered: {
    code: 34,
    fields: 7,
    write(writer, { hub, connection, invocationId, outcome }) {
      writeOutcome(writer.writeString(hub).writeString(connection).writeString(invocationId), outcome);
    },
    read: (reader) => ({
      kind: 'answered',
      hub: reader.readString(),
      connection: reader.readString(),
      invocationId: reader.readString(),
      outcome: readOutcome(reader),
    }),
  },
};

const nothing = new Uint8Array();

/** Position is the wire value: only append. */
const outcomes: readonly InvokeOutcome['kind'][] = ['result', 'error', 'forgotten'];

function writeOutcome(writer: Writer, outcome: InvokeOutcome): void {
  writer.writeInt(outcomes.indexOf(outcome.kind));
  writer.writeString(outcome.kind === 'result' ? outcome.protocol : outcome.kind === 'error' ? outcome.error : '');
  writer.writeBin(outcome.kind === 'result' ? outcome.frame : nothing);
}

function readOutcome(reader: Reader): InvokeOutcome {
  const kind = outcomes[reader.readInt()];
  const text = reader.readString();
  const frame = reader.readBin();
  if (kind === 'result') return { kind, protocol: text, frame };
  return kind === 'forgotten' ? { kind } : { kind: 'error', error: text };
}

function readAsker(reader: Reader): { hub: string; ask: Asker } {
  const { hub, ask } = readAsked(reader);
  if (ask === undefined) throw new MalformedError('an inquiry must say who asks');
  return { hub, ask };
}

function readCrowd(reader: Reader): Crowd {
  const address = readAddress(reader);
  if (address.kind === 'all' || address.kind === 'group' || address.kind === 'user') return address;
  throw new MalformedError(`a crowd must be all, a group or a user, got ${address.kind}`);
}

/** One connection, as it is listed. */
export interface Listed {
  readonly connectionId: string;
  readonly userId: string | undefined;
}

/** The detail of an answer to `list`: a flat array of ids and users. */
export function encodeListed(listed: readonly Listed[]): Uint8Array {
  const writer = new Writer();
  writer.writeArrayHeader(2 * listed.length);
  for (const { connectionId, userId } of listed) writer.writeString(connectionId).writeStringOrNil(userId);
  return writer.bytes();
}

/** Reads what {@link encodeListed} wrote. */
export function decodeListed(bytes: Uint8Array): Listed[] {
  const reader = new Reader(bytes);
  return Array.from({ length: Math.floor(reader.readArrayHeader() / 2) }, () => ({
    connectionId: reader.readString(),
    userId: reader.readStringOrNil(),
  }));
}
