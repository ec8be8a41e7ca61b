import { MalformedError, Reader, Writer } from '@signalbox/app-sdk/protocol';
import { clientRequestRows } from './client-request-codec.ts';
import type { Command, Verdict } from './command.ts';
import {
  addressKinds,
  type CommandRow,
  readAddress,
  readAsked,
  readList,
  readPayload,
  readPlace,
  writeAddress,
  writeAsked,
  writeList,
  writePayload,
} from './command-fields.ts';
import { inquiryRows } from './inquiry-codec.ts';
import { operatorRows } from './operator-codec.ts';
import { streamRows } from './stream-codec.ts';

/*
 * A command between nodes is a MessagePack array that begins with its kind. Fields are only appended; a reader ignores
 * what it does not know and skips kinds it does not know. Payload bytes stand last and are copied once, on writing.
 */

type Kind = Command['kind'];
type Row<K extends Kind> = CommandRow<Extract<Command, { kind: K }>>;

const rows: { readonly [K in Kind]: Row<K> } = {
  send: {
    code: 1,
    fields: 6,
    write(writer, { hub, to, exceptConnections, exceptUsers, payload }) {
      writer.writeString(hub);
      writeAddress(writer, to);
      writeList(writer, exceptConnections);
      writeList(writer, exceptUsers);
      writePayload(writer, payload);
    },
    read: (reader) => ({
      kind: 'send',
      hub: reader.readString(),
      to: readAddress(reader),
      exceptConnections: readList(reader),
      exceptUsers: readList(reader),
      payload: readPayload(reader),
    }),
  },
  join: {
    code: 2,
    fields: 5,
    write(writer, { hub, ask, connection, group }) {
      writeAsked(writer, hub, ask);
      writer.writeString(connection).writeString(group);
    },
    read: (reader) => ({
      kind: 'join',
      ...readAsked(reader),
      connection: reader.readString(),
      group: reader.readString(),
    }),
  },
  leave: {
    code: 3,
    fields: 5,
    write(writer, { hub, ask, connection, group }) {
      writeAsked(writer, hub, ask);
      writer.writeString(connection).writeStringOrNil(group);
    },
    read: (reader) => ({
      kind: 'leave',
      ...readAsked(reader),
      connection: reader.readString(),
      group: reader.readStringOrNil(),
    }),
  },
  joinUser: {
    code: 4,
    fields: 5,
    write(writer, { hub, ask, user, group }) {
      writeAsked(writer, hub, ask);
      writer.writeString(user).writeString(group);
    },
    read: (reader) => ({
      kind: 'joinUser',
      ...readAsked(reader),
      user: reader.readString(),
      group: reader.readString(),
    }),
  },
  leaveUser: {
    code: 5,
    fields: 5,
    write(writer, { hub, ask, user, group }) {
      writeAsked(writer, hub, ask);
      writer.writeString(user).writeStringOrNil(group);
    },
    read: (reader) => ({
      kind: 'leaveUser',
      ...readAsked(reader),
      user: reader.readString(),
      group: reader.readStringOrNil(),
    }),
  },
  close: {
    code: 6,
    fields: 6,
    write(writer, { hub, ask, to, exceptConnections, reason }) {
      writeAsked(writer, hub, ask);
      writeAddress(writer, to);
      writeList(writer, exceptConnections);
      writer.writeStringOrNil(reason);
    },
    read: (reader) => ({
      kind: 'close',
      ...readAsked(reader),
      to: readAddress(reader),
      exceptConnections: readList(reader),
      reason: reader.readStringOrNil(),
    }),
  },
  exists: {
    code: 7,
    fields: 4,
    write(writer, { hub, ask, at }) {
      writeAsked(writer, hub, ask);
      writeAddress(writer, at);
    },
    read: (reader) => ({ kind: 'exists', ...readAsked(reader), at: readPlace(reader) }),
  },
  userInGroup: {
    code: 8,
    fields: 5,
    write(writer, { hub, ask, user, group }) {
      writeAsked(writer, hub, ask);
      writer.writeString(user).writeString(group);
    },
    read: (reader) => ({
      kind: 'userInGroup',
      ...readAsked(reader),
      user: reader.readString(),
      group: reader.readString(),
    }),
  },
  answer: {
    code: 9,
    fields: 4,
    write(writer, { id, verdict, detail }) {
      writer.writeInt(id).writeInt(verdicts.indexOf(verdict));
      if (detail === undefined) writer.writeNil();
      else writer.writeBin(detail);
    },
    read: (reader) => ({
      kind: 'answer',
      id: reader.readInt(),
      verdict: verdicts[reader.readInt()] ?? 'failed',
      detail: reader.readNil() ? undefined : reader.readBin(),
    }),
  },
  news: {
    code: 10,
    fields: 3,
    write(writer, { node, data }) {
      writer.writeString(node).writeStringOrNil(data);
    },
    read: (reader) => ({ kind: 'news', node: reader.readString(), data: reader.readStringOrNil() }),
  },
  ...inquiryRows,
  ...streamRows,
  ...clientRequestRows,
  ...operatorRows,
};

/** Position is the wire value: only append. */
const verdicts: readonly Verdict[] = ['yes', 'no', 'limit', 'failed'];

const byCode = new Map<number, Row<Kind>>(Object.values(rows).map((row) => [row.code, row as unknown as Row<Kind>]));
const scratch = new Writer();

/** The bytes of a command. */
export function encodeCommand(command: Command): Uint8Array {
  const row = rows[command.kind] as unknown as Row<Kind>;
  const writer = scratch.reset();
  writer.writeArrayHeader(row.fields).writeInt(row.code);
  row.write(writer, command);
  return writer.bytes();
}

/**
 * Reads a command; undefined for a kind of a later version. Payload bytes are views.
 * @throws {MalformedError} when the bytes are no command.
 */
export function decodeCommand(bytes: Uint8Array): Command | undefined {
  const reader = new Reader(bytes);
  const fields = reader.readArrayHeader();
  const row = byCode.get(reader.readInt());
  if (row === undefined) return undefined;
  if (fields < row.fields)
    throw new MalformedError(`command ${row.code} must have ${row.fields} fields, got ${fields}`);
  return row.read(reader);
}

/** Is it a broadcast or a group send, which a node that is behind may shed? Looks at the first fields only. */
export function isSheddableCommand(bytes: Uint8Array): boolean {
  try {
    const kind = addressKindOfSend(new Reader(bytes));
    return kind === 'all' || kind === 'group';
  } catch {
    return false; // no command: whoever decodes it says so
  }
}

function addressKindOfSend(reader: Reader): (typeof addressKinds)[number] | undefined {
  reader.readArrayHeader();
  if (reader.readInt() !== rows.send.code) return undefined;
  reader.skip();
  reader.readArrayHeader();
  return addressKinds[reader.readInt()];
}
