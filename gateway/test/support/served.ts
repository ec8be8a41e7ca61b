import type { NegotiateOptions, NegotiateResponse } from '@signalbox/app-sdk';
import { OfficialClient } from './official-client.ts';
import { until } from './until.ts';

/** What an app's negotiate answers. */
type Invitation = Pick<NegotiateResponse, 'url' | 'accessToken'>;

/**
 * Resolves when every node sends clients of a hub to an app server: the news of its links have come there. For hubs that
 * wait for one (`SIGNALBOX_MODES`): where no link is known, their clients are refused.
 */
export async function everyNodeServes(
  nodes: readonly { readonly origin: string }[],
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

/** An app server, as its clients know it. */
export interface Serving {
  /** The way to its hub; the token names it. */
  negotiate(options: NegotiateOptions): Promise<NegotiateResponse>;
  /** Calls the hub. Rejects when nobody answers as the app server does: a node that knows of no link may run the hub itself. */
  call(client: OfficialClient): Promise<unknown>;
}

/** The same way, but by this node. */
export function wayBy(origin: string, where: NegotiateResponse): NegotiateResponse {
  return { ...where, url: origin + where.url.slice(new URL(where.url).origin.length) };
}

/**
 * Resolves when the app server answers clients of each of these nodes. For hubs of mode `auto`, too: a node that knows of no
 * link lets their clients in, and runs the hub itself.
 */
export async function everyNodeCarries(nodes: readonly { readonly origin: string }[], app: Serving): Promise<void> {
  await Promise.all(nodes.map(({ origin }) => until(`clients of ${origin} are served`, () => isCarried(origin, app))));
}

async function isCarried(origin: string, app: Serving): Promise<boolean> {
  try {
    const client = await OfficialClient.connect(wayBy(origin, await app.negotiate({ stickiness: 'required' })));
    await app.call(client).finally(() => client.stop());
    return true;
  } catch {
    return false; // refused, or not by the app server: the news is on its way
  }
}
