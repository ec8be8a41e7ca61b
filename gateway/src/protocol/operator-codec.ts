import { MalformedError, type Reader } from '@signalbox/app-sdk/protocol';
import type { Asker } from './address.ts';
import {
  type CommandRow,
  readAddress,
  readAsked,
  readList,
  writeAddress,
  writeAsked,
  writeList,
} from './command-fields.ts';
import type { OperatorCommand, Sight } from './operator.ts';

type Kind = OperatorCommand['kind'];

/** The rows of what operators say, for the table of all commands. */
export const operatorRows: { readonly [K in Kind]: CommandRow<Extract<OperatorCommand, { kind: K }>> } = {
  survey: {
    code: 50,
    fields: 3,
    write: (writer, { ask }) => writeAsked(writer, '', ask),
    read: (reader) => ({ kind: 'survey', ask: readAsker(reader).ask }),
  },
  lookup: {
    code: 51,
    fields: 5,
    write(writer, { hub, ask, of, max }) {
      writeAsked(writer, hub, ask);
      writeAddress(writer, of);
      writer.writeInt(max);
    },
    read: (reader) => ({ kind: 'lookup', ...readAsker(reader), of: readSight(reader), max: reader.readInt() }),
  },
  follow: {
    code: 52,
    fields: 6,
    write(writer, { hub, ask, of, payloads, leaseMs }) {
      writeAsked(writer, hub, ask);
      writeAddress(writer, of);
      writer.writeInt(payloads ? 1 : 0).writeInt(leaseMs);
    },
    read: (reader) => ({
      kind: 'follow',
      ...readAsker(reader),
      of: readSight(reader),
      payloads: reader.readInt() === 1,
      leaseMs: reader.readInt(),
    }),
  },
  unfollow: {
    code: 53,
    fields: 3,
    write: (writer, { ask }) => writeAsked(writer, '', ask),
    read: (reader) => ({ kind: 'unfollow', ask: readAsker(reader).ask }),
  },
  followed: {
    code: 54,
    fields: 4,
    write(writer, { id, lost, happenings }) {
      writer.writeInt(id).writeInt(lost);
      writeList(writer, happenings);
    },
    read: (reader) => ({
      kind: 'followed',
      id: reader.readInt(),
      lost: reader.readInt(),
      happenings: readList(reader),
    }),
  },
};

function readAsker(reader: Reader): { hub: string; ask: Asker } {
  const { hub, ask } = readAsked(reader);
  if (ask === undefined) throw new MalformedError('an operator must say where answers go');
  return { hub, ask };
}

function readSight(reader: Reader): Sight {
  const address = readAddress(reader);
  if (address.kind !== 'users' && address.kind !== 'connections') return address;
  throw new MalformedError(`a sight must be all, a group, a user or a connection, got ${address.kind}`);
}
