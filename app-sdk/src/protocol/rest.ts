import { MalformedError } from './errors.ts';
import { decodeUtf8, JsonReader } from './json-text.ts';
import { Reader } from './messagepack-reader.ts';
import { Writer } from './messagepack-writer.ts';

/** What a JSON body of a send says: the client method, and the text of its argument array as the caller wrote it. */
export interface JsonPayload {
  readonly target: string;
  readonly argumentsJson: string;
}

/** One message in the form of each hub protocol: name to complete framed hub message. */
export type PayloadMap = ReadonlyMap<string, Uint8Array>;

/**
 * Reads an `application/json` body of a send (rest-api section 2.5). Property names are compared without case, unknown
 * ones are passed over, of repeated ones the last counts; absent or null `arguments` are none. A byte order mark is
 * accepted. Numbers and order inside the arguments stay as written.
 * @throws MalformedError when the body is not such an object, or nests deeper than 64.
 */
export function parsePayloadJson(body: Uint8Array): JsonPayload {
  const reader = new JsonReader(decodeUtf8(body));
  if (reader.peek() !== '{') throw new MalformedError('the body must be a JSON object');
  let target: string | undefined;
  let argumentsJson = '[]';
  reader.readObject((name) => {
    const known = name.toLowerCase();
    if (known === 'target') target = readTarget(reader);
    else if (known === 'arguments') argumentsJson = readArguments(reader);
    else reader.skip();
  });
  reader.end();
  if (target === undefined) throw new MalformedError('"target" must be present');
  return { target, argumentsJson };
}

function readTarget(reader: JsonReader): string {
  const target = reader.peek() === '"' ? reader.readString() : '';
  if (target === '') throw new MalformedError('"target" must be a string that is not empty');
  return target;
}

function readArguments(reader: JsonReader): string {
  const first = reader.peek();
  if (first === '[') return reader.readRaw();
  if (first !== 'n') throw new MalformedError('"arguments" must be an array');
  reader.readLiteral();
  return '[]';
}

/**
 * Reads an `application/octet-stream` body of a send: a MessagePack map from protocol name to bytes. The bytes are views
 * of the body and are carried as they are.
 * @throws MalformedError when the body is not exactly such a map.
 */
export function parsePayloadMap(body: Uint8Array): Map<string, Uint8Array> {
  const reader = new Reader(body);
  const payloads = readPayloads(reader);
  if (reader.left > 0) throw new MalformedError('nothing may follow the payload map');
  return payloads;
}

/** The body that `parsePayloadMap` reads. */
export function writePayloadMap(payloads: PayloadMap): Uint8Array {
  const writer = new Writer(0);
  writePayloads(writer, payloads);
  return writer.bytes();
}

/** A payload map inside another message. Nil bytes count as empty. */
export function readPayloads(reader: Reader): Map<string, Uint8Array> {
  const payloads = new Map<string, Uint8Array>();
  for (let left = reader.readMapHeader(); left > 0; left--) {
    const protocol = reader.readString();
    payloads.set(protocol, reader.readNil() ? new Uint8Array(0) : reader.readBin());
  }
  return payloads;
}

/** Writes a payload map as a value; takes the room for all of it first, so that each payload is copied once. */
export function writePayloads(writer: Writer, payloads: PayloadMap): void {
  let room = 5;
  for (const [protocol, bytes] of payloads) room += 10 + protocol.length * 3 + bytes.length;
  writer.reserve(room).writeMapHeader(payloads.size);
  for (const [protocol, bytes] of payloads) writer.writeString(protocol).writeBin(bytes);
}
