import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, GatewayError } from '../errors.ts';

/** One answer of the admin port, whole. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a page of another origin, a frame or a cache must not do with an answer. */
export const guardHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
};

/** A value as JSON. */
export function json(status: number, body: unknown): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(body)}\n` };
}

/** What is refused, with its code and sentence. */
export function refusal(error: GatewayError): Answer {
  return json(error.status, { code: errors[error.code].rest, error: error.code, message: error.message });
}

/** Writes an answer; of a HEAD its head. */
export function write(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': Buffer.byteLength(answer.body),
    ...guardHeaders,
    ...(request.complete ? {} : { connection: 'close' }), // nobody reads the rest of a body that was refused
    ...answer.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

/**
 * The body of a request, which must be JSON: no form of a foreign page can send that without asking first.
 * @throws {GatewayError} `media_type`, `too_large`.
 */
export async function readJsonBody(request: IncomingMessage, mostBytes: number): Promise<Buffer> {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new GatewayError('media_type', `Content-Type must be application/json, got ${JSON.stringify(type)}`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new GatewayError('too_large', `the body must be at most ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
