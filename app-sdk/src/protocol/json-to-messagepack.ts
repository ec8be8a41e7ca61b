import { JsonReader } from './json-text.ts';
import { Writer } from './messagepack-writer.ts';

/** A number that was not written as an integer; stays a float even when it is whole. */
class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** JSON with its numbers kept apart: numbers and `bigint` are integers here. */
type Node = null | boolean | string | number | bigint | Float | Node[] | Map<string, Node>;

/**
 * A JSON array as MessagePack: integers of up to 64 bits stay exact integers, all other numbers become float64 (`1.0`
 * too), objects become maps with string keys in their order; of members with the same name the last counts.
 * @throws MalformedError when the text is not one JSON array, or nests deeper than 64.
 */
export function jsonToMessagePack(rawArgumentsJson: string): Uint8Array {
  const reader = new JsonReader(rawArgumentsJson);
  const values = readArray(reader);
  reader.end();
  const writer = new Writer(rawArgumentsJson.length + 16);
  write(writer, values);
  return writer.bytes();
}

function read(reader: JsonReader): Node {
  const first = reader.peek();
  if (first === '[') return readArray(reader);
  if (first === '{') return readObject(reader);
  if (first === '"') return reader.readString();
  if (first === 't' || first === 'f' || first === 'n') return reader.readLiteral();
  return numberOf(reader.readNumber());
}

function readArray(reader: JsonReader): Node[] {
  const values: Node[] = [];
  reader.readArray(() => values.push(read(reader)));
  return values;
}

function readObject(reader: JsonReader): Map<string, Node> {
  const members = new Map<string, Node>();
  reader.readObject((name) => members.set(name, read(reader)));
  return members;
}

function numberOf(text: string): Node {
  const value = Number(text);
  if (/[.eE]/.test(text)) return new Float(value);
  if (Number.isSafeInteger(value)) return value;
  // Twenty digits and a sign hold every integer of 64 bits; longer text is not worth making a bigint of.
  const exact = text.length <= 20 ? BigInt(text) : 1n << 64n;
  return exact >= -(1n << 63n) && exact < 1n << 64n ? exact : new Float(value);
}

function write(writer: Writer, node: Node): void {
  if (node === null) writer.writeNil();
  else if (typeof node === 'string') writer.writeString(node);
  else if (typeof node === 'boolean') writer.writeBool(node);
  else if (node instanceof Float) writer.writeFloat64(node.value);
  else if (node instanceof Map) writeMap(writer, node);
  else if (Array.isArray(node)) writeArray(writer, node);
  else writer.writeInt(node);
}

function writeArray(writer: Writer, values: readonly Node[]): void {
  writer.writeArrayHeader(values.length);
  for (const value of values) write(writer, value);
}

function writeMap(writer: Writer, members: ReadonlyMap<string, Node>): void {
  writer.writeMapHeader(members.size);
  for (const [name, value] of members) {
    writer.writeString(name);
    write(writer, value);
  }
}
