import type { ServiceHeaders } from '@signalbox/app-sdk/protocol';
import { longNamed, pairsOf } from '../auth/login-claims.ts';
import type { Client } from '../core/app.ts';
import type { ClientOrigin } from '../core/origin.ts';
import type { ClientInfo } from './link.ts';

/** One header of {@link ServiceHeaders}. */
export type ServiceHeader = ServiceHeaders[number];

/** Names the node of a client: when it dies, the others name it in an `offline` ping. The same for all of its clients. */
export function instanceHeader(node: string): ServiceHeader {
  return ['Asrs-Instance-Id', [node]];
}

/**
 * What an app server is told of a client.
 * @param instance the header of the client's node
 */
export function clientInfo(client: Client, origin: ClientOrigin, instance: ServiceHeader): ClientInfo {
  return {
    connectionId: client.id,
    claims: longNamed(pairsOf(origin.claims)),
    headers: headersOf(origin, instance),
    queryString: origin.query === '' ? '' : `?${origin.query}`,
    protocol: client.protocol,
  };
}

/** The address is ours to tell: an app takes the first one at face value (service protocol, trap 27). */
function headersOf(origin: ClientOrigin, instance: ServiceHeader): ServiceHeaders {
  const own: ServiceHeader[] = [['X-Forwarded-For', [origin.remoteAddress]], instance];
  if (origin.diagnostic) own.push(['Asrs-Is-Diagnostic-Client', ['true']]);
  return [...own, ...origin.headers.map(([name, value]) => [name, [value]] as const)];
}
