import {
  type JsonPayload,
  jsonInvocation,
  MalformedError,
  parsePayloadJson,
  parsePayloadMap,
} from '@signalbox/app-sdk/protocol';
import { GatewayError } from '../errors.ts';
import type { HttpRequest } from '../http.ts';
import type { Payload } from '../protocol/command.ts';
import type { HubFrames } from '../protocol/hub.ts';
import { quoted } from './rest-query.ts';

/** What a body becomes, by its media type. Each throws `MalformedError` for a body that is not of its form. */
export type BodyReaders<T> = Readonly<Record<string, (body: Uint8Array) => T>>;

/** The bodies a send may have (REST reference, 2.5). */
const payloads: BodyReaders<Payload> = {
  'application/json': (body) => payloadOf(parsePayloadJson(body)),
  'application/octet-stream': (body) => ({ kind: 'ready', frames: readFrames(body) }),
};

/** A message whose form for other hub protocols is made where it is needed. */
export function payloadOf({ target, argumentsJson }: JsonPayload): Payload {
  return { kind: 'convert', json: jsonInvocation({ target, rawArguments: argumentsJson }) };
}

/** A payload map: ready bytes for each hub protocol. */
export function readFrames(body: Uint8Array): HubFrames {
  const frames = new Map<string, Uint8Array>();
  for (const [protocol, frame] of parsePayloadMap(body)) frames.set(protocol.toLowerCase(), frame);
  if (frames.size === 0) throw new MalformedError('the payload map must hold at least one message');
  return frames;
}

/** A body as text, without a byte order mark. */
export function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new MalformedError('the body must be UTF-8');
  }
}

/** Reads the body of a send. @throws {GatewayError} as {@link readBody}. */
export function readPayload(request: HttpRequest, mostBytes: number): Promise<Payload> {
  return readBody(request, payloads, mostBytes);
}

/**
 * Reads a body by the reader of its media type.
 * @throws {GatewayError} `media_type` before the body is read; `too_large`; `request_invalid` when it is empty or not of its form.
 */
export async function readBody<T>(request: HttpRequest, readers: BodyReaders<T>, mostBytes: number): Promise<T> {
  const read = readerFor(request, readers);
  const body = await request.body(mostBytes);
  if (body.length === 0) throw new GatewayError('request_invalid', 'the body must not be empty: a message is required');
  if (read === undefined) throw wrongType('', readers);
  try {
    return read(body);
  } catch (error) {
    if (error instanceof MalformedError) throw new GatewayError('request_invalid', error.message);
    throw error;
  }
}

/** `undefined`: no type was given, which is fine for a body that is not there and is refused for its emptiness. */
function readerFor<T>(request: HttpRequest, readers: BodyReaders<T>): ((body: Uint8Array) => T) | undefined {
  const encoding = request.header('content-encoding') ?? '';
  if (encoding !== '' && encoding.toLowerCase() !== 'identity') {
    throw new GatewayError('media_type', `Content-Encoding must be absent, got ${quoted(encoding)}`);
  }
  const given = request.header('content-type') ?? '';
  if (given === '') return undefined;
  const [type = '', ...parameters] = given.split(';').map((part) => part.trim().toLowerCase());
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined;
  if (read === undefined || !parameters.every(isUtf8)) throw wrongType(given, readers);
  return read;
}

/** Only a charset is looked at; any other parameter changes nothing. */
function isUtf8(parameter: string): boolean {
  const charset = /^charset\s*=\s*"?([^"]*)"?$/.exec(parameter)?.[1];
  return charset === undefined || charset === 'utf-8' || charset === 'utf8';
}

function wrongType(given: string, readers: BodyReaders<unknown>): GatewayError {
  const known = Object.keys(readers).join(' or ');
  return new GatewayError('media_type', `Content-Type must be ${known}, text in UTF-8, got ${quoted(given)}`);
}
