import type { ServiceMessage, ServiceMessageOf } from '@signalbox/app-sdk/protocol';
import { GatewayError } from '../errors.ts';
import type { InvokeOutcome } from '../protocol/inquiry.ts';
import type { LinkHost } from './link.ts';

/** How long the result of a client is waited for (service protocol, section 13). */
const deadlineMs = 10 * 60 * 1000;

/** What a link that asks clients for results is. */
export interface AskingLink {
  readonly hub: string;
  /** Id of its app server. */
  readonly server: string;
  readonly host: LinkHost;
  /** Says something to its app server; over another of its links when this one is lost. */
  say(message: ServiceMessage): void;
}

/**
 * An app server asks a client for a result: ErrorCompletion or ClientCompletion follows in every case, and ServiceMapping
 * when the client is on another node, whose end would end the call.
 */
export async function invokeClient(message: ServiceMessageOf<'ClientInvocation'>, link: AskingLink): Promise<void> {
  const { invocationId, connectionId, payloads } = message;
  const { host, hub, server } = link;
  try {
    const frames = lowerCased(payloads);
    const request = { hub, connection: connectionId, invocationId, server, frames, deadlineMs };
    const { node, outcome } = await host.invocations.invoke(request);
    if (node !== host.node) link.say({ kind: 'ServiceMapping', invocationId, connectionId, instanceId: node });
    tell(message, link, await outcome);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    tell(message, link, { kind: 'error', error: error.message });
  }
}

function tell(
  { invocationId, connectionId }: ServiceMessageOf<'ClientInvocation'>,
  { server: callerServerId, say }: AskingLink,
  outcome: InvokeOutcome,
): void {
  if (outcome.kind === 'error') {
    say({ kind: 'ErrorCompletion', invocationId, connectionId, callerServerId, error: outcome.error });
  } else if (outcome.kind === 'result') {
    const { protocol, frame: payload } = outcome;
    const extensions = { protocol };
    say({ kind: 'ClientCompletion', invocationId, connectionId, callerServerId, protocol, payload, extensions });
  }
}

/**
 * An app server has the answer of a client that it carries. Empty: it asked itself, and the gateway may forget. Its
 * `callerServerId` is its own and says nothing of who asked (service protocol, trap 15).
 */
export function completeInvocation(message: ServiceMessageOf<'ClientCompletion'>, { hub, host }: AskingLink): void {
  const { connectionId, invocationId, protocol, payload } = message;
  const outcome: InvokeOutcome =
    payload.length === 0 ? { kind: 'forgotten' } : { kind: 'result', protocol, frame: payload.slice() };
  host.invocations.completedAnywhere(hub, connectionId, invocationId, outcome);
}

/** An app server could not take the answer of a client that it carries. */
export function failInvocation(message: ServiceMessageOf<'ErrorCompletion'>, { hub, host }: AskingLink): void {
  const { connectionId, invocationId, error } = message;
  host.invocations.completedAnywhere(hub, connectionId, invocationId, { kind: 'error', error });
}

function lowerCased(payloads: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> {
  return new Map([...payloads].map(([name, bytes]) => [name.toLowerCase(), bytes]));
}
