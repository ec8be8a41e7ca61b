import type { NegotiateOptions, NegotiateResponse } from '@signalbox/app-sdk';
import { OfficialClient } from './official-client.ts';
import { until } from './until.ts';

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

/** Resolves when the app server serves clients of each of these nodes: news of its links travels. */
export async function servedEverywhere(nodes: readonly { readonly origin: string }[], app: Serving): Promise<void> {
  await Promise.all(nodes.map(({ origin }) => until(`clients of ${origin} are served`, () => isServed(origin, app))));
}

async function isServed(origin: string, app: Serving): Promise<boolean> {
  try {
    const client = await OfficialClient.connect(wayBy(origin, await app.negotiate({ stickiness: 'required' })));
    await app.call(client).finally(() => client.stop());
    return true;
  } catch {
    return false; // refused, or not by the app server: the news is on its way
  }
}
