import type { HubProtocol } from './hub.ts';
import { jsonHubProtocol } from './hub-json.ts';
import { messagePackHubProtocol } from './hub-messagepack.ts';

/** The hub protocols that this package speaks, by name. */
export const hubProtocols: ReadonlyMap<string, HubProtocol> = new Map(
  [jsonHubProtocol, messagePackHubProtocol].map((protocol) => [protocol.name, protocol]),
);

/** The hub protocol of a name, compared without case as the official server does; `undefined` for any other. */
export function hubProtocol(name: string): HubProtocol | undefined {
  return hubProtocols.get(name.toLowerCase());
}
