import { MalformedError } from './errors.ts';
import { RecordSplitter } from './framing.ts';
import {
  type CompletionMessage,
  checkError,
  type HubHeaders,
  type HubMessage,
  type HubProtocol,
  type InvocationMessage,
  type RawInvocation,
  type StreamInvocationMessage,
} from './hub.ts';
import { checkJsonDepth } from './json-text.ts';
import { maxDepth } from './messagepack-reader.ts';

/**
 * Hub messages as JSON text, each ended by 0x1e (hub-protocol section 5).
 * Numbers are JavaScript's: an integer beyond 2^53 in the arguments loses its last digits in `parse`; `jsonInvocation`
 * carries the text instead. Bytes are written as base64, as .NET does; a `bigint` has no form.
 */
export const jsonHubProtocol: HubProtocol = {
  name: 'json',
  binary: false,
  version: 2,
  split: (options) => new RecordSplitter(options),
  parse(record) {
    const members = parseObject(record);
    if (typeof members['type'] !== 'number') throw new MalformedError('"type" must be a number');
    return readers[members['type']]?.(members);
  },
  write: (message) => framed(writers[message.kind](message as never)),
};

/** A call whose arguments are the text of a JSON array, kept as it is. The text is not checked. */
export function jsonInvocation({ target, rawArguments, invocationId }: RawInvocation<string>): Uint8Array {
  const id = invocationId === undefined ? '' : `"invocationId":${JSON.stringify(invocationId)},`;
  return framed(`{"type":1,${id}"target":${JSON.stringify(target)},"arguments":${rawArguments}}`);
}

type Members = Readonly<Record<string, unknown>>;

const readers: Readonly<Record<number, (members: Members) => HubMessage>> = {
  1: (members) => ({ kind: 'invocation', invocationId: optionalId(members), ...call(members) }),
  2: (members) => {
    if (members['item'] === undefined) throw new MalformedError('"item" must be present');
    return { kind: 'streamItem', headers: headersOf(members), invocationId: id(members), item: members['item'] };
  },
  3: completion,
  4: (members) => ({ kind: 'streamInvocation', invocationId: id(members), ...call(members) }),
  5: (members) => ({ kind: 'cancelInvocation', headers: headersOf(members), invocationId: id(members) }),
  6: () => ({ kind: 'ping' }),
  7: (members) => ({ kind: 'close', error: errorOf(members), allowReconnect: allowReconnect(members) }),
  8: (members) => ({ kind: 'ack', sequenceId: sequenceId(members, 0) }),
  9: (members) => ({ kind: 'sequence', sequenceId: sequenceId(members, 1) }),
};

function parseObject(record: Uint8Array): Members {
  const text = Buffer.from(record.buffer, record.byteOffset, record.byteLength).toString('utf8');
  // Shorter text cannot open and close that many brackets.
  if (text.length > 2 * maxDepth) checkJsonDepth(text);
  const value = parseJson(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw new MalformedError('a hub message must be a JSON object');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedError('a hub message must be valid JSON');
  }
}

function completion(members: Members): CompletionMessage {
  const { result } = members;
  const error = errorOf(members);
  if (error && result) throw new MalformedError('a completion must not have both "error" and "result"');
  const head = { kind: 'completion', headers: headersOf(members), invocationId: id(members) } as const;
  return error ? { ...head, error } : { ...head, result };
}

function call(members: Members): Pick<InvocationMessage, 'headers' | 'target' | 'arguments' | 'streamIds'> {
  const { arguments: args = [] } = members;
  if (!Array.isArray(args)) throw new MalformedError('"arguments" must be an array');
  return {
    headers: headersOf(members),
    target: nonEmpty('target', members['target']),
    arguments: args,
    streamIds: streamIds(members),
  };
}

function nonEmpty(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new MalformedError(`"${name}" must be a string that is not empty`);
}

function id(members: Members): string {
  return nonEmpty('invocationId', members['invocationId']);
}

/** An empty id is none, as in MessagePack. */
function optionalId(members: Members): string | undefined {
  return members['invocationId'] === undefined || members['invocationId'] === '' ? undefined : id(members);
}

function streamIds({ streamIds: ids = [] }: Members): readonly string[] | undefined {
  const valid = Array.isArray(ids) && ids.every((one) => typeof one === 'string');
  if (!valid) throw new MalformedError('"streamIds" must be an array of strings');
  return ids.length > 0 ? ids : undefined;
}

function headersOf({ headers }: Members): HubHeaders | undefined {
  if (headers === undefined) return undefined;
  const valid = typeof headers === 'object' && headers !== null && !Array.isArray(headers);
  if (valid && Object.values(headers).every((value) => typeof value === 'string')) return headers as HubHeaders;
  throw new MalformedError('"headers" must be an object of strings');
}

function errorOf({ error }: Members): string | undefined {
  if (error === undefined || error === null || error === '') return undefined;
  if (typeof error === 'string') return error;
  throw new MalformedError('"error" must be a string');
}

function allowReconnect({ allowReconnect: allow = false }: Members): boolean {
  if (typeof allow === 'boolean') return allow;
  throw new MalformedError('"allowReconnect" must be a boolean');
}

function sequenceId({ sequenceId: value }: Members, least: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  throw new MalformedError(`"sequenceId" must be an integer of at least ${least}`);
}

type Kinds = { readonly [K in HubMessage['kind']]: (message: Extract<HubMessage, { kind: K }>) => string };

/** Members stand in the order in which the official server writes them; what is absent is left out, never null. */
const writers: Kinds = {
  invocation: (message) => writeCall(1, message),
  streamItem: (message) => `${start(2, message)},"item":${json(message.item)}}`,
  completion: (message) => `${start(3, message)}${outcome(message)}}`,
  streamInvocation: (message) => writeCall(4, message),
  cancelInvocation: (message) => `${start(5, message)}}`,
  ping: () => '{"type":6}',
  close: ({ error, allowReconnect: allow }) => {
    checkError(error);
    return `{"type":7${error === undefined ? '' : `,"error":${json(error)}`}${allow ? ',"allowReconnect":true' : ''}}`;
  },
  ack: ({ sequenceId: value }) => `{"type":8,"sequenceId":${value}}`,
  sequence: ({ sequenceId: value }) => `{"type":9,"sequenceId":${value}}`,
};

function writeCall(type: number, message: InvocationMessage | StreamInvocationMessage): string {
  const streams = message.streamIds?.length ? `,"streamIds":${json(message.streamIds)}` : '';
  return `${start(type, message)},"target":${json(message.target)},"arguments":${json(message.arguments)}${streams}}`;
}

function outcome({ error, result }: CompletionMessage): string {
  checkError(error);
  if (error !== undefined) return `,"error":${json(error)}`;
  return result === undefined ? '' : `,"result":${json(result)}`;
}

function start(type: number, message: { headers?: HubHeaders | undefined; invocationId?: string | undefined }): string {
  const { headers, invocationId } = message;
  const head = headers === undefined ? '' : `,"headers":${json(headers)}`;
  return `{"type":${type}${head}${invocationId === undefined ? '' : `,"invocationId":${json(invocationId)}`}`;
}

function json(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return JSON.stringify(value, bytesAsBase64) ?? 'null';
}

/** Looks at the holder, since a Buffer has been through its own `toJSON` when the value arrives here. */
function bytesAsBase64(this: unknown, name: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[name];
  if (!(original instanceof Uint8Array)) return value;
  return Buffer.from(original.buffer, original.byteOffset, original.byteLength).toString('base64');
}

function framed(text: string): Uint8Array {
  const bytes = Buffer.from(`${text}\u001e`, 'utf8');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
