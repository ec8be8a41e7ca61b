import { MalformedError } from './errors.ts';
import { FrameSplitter } from './framing.ts';
import {
  type CompletionMessage,
  checkError,
  type HubHeaders,
  type HubMessage,
  type HubProtocol,
  hubMessageTypes,
  type InvocationMessage,
  type RawInvocation,
  type StreamInvocationMessage,
} from './hub.ts';
import { readValue, writeValue } from './messagepack.ts';
import { Reader } from './messagepack-reader.ts';
import { Writer } from './messagepack-writer.ts';

/** Kinds of a completion's payload on the wire. */
const completionKinds = { error: 1, none: 2, result: 3 } as const;

/** Hub messages as MessagePack arrays, each behind a length prefix (hub-protocol section 6). */
export const messagePackHubProtocol: HubProtocol = {
  name: 'messagepack',
  binary: true,
  version: 2,
  split: (options) => new FrameSplitter(options),
  parse(record) {
    const reader = new Reader(record);
    const count = reader.readArrayHeader();
    if (count === 0) throw new MalformedError('a hub message must have a type');
    const row = rows[reader.readInt()];
    if (row === undefined) return undefined;
    if (count < row.least) throw new MalformedError(`${row.name} must have at least ${row.least} elements`);
    const message = row.read(reader, count);
    for (let extra = count - row.known; extra > 0; extra--) reader.skip();
    if (reader.left > 0) throw new MalformedError('nothing may follow a hub message in its frame');
    return message;
  },
  write(message) {
    shared.reset();
    writers[message.kind](shared, message as never);
    return shared.frame();
  },
};

/** A call whose arguments are a MessagePack array, kept as it is. The bytes are not checked. */
export function messagePackInvocation({ target, rawArguments, invocationId }: RawInvocation<Uint8Array>): Uint8Array {
  start(shared.reset(), 6, 'invocation', undefined).writeStringOrNil(invocationId).writeString(target);
  return shared.writeRaw(rawArguments).writeArrayHeader(0).frame();
}

const shared = new Writer();

interface Row {
  readonly name: string;
  /** Fewest elements that such a message may have. */
  readonly least: number;
  /** Elements that `read` takes when they are there; those after them are skipped. */
  readonly known: number;
  read(reader: Reader, count: number): HubMessage;
}

const rows: Readonly<Record<number, Row>> = {
  1: {
    name: 'an invocation',
    least: 5,
    known: 6,
    read(reader, count) {
      const headers = readHeaders(reader);
      const invocationId = reader.readStringOrNil() || undefined;
      return { kind: 'invocation', headers, invocationId, ...readCall(reader, count) };
    },
  },
  2: {
    name: 'a stream item',
    least: 4,
    known: 4,
    read: (reader) => ({ kind: 'streamItem', ...readId(reader), item: readValue(reader) }),
  },
  3: { name: 'a completion', least: 4, known: 5, read: readCompletion },
  4: {
    name: 'a stream invocation',
    least: 5,
    known: 6,
    read: (reader, count) => ({ kind: 'streamInvocation', ...readId(reader), ...readCall(reader, count) }),
  },
  5: {
    name: 'a cancel invocation',
    least: 3,
    known: 3,
    read: (reader) => ({ kind: 'cancelInvocation', ...readId(reader) }),
  },
  6: { name: 'a ping', least: 1, known: 1, read: () => ({ kind: 'ping' }) },
  7: {
    name: 'a close',
    least: 2,
    known: 3,
    read(reader, count) {
      const error = reader.readStringOrNil() || undefined;
      return { kind: 'close', error, allowReconnect: count > 2 && !reader.readNil() && reader.readBool() };
    },
  },
  8: { name: 'an ack', least: 2, known: 2, read: (reader) => ({ kind: 'ack', sequenceId: readSequenceId(reader, 0) }) },
  9: {
    name: 'a sequence',
    least: 2,
    known: 2,
    read: (reader) => ({ kind: 'sequence', sequenceId: readSequenceId(reader, 1) }),
  },
};

function readCompletion(reader: Reader, count: number): CompletionMessage {
  const head = { kind: 'completion', ...readId(reader) } as const;
  const kind = reader.readInt();
  const { error, result } = completionKinds;
  if (count < 5 && (kind === error || kind === result)) {
    throw new MalformedError(`a completion of kind ${kind} must have at least 5 elements`);
  }
  if (kind === error) return { ...head, error: reader.readStringOrNil() || undefined };
  if (kind === result) return { ...head, result: readValue(reader) };
  // Unknown kinds count as "no result", as in the official client.
  if (count > 4) reader.skip();
  return head;
}

function readId(reader: Reader): { headers: HubHeaders | undefined; invocationId: string } {
  const headers = readHeaders(reader);
  return { headers, invocationId: readNonEmpty(reader, 'invocationId') };
}

function readCall(reader: Reader, count: number): Pick<InvocationMessage, 'target' | 'arguments' | 'streamIds'> {
  const target = readNonEmpty(reader, 'target');
  const args = reader.readNil() ? [] : readList(reader, readValue);
  const streamIds = count > 5 && !reader.readNil() ? readList(reader, () => reader.readString()) : [];
  return { target, arguments: args, streamIds: streamIds.length > 0 ? streamIds : undefined };
}

function readList<T>(reader: Reader, read: (reader: Reader, depth: number) => T): T[] {
  return Array.from({ length: reader.readArrayHeader() }, () => read(reader, 1));
}

function readNonEmpty(reader: Reader, name: string): string {
  const value = reader.readStringOrNil();
  if (!value) throw new MalformedError(`"${name}" must be a string that is not empty`);
  return value;
}

function readHeaders(reader: Reader): HubHeaders | undefined {
  if (reader.readNil()) return undefined;
  const count = reader.readMapHeader();
  if (count === 0) return undefined;
  return Object.fromEntries(Array.from({ length: count }, () => [reader.readString(), reader.readString()]));
}

function readSequenceId(reader: Reader, least: number): number {
  const value = reader.readInt();
  if (value < least) throw new MalformedError(`"sequenceId" must be an integer of at least ${least}`);
  return value;
}

type Kinds = {
  readonly [K in HubMessage['kind']]: (writer: Writer, message: Extract<HubMessage, { kind: K }>) => void;
};

const writers: Kinds = {
  invocation: writeCall,
  streamItem(writer, { kind, headers, invocationId, item }) {
    writeValue(start(writer, 4, kind, headers).writeString(invocationId), item);
  },
  completion: writeCompletion,
  streamInvocation: writeCall,
  cancelInvocation(writer, { kind, headers, invocationId }) {
    start(writer, 3, kind, headers).writeString(invocationId);
  },
  ping: (writer) => void writer.writeArrayHeader(1).writeInt(6),
  close(writer, { error, allowReconnect }) {
    checkError(error);
    writer.writeArrayHeader(3).writeInt(7).writeStringOrNil(error);
    writer.writeBool(allowReconnect ?? false);
  },
  ack: (writer, { sequenceId }) => void writer.writeArrayHeader(2).writeInt(8).writeInt(sequenceId),
  sequence: (writer, { sequenceId }) => void writer.writeArrayHeader(2).writeInt(9).writeInt(sequenceId),
};

/** Always six elements: the Python client reads the sixth without asking. */
function writeCall(writer: Writer, message: InvocationMessage | StreamInvocationMessage): void {
  const { kind, headers, invocationId, target, arguments: args, streamIds = [] } = message;
  start(writer, 6, kind, headers).writeStringOrNil(invocationId).writeString(target);
  writeValue(writer, args);
  writeValue(writer, streamIds);
}

function writeCompletion(writer: Writer, { kind, headers, invocationId, error, result }: CompletionMessage): void {
  checkError(error);
  const has = error !== undefined ? 'error' : result !== undefined ? 'result' : 'none';
  start(writer, has === 'none' ? 4 : 5, kind, headers)
    .writeString(invocationId)
    .writeInt(completionKinds[has]);
  if (has !== 'none') writeValue(writer, error ?? result);
}

function start(writer: Writer, count: number, kind: HubMessage['kind'], headers: HubHeaders = {}): Writer {
  writer.writeArrayHeader(count).writeInt(hubMessageTypes[kind]);
  writeValue(writer, headers);
  return writer;
}
