import { MalformedError } from './errors.ts';
import { recordSeparator } from './framing.ts';
import type { HubProtocol } from './hub.ts';
import { hubProtocol } from './hub-protocols.ts';

/** What a client asks for in its first record. */
export interface HandshakeRequest {
  readonly kind: 'request';
  /** Name of a hub protocol, as the client wrote it. */
  readonly protocol: string;
  readonly version: number;
}

/** A handshake was accepted. */
export interface HandshakeAccepted {
  readonly kind: 'accepted';
  readonly protocol: HubProtocol;
  readonly version: number;
}

/** A handshake is refused: answer with `handshakeResponse(error)` and close. */
export interface HandshakeRefusal {
  readonly kind: 'refusal';
  readonly error: string;
}

/** The texts of the official server (hub-protocol section 3.3). Applications match on them: keep the wording. */
export const handshakeErrors = {
  canceled: 'Handshake was canceled.',
  malformed: 'An unexpected error occurred during connection handshake.',
  protocol: (name: string) => `The protocol '${name}' is not supported.`,
  version: (name: string, version: number) =>
    `The server does not support version ${version} of the '${name}' protocol.`,
  transferFormat: (name: string) =>
    `Cannot use the '${name}' protocol on the current transport. The transport does not support 'Binary' transfer format.`,
} as const;

const expectedResponse = 'Expected a handshake response from the server.';

/**
 * Reads a client's first record, with or without its separator. It is always JSON, whatever the hub protocol.
 * Names and versions are not judged here; `acceptHandshake` does that.
 */
export function parseHandshakeRequest(record: Uint8Array): HandshakeRequest | HandshakeRefusal {
  const { protocol, version } = parseObject(record) ?? {};
  const valid = typeof protocol === 'string' && protocol !== '' && isVersion(version);
  return valid ? { kind: 'request', protocol, version } : { kind: 'refusal', error: handshakeErrors.malformed };
}

/**
 * Judges a request as the official server does: a known protocol, a version it speaks, a transport that can carry it.
 * @param binary whether the transport carries binary frames; server-sent events do not.
 */
export function acceptHandshake(request: HandshakeRequest, binary = true): HandshakeAccepted | HandshakeRefusal {
  const protocol = hubProtocol(request.protocol);
  if (protocol === undefined) return refusal(handshakeErrors.protocol(request.protocol));
  const { name, version } = protocol;
  if (request.version > version) return refusal(handshakeErrors.version(name, request.version));
  if (protocol.binary && !binary) return refusal(handshakeErrors.transferFormat(name));
  return { kind: 'accepted', protocol, version: request.version };
}

/** A client's first record, framed. */
export function handshakeRequest(protocol: string, version: number): Uint8Array {
  return framed({ protocol, version });
}

/** The server's first record, framed. Without an error the handshake is accepted. */
export function handshakeResponse(error?: string): Uint8Array {
  return framed(error === undefined ? {} : { error });
}

/** What the server answered: `error` is absent when it accepted. */
export interface HandshakeResponse {
  readonly error?: string | undefined;
}

/**
 * Reads the server's first record, with or without its separator.
 * @throws MalformedError when it is anything else, a hub message for instance.
 */
export function parseHandshakeResponse(record: Uint8Array): HandshakeResponse {
  const response = parseObject(record);
  if (response === undefined || 'type' in response) throw new MalformedError(expectedResponse);
  const { error } = response;
  if (error === undefined || error === null || error === '') return {};
  if (typeof error !== 'string') throw new MalformedError(expectedResponse);
  return { error };
}

function refusal(error: string): HandshakeRefusal {
  return { kind: 'refusal', error };
}

function isVersion(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}

function parseObject(record: Uint8Array): Record<string, unknown> | undefined {
  const body = record.at(-1) === recordSeparator ? record.subarray(0, -1) : record;
  try {
    const value: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined; // Not JSON is one of the ways not to be a handshake.
  }
}

function framed(value: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\u001e`);
}
