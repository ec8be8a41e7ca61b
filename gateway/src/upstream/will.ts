import { disconnectedBody, webhookContentTypes, writeWebhookEvent } from '@signalbox/app-sdk/protocol';
import { endTopic, type Webhook, type WebhookSite } from './client-webhooks.ts';
import type { WebhookRequest } from './sender.ts';

/** What is needed to post the end of a client without its node. */
export interface EndFacts {
  readonly hub: string;
  /** As {@link WebhookSite.headers}. */
  readonly headers: WebhookSite['headers'];
}

/** The text of a will. */
export function writeWill(facts: EndFacts): string {
  return JSON.stringify(facts);
}

/** Reads the text of a will; `undefined` when it is none. */
export function readWill(text: string): EndFacts | undefined {
  const { hub, headers } = parsed(text);
  if (typeof hub !== 'string' || !Array.isArray(headers)) return undefined;
  return headers.every((part) => typeof part === 'string') ? { hub, headers } : undefined;
}

function parsed(text: string): { readonly hub?: unknown; readonly headers?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** The webhook that tells of the end of a client whose node died. */
export function endOf({ hub, headers }: EndFacts, route: Pick<WebhookRequest, 'origin' | 'path'>): Webhook {
  const own = [
    ...writeWebhookEvent(endTopic.category, endTopic.event),
    ['content-type', webhookContentTypes.json],
  ].flat();
  const request = { ...route, headers: [...headers, ...own], body: disconnectedBody('node_lost') };
  return { kind: 'disconnected', hub, request, answered: false };
}
