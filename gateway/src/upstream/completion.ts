import { type HubProtocol, recordSeparator } from '@signalbox/app-sdk/protocol';
import { framed } from '../protocol/hub.ts';
import type { WebhookFailure, WebhookOutcome } from './sender.ts';

/** Texts of the official emulator (reference, section 6.1), where it has one. */
const failed = {
  unreachable: 'Invocation failed, status code 500',
  timeout: 'Invocation failed, status code 500',
  too_large: 'Invocation failed, response too large.',
  cut: 'Invocation failed, error: the response ended before it was whole.',
} as const satisfies Record<WebhookFailure, string>;

const noCompletion = 'Invocation failed, the response must be one framed Completion of it.';

/** What the caller of an invocation gets for the outcome of its webhook: a framed Completion, never other bytes. */
export function completionOf(protocol: HubProtocol, invocationId: string, outcome: WebhookOutcome): Uint8Array {
  const error = (text: string): Uint8Array => protocol.write({ kind: 'completion', invocationId, error: text });
  if (outcome.kind === 'failed') return error(failed[outcome.why]);
  const { status, body } = outcome;
  if (status === 204 || (status === 200 && body.length === 0)) {
    return protocol.write({ kind: 'completion', invocationId });
  }
  if (status !== 200) return error(`Invocation failed, status code ${status}`);
  return ownCompletion(protocol, invocationId, body) ?? error(noCompletion);
}

/** The bytes of the answer if they are one Completion of this invocation; a JSON one may lack its separator. */
function ownCompletion(protocol: HubProtocol, invocationId: string, body: Uint8Array): Uint8Array | undefined {
  const whole = protocol.binary || body.at(-1) === recordSeparator ? body : framed(protocol, body);
  try {
    const splitter = protocol.split({ limit: whole.length });
    const [record, ...more] = splitter.push(whole);
    if (record === undefined || more.length > 0 || splitter.pending > 0) return undefined;
    const message = protocol.parse(record);
    return message?.kind === 'completion' && message.invocationId === invocationId ? whole : undefined;
  } catch {
    return undefined; // no hub message
  }
}
