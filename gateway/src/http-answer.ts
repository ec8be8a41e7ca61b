import { STATUS_CODES } from 'node:http';
import { errors, type GatewayError } from './errors.ts';
import type { NativeResponse } from './http-native.ts';
import type { BodyStream } from './http-stream.ts';

/** What a handler answers. */
export interface HttpAnswer {
  readonly status: number;
  /** `Content-Length` is written by itself. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Left out by itself on HEAD (its length is told), 204 and 304. Pieces are written as they come, chunked. */
  readonly body?: string | Uint8Array | AsyncIterable<string>;
  /** In place of `body`: called once, when the head is written. What it throws closes the socket. */
  readonly stream?: (body: BodyStream) => void;
  /** Ends the socket after the answer. Default: it stays. */
  readonly close?: boolean;
  /** Told once: was the answer written, or had the client gone before? */
  readonly written?: (written: boolean) => void;
}

/** The answer to a refusal: status, `x-ms-error-code`, and an ErrorDetail as JSON (REST reference, section 7). */
export function errorAnswer(error: GatewayError): HttpAnswer {
  const code = errors[error.code].rest;
  return {
    status: error.status,
    headers: { ...refusalHeaders(error), 'Content-Type': 'application/json' },
    body: JSON.stringify({ code, message: error.message }),
    close: error.code === 'request_framing',
  };
}

/** The headers that say why, for a door whose refusals have another body. */
export function refusalHeaders(error: GatewayError): Record<string, string> {
  const headers: Record<string, string> = { 'x-ms-error-code': errors[error.code].rest };
  if (error.status === 401) headers['WWW-Authenticate'] = 'Bearer';
  // The sender may still be writing the rest of the body: told to go, not cut off, or the answer would be lost in a reset.
  if (error.status === 413) headers['Connection'] = 'close';
  return headers;
}

const bodiless = new Set([204, 304]);

/** Writes status and headers. The response must be alive and corked. */
export function writeHead(response: NativeResponse, answer: HttpAnswer): void {
  response.writeStatus(`${answer.status} ${STATUS_CODES[answer.status] ?? 'Unknown'}`);
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.writeHeader(name, value);
}

/** Writes the whole answer but for a body in pieces. The response must be alive and corked, and is gone afterwards. */
export function writeAnswer(response: NativeResponse, answer: HttpAnswer, head: boolean): void {
  writeHead(response, answer);
  const body = piecesOf(answer) === undefined ? ((answer.body ?? '') as string | Uint8Array) : '';
  if (bodiless.has(answer.status)) response.endWithoutBody();
  else if (head) endHead(response, Buffer.byteLength(body), answer.close ?? false);
  else response.end(body, answer.close ?? false);
}

/** A body that comes in pieces. */
export function piecesOf({ body }: HttpAnswer): AsyncIterable<string> | undefined {
  return typeof body === 'object' && Symbol.asyncIterator in body ? body : undefined;
}

/**
 * The length is written by hand: told to `endWithoutBody`, it leaves the response unfinished, and the next request on
 * the socket closes it (measured).
 */
function endHead(response: NativeResponse, length: number, close: boolean): void {
  if (close) response.endWithoutBody(0, true);
  else response.writeHeader('Content-Length', String(length)).endWithoutBody();
}
