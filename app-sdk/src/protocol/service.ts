import { MalformedError } from './errors.ts';
import { Reader } from './messagepack-reader.ts';
import { Writer } from './messagepack-writer.ts';
import type { Field } from './service-fields.ts';
import { serviceLayouts } from './service-messages.ts';

type Layouts = typeof serviceLayouts;
type Value<F> = F extends Field<infer T> ? T : never;

/** Members of a message: those that may be undefined may also be left out. */
type Members<F> = {
  readonly [N in keyof F as undefined extends Value<F[N]> ? never : N]: Value<F[N]>;
} & { readonly [N in keyof F as undefined extends Value<F[N]> ? N : never]?: Value<F[N]> };

/** Names of the service protocol's messages, as on the wire: `OpenConnection`, `JoinGroup`. */
export type ServiceMessageKind = keyof Layouts;

/** The message of one name. Its members and their order are in `serviceLayouts`. */
export type ServiceMessageOf<K extends ServiceMessageKind> = K extends ServiceMessageKind
  ? { readonly kind: K } & Members<Layouts[K]['fields']>
  : never;

/** All that app servers and the service say to each other (service-protocol section 9). */
export type ServiceMessage = ServiceMessageOf<ServiceMessageKind>;

interface Step {
  readonly name: string;
  readonly field: Field<unknown>;
}

interface Row {
  readonly kind: ServiceMessageKind;
  readonly number: number;
  readonly least: number;
  readonly steps: readonly Step[];
  /** Fields that may take any number of elements, so that they must be counted. */
  readonly counted: readonly Step[];
}

const rows: readonly Row[] = Object.entries(serviceLayouts).map(([kind, { number, least, fields }]) => {
  const steps = Object.entries(fields).map(([name, field]) => ({ name, field: field as Field<unknown> }));
  const counted = steps.filter(({ field }) => field.elements);
  return { kind: kind as ServiceMessageKind, number, least, steps, counted };
});
const byNumber = new Map(rows.map((row) => [row.number, row]));
const byKind = new Map(rows.map((row) => [row.kind, row]));

/**
 * Reads the body of one message, without its length prefix. Byte strings are views of the body. Fields that an older
 * sender does not know have their defaults, elements after the known ones are ignored.
 * @returns `undefined` for a message number that is not known: skip it.
 * @throws MalformedError when a field has the wrong type or a needed one is absent.
 */
export function readServiceMessage(body: Uint8Array): ServiceMessage | undefined {
  const reader = new Reader(body);
  const count = reader.readArrayHeader();
  if (count === 0) throw new MalformedError('a service message must have a number');
  const row = byNumber.get(reader.readInt());
  if (row === undefined) return undefined;
  if (count < row.least) throw new MalformedError(`${row.kind} must have at least ${row.least} elements, got ${count}`);
  const message: Record<string, unknown> = { kind: row.kind };
  let left = count - 1;
  for (const { name, field } of row.steps) {
    message[name] = left > 0 ? field.read(reader, left) : field.missing;
    left--;
  }
  return message as unknown as ServiceMessage;
}

/** One message in its newest form with its length prefix in front, ready to be sent. Payloads are copied once. */
export function writeServiceMessage(message: ServiceMessage): Uint8Array {
  write(message);
  return shared.frame();
}

/** The body of `writeServiceMessage`, without the length prefix. */
export function writeServiceMessageBody(message: ServiceMessage): Uint8Array {
  write(message);
  return shared.bytes();
}

const shared = new Writer();

function write(message: ServiceMessage): void {
  const row = byKind.get(message.kind);
  if (row === undefined) throw new TypeError(`"kind" must name a service message, got ${message.kind}`);
  const members = message as unknown as Readonly<Record<string, unknown>>;
  let count = 1 + row.steps.length;
  for (const { name, field } of row.counted) count += (field.elements?.(members[name]) ?? 1) - 1;
  shared.reset().writeArrayHeader(count).writeInt(row.number);
  for (const { name, field } of row.steps) {
    if (field.elements?.(members[name]) !== 0) field.write(shared, members[name]);
  }
}
