/**
 * What travels between nodes (docs/protocol.md, "Envelopes"):
 * `[version, node, lane, sequence, previous, sentAt, extensions, commands]` in MessagePack. Fields are only appended;
 * a reader skips elements it does not know. Commands are carried, never decoded here.
 */
import { decodeMulti, encode } from '@msgpack/msgpack';
import { arrayHeader, endOfValue, readArrayHeader } from './messagepack-extent.ts';

/** The newest version this node reads, and the one it writes. */
export const envelopeVersion = 1;

/** Keys of {@link Envelope.extensions}. */
export const extension = { trace: 1, echo: 2 } as const;

export interface Envelope {
  readonly node: string;
  readonly lane: string;
  /** Counts per node and lane, from 1. */
  readonly sequence: number;
  /** Sequence of the node's last envelope on the same topic; `undefined` when no longer remembered. */
  readonly previous: number | undefined;
  /** The sender's clock in milliseconds. */
  readonly sentAt: number;
  /** By key of {@link extension}; unknown ones are ignored. */
  readonly extensions: ReadonlyMap<number, unknown>;
  /** Each one whole MessagePack value; when read: a view into the envelope's bytes. */
  readonly commands: readonly Uint8Array[];
}

const fields = 8;
const knownKinds = ['number', 'string', 'string', 'number', undefined, 'number', 'object'] as const;

/** The bytes of an envelope. Commands are copied once, into place. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const { node, lane, sequence, previous, sentAt, extensions, commands } = envelope;
  const header = [envelopeVersion, node, lane, sequence, previous ?? null, sentAt].map((value) => encode(value));
  const map = [Uint8Array.of(0x80 | extensions.size), ...[...extensions].flat().map((value) => encode(value))];
  return Buffer.concat([arrayHeader(fields), ...header, ...map, arrayHeader(commands.length), ...commands]);
}

/** Reads an envelope; `undefined` for another version, and for bytes that are no envelope: drop reason `unknown_version`. */
export function decodeEnvelope(bytes: Uint8Array): Envelope | undefined {
  try {
    return read(bytes);
  } catch {
    return undefined; // whoever can publish in Redis can publish anything: not an error of this node
  }
}

function read(bytes: Uint8Array): Envelope | undefined {
  const outer = readArrayHeader(bytes, 0);
  if (outer.length < fields) return undefined;
  let end = outer.end;
  for (let field = 1; field < fields; field++) end = endOfValue(bytes, end);
  const values = [...decodeMulti(bytes.subarray(outer.end, end))];
  if (values[0] !== envelopeVersion || !knownKinds.every((kind, i) => kind === undefined || typeof values[i] === kind))
    return undefined;
  const [, node, lane, sequence, previous, sentAt, extensions] = values as [
    number,
    string,
    string,
    number,
    unknown,
    number,
    Record<string, unknown>,
  ];
  return {
    node,
    lane,
    sequence,
    previous: typeof previous === 'number' ? previous : undefined,
    sentAt,
    extensions: new Map(Object.entries(extensions).map(([key, value]) => [Number(key), value])),
    commands: readCommands(bytes, end),
  };
}

function readCommands(bytes: Uint8Array, at: number): Uint8Array[] {
  const { length, end } = readArrayHeader(bytes, at);
  if (length > bytes.length - end) throw new RangeError('array longer than its bytes');
  const commands: Uint8Array[] = [];
  let start = end;
  while (commands.length < length) {
    const next = endOfValue(bytes, start);
    commands.push(bytes.subarray(start, next));
    start = next;
  }
  return commands;
}
