import { jsonInvocation, MalformedError, parsePayloadJson, parsePayloadMap } from '@signalbox/app-sdk/protocol';
import { GatewayError } from '../errors.ts';
import type { HttpRequest } from '../http.ts';
import type { Payload } from '../protocol/command.ts';
import { quoted } from './rest-query.ts';

/** The bodies a send may have (REST reference, 2.5): how each becomes a payload. */
const readers: Readonly<Record<string, (body: Uint8Array) => Payload>> = {
  'application/json': readJson,
  'application/octet-stream': readMap,
};

function readJson(body: Uint8Array): Payload {
  const { target, argumentsJson } = parsePayloadJson(body);
  return { kind: 'convert', json: jsonInvocation({ target, rawArguments: argumentsJson }) };
}

function readMap(body: Uint8Array): Payload {
  const frames = new Map<string, Uint8Array>();
  for (const [protocol, frame] of parsePayloadMap(body)) frames.set(protocol.toLowerCase(), frame);
  if (frames.size === 0) throw new MalformedError('the payload map must hold at least one message');
  return { kind: 'ready', frames };
}

/**
 * Reads the body of a send.
 * @throws {GatewayError} `media_type` before the body is read; `too_large`; `request_invalid` when it is empty or not of its form.
 */
export async function readPayload(request: HttpRequest, mostBytes: number): Promise<Payload> {
  const read = readerFor(request);
  const body = await request.body(mostBytes);
  if (body.length === 0) throw new GatewayError('request_invalid', 'the body must not be empty: a message is required');
  if (read === undefined) throw wrongType('');
  try {
    return read(body);
  } catch (error) {
    if (error instanceof MalformedError) throw new GatewayError('request_invalid', error.message);
    throw error;
  }
}

/** `undefined`: no type was given, which is fine for a body that is not there and is refused for its emptiness. */
function readerFor(request: HttpRequest): ((body: Uint8Array) => Payload) | undefined {
  const encoding = request.header('content-encoding') ?? '';
  if (encoding !== '' && encoding.toLowerCase() !== 'identity') {
    throw new GatewayError('media_type', `Content-Encoding must be absent, got ${quoted(encoding)}`);
  }
  const given = request.header('content-type') ?? '';
  if (given === '') return undefined;
  const [type = '', ...parameters] = given.split(';').map((part) => part.trim().toLowerCase());
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined;
  if (read === undefined || !parameters.every(isUtf8)) throw wrongType(given);
  return read;
}

/** Only a charset is looked at; any other parameter changes nothing. */
function isUtf8(parameter: string): boolean {
  const charset = /^charset\s*=\s*"?([^"]*)"?$/.exec(parameter)?.[1];
  return charset === undefined || charset === 'utf-8' || charset === 'utf8';
}

function wrongType(given: string): GatewayError {
  const text = `Content-Type must be application/json in UTF-8, or application/octet-stream, got ${quoted(given)}`;
  return new GatewayError('media_type', text);
}
