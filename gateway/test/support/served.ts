import type { NegotiateResponse } from '@signalbox/app-sdk';
import type { GatewayProcess } from './gateway-process.ts';
import { until } from './until.ts';

/** What an app's negotiate answers. */
type Invitation = Pick<NegotiateResponse, 'url' | 'accessToken'>;

/**
 * Resolves when every node sends clients of a hub to an app server: the news of its links have come there. For hubs that
 * wait for one (`SIGNALBOX_MODES`): where no link is known, their clients are refused.
 */
export async function everyNodeServes(
  nodes: readonly Pick<GatewayProcess, 'origin'>[],
  negotiate: () => Promise<Invitation>,
): Promise<void> {
  for (const { origin } of nodes) {
    await until(`${origin} sends clients to an app server`, async () => letsIn(origin, await negotiate()));
  }
}

async function letsIn(origin: string, invitation: Invitation): Promise<boolean> {
  const headers = { authorization: `Bearer ${invitation.accessToken}` };
  return (await fetch(origin + negotiatePath(invitation), { method: 'POST', headers })).ok;
}

/** Where a client negotiates, with the path and query behind an origin. */
export function negotiatePath({ url }: Pick<Invitation, 'url'>): string {
  const { pathname, search } = new URL(url);
  return `${pathname.replace(/\/$/, '')}/negotiate${search}&negotiateVersion=1`;
}
