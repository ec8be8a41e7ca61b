import { GatewayError } from '../errors.ts';
import type { Events } from '../observe/events.ts';
import { type TokenRefusal, tokenRefusals } from '../reasons.ts';

/** Makes the error of a refusal, and counts it. */
export type Refuse = (reason: TokenRefusal) => GatewayError;

/** The refusals of one node: `issuer_down` may be tried again, all others are `unauthorized`. */
export function refuser(events: Pick<Events, 'tokenRefused'>): Refuse {
  return (reason) => {
    events.tokenRefused(reason);
    return new GatewayError(reason === 'issuer_down' ? 'issuer_down' : 'unauthorized', tokenRefusals[reason]);
  };
}
