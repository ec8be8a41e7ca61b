import { setImmediate } from 'node:timers/promises';
import { errors, GatewayError } from '../errors.ts';
import type { HttpRequest } from '../http.ts';
import { sendsOfLine } from './rest-batch-line.ts';
import { readBody } from './rest-body.ts';
import type { RestCall } from './rest-names.ts';
import { asRefusal, type RestParts, type Success } from './rest-route.ts';

/** So much is handed to the router in one turn; what came meanwhile has its turn before the next slice. */
const sliceLines = 64;
const sliceBytes = 256 * 1024;

const lineFeed = 0x0a;
const readers = { 'application/x-ndjson': (body: Uint8Array) => body };

/** The path whose body may be larger than a message. */
const batchPath = /\/(:|%3a)sendMany\/?$/i;

/** How much of a body is kept at this path; undefined: as much as of any other. */
export function batchBodyBytes(path: string, batchBytes: number): number | undefined {
  return batchPath.test(path) ? batchBytes : undefined;
}

/**
 * Sends the message on each line, in order, and answers a line for each: `{"status":202}`, or status, code and message of
 * its refusal. A refused line stops none of the others. Lines are answered as they are taken, so the status of the whole
 * says nothing about them, and a caller that leaves, or reads none of its answers, ends the batch where it stands.
 * @throws {GatewayError} as `readBody`, before anything is sent.
 */
export async function sendMany(call: RestCall, parts: RestParts, request: HttpRequest): Promise<Success> {
  const body = await readBody(request, readers, parts.limits.batchBytes);
  return { headers: { 'Content-Type': 'application/x-ndjson' }, body: outcomes(call.hub, body, parts) };
}

/** The sends of a slice are begun in one turn: the router keeps their order, and Redis answers all of them at once. */
async function* outcomes(hub: string, body: Uint8Array, parts: RestParts): AsyncGenerator<string> {
  for (const slice of slicesOf(linesOf(body))) {
    const lines = await Promise.all(slice.map((line) => outcome(hub, line, parts)));
    yield lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    await setImmediate();
  }
}

/** Up to the send nothing is awaited: the order of the lines hangs on it. */
async function outcome(hub: string, line: Uint8Array, parts: RestParts): Promise<object> {
  try {
    const reaches = await Promise.all(sends(hub, line, parts));
    return reaches.includes('local') ? { status: 202, reach: 'local' } : { status: 202 };
  } catch (error) {
    const { code, status, message } = asRefusal(parts.log, 'send_many', error);
    return { status, code: errors[code].rest, message };
  }
}

function sends(hub: string, line: Uint8Array, { router, limits }: RestParts) {
  const most = limits.messageBytes;
  if (line.length > most)
    throw new GatewayError('too_large', `a line must be at most ${most} bytes, got ${line.length}`);
  return sendsOfLine(hub, line, limits).map((send) => router.send(send, 'rest'));
}

/** Lines that hold more than blanks. */
function* linesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < body.length; ) {
    const end = body.indexOf(lineFeed, from);
    const line = body.subarray(from, end < 0 ? body.length : end);
    from += line.length + 1;
    if (line.some((byte) => byte > 0x20)) yield line;
  }
}

function* slicesOf(lines: Iterable<Uint8Array>): Generator<readonly Uint8Array[]> {
  let slice: Uint8Array[] = [];
  let bytes = 0;
  for (const line of lines) {
    if (slice.length === sliceLines || (slice.length > 0 && bytes + line.length > sliceBytes)) {
      yield slice;
      slice = [];
      bytes = 0;
    }
    slice.push(line);
    bytes += line.length;
  }
  if (slice.length > 0) yield slice;
}
