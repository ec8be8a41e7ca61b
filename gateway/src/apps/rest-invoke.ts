import { randomBytes } from 'node:crypto';
import { type CompletionMessage, hubProtocol, MalformedError } from '@signalbox/app-sdk/protocol';
import { members } from '../auth/json-members.ts';
import { GatewayError } from '../errors.ts';
import type { HttpRequest } from '../http.ts';
import type { InvokeOutcome } from '../protocol/inquiry.ts';
import { readCall } from './rest-call-body.ts';
import { valueJson } from './rest-json.ts';
import type { RestCall } from './rest-names.ts';
import { jsonText, type RestParts, type Success } from './rest-route.ts';

/** The core may end a call by its own deadline a little later: ours decides, for it has a code of its own. */
const marginMs = 5000;
const idLetters = 24;

/**
 * Calls a method of one client and waits for its result (REST reference, section 5).
 * @throws {GatewayError} `connection_unknown`; `client_failed` with the client's text; `client_timeout`; what a send throws.
 */
export async function invoke(
  call: RestCall,
  { invocations, limits }: RestParts,
  request: HttpRequest,
): Promise<Success> {
  const connection = call.connection();
  const framesFor = await readCall(request, limits.messageBytes);
  const invocationId = freshId();
  const frames = framesFor(invocationId);
  const deadlineMs = limits.invokeMs + marginMs;
  const open = await invocations.invoke({ hub: call.hub, connection, invocationId, server: '', frames, deadlineMs });
  const outcome = await inTime(open.outcome, connection, limits.invokeMs);
  return jsonText(resultJson(outcome));
}

/** Letters only: app servers number their own calls of the same client. */
function freshId(): string {
  return Array.from(randomBytes(idLetters), (byte) => String.fromCharCode(97 + (byte % 26))).join('');
}

async function inTime(outcome: Promise<InvokeOutcome>, connection: string, ms: number): Promise<InvokeOutcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `connection '${connection}' did not answer within ${ms} ms (SIGNALBOX_INVOKE_MS)`;
    timer = setTimeout(() => reject(new GatewayError('client_timeout', text)), ms);
  });
  try {
    return await Promise.race([outcome, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** `protocol` stands beside a result that could not be read: it is the client's own message, as base64. */
function resultJson(outcome: InvokeOutcome): string {
  if (outcome.kind === 'error') throw new GatewayError('client_failed', outcome.error);
  if (outcome.kind === 'forgotten') throw new GatewayError('client_failed', 'the answer went to an app server');
  const { protocol, frame } = outcome;
  if (hubProtocol(protocol) === undefined) {
    return JSON.stringify({ result: Buffer.from(frame).toString('base64'), protocol });
  }
  const [record, completion] = completionOf(protocol, frame);
  if (completion.error !== undefined) throw new GatewayError('client_failed', completion.error);
  return `{"result":${protocol === 'json' ? jsonResult(record) : valueJson(completion.result)}}`;
}

function completionOf(protocol: string, frame: Uint8Array): [record: Uint8Array, completion: CompletionMessage] {
  const codec = hubProtocol(protocol);
  try {
    for (const record of codec?.split({ limit: frame.length }).push(frame) ?? []) {
      const message = codec?.parse(record);
      if (message?.kind === 'completion') return [record, message];
    }
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
  }
  throw new GatewayError('client_failed', 'the client answered with something that is no completion');
}

/** The client's own text: its numbers stay as they were written. */
function jsonResult(record: Uint8Array): string {
  const found = members(Buffer.from(record).toString()).filter(([name]) => name === 'result');
  return found.at(-1)?.[1] ?? 'null';
}
