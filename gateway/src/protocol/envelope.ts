/**
 * What travels between nodes (docs/protocol.md, "Envelopes"):
 * `[version, node, lane, sequence, previous, sentAt, extensions, commands]` in MessagePack. Fields are only appended;
 * a reader skips elements and extensions it does not know. Commands are carried, never decoded here.
 */
import { Reader, Writer } from '@signalbox/app-sdk/protocol';

/** The newest version this node reads, and the one it writes. */
export const envelopeVersion = 1;

export interface Envelope {
  readonly node: string;
  readonly lane: string;
  /** Counts per node and lane, from 1. */
  readonly sequence: number;
  /** Sequence of the node's last envelope on the same topic; `undefined` when no longer remembered. */
  readonly previous: number | undefined;
  /** The sender's clock in milliseconds; whole or not. */
  readonly sentAt: number;
  /** Extension 1: what one request is followed by across nodes. */
  readonly trace?: string | undefined;
  /** Extension 2: the sender delivers these commands to itself when they come back. */
  readonly echo: boolean;
  /** Each one whole MessagePack value; when read: a view into the envelope's bytes. */
  readonly commands: readonly Uint8Array[];
}

const fields = 8;
const extensions = { trace: 1, echo: 2 } as const;

/** What the fields other than node, lane, trace and commands take at most. */
const headRoom = 64;
const small = new Writer();
const smallBytes = 4096;

/** The bytes of an envelope. Commands are copied once, into place. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const { node, lane, sequence, previous, sentAt, commands } = envelope;
  const payload = commands.reduce((sum, command) => sum + command.length, 0);
  const room = headRoom + 3 * (node.length + lane.length + (envelope.trace?.length ?? 0)) + payload;
  const writer = room <= smallBytes ? small : new Writer(room);
  writer.reset();
  writer.writeArrayHeader(fields).writeInt(envelopeVersion).writeString(node).writeString(lane).writeInt(sequence);
  if (previous === undefined) writer.writeNil();
  else writer.writeInt(previous);
  if (Number.isSafeInteger(sentAt)) writer.writeInt(sentAt);
  else writer.writeFloat64(sentAt);
  writeExtensions(writer, envelope);
  writer.writeArrayHeader(commands.length);
  for (const command of commands) writer.writeRaw(command);
  return writer.bytes();
}

function writeExtensions(writer: Writer, { trace, echo }: Envelope): void {
  writer.writeMapHeader(Number(trace !== undefined) + Number(echo));
  if (trace !== undefined) writer.writeInt(extensions.trace).writeString(trace);
  if (echo) writer.writeInt(extensions.echo).writeBool(true);
}

/** Reads an envelope; `undefined` for another version, and for bytes that are no envelope: drop reason `unknown_version`. */
export function decodeEnvelope(bytes: Uint8Array): Envelope | undefined {
  try {
    return read(new Reader(bytes));
  } catch {
    return undefined; // whoever can publish in Redis can publish anything: not an error of this node
  }
}

function read(reader: Reader): Envelope | undefined {
  if (reader.readArrayHeader() < fields || reader.readInt() !== envelopeVersion) return undefined;
  return {
    node: reader.readString(),
    lane: reader.readString(),
    sequence: reader.readInt(),
    previous: reader.readNil() ? undefined : reader.readInt(),
    sentAt: reader.readNumber(),
    ...readExtensions(reader),
    commands: Array.from({ length: reader.readArrayHeader() }, () => reader.readRaw()),
  };
}

function readExtensions(reader: Reader): Pick<Envelope, 'trace' | 'echo'> {
  let trace: string | undefined;
  let echo = false;
  for (let pairs = reader.readMapHeader(); pairs > 0; pairs--) {
    const key = reader.readInt();
    if (key === extensions.trace) trace = reader.readString();
    else if (key === extensions.echo) echo = reader.readBool();
    else reader.skip();
  }
  return { trace, echo };
}
