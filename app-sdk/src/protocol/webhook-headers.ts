/** The headers of a webhook (serverless-upstream reference, section 5.1). Names are lower-cased. */
export const webhookHeaders = {
  connectionId: 'x-asrs-connection-id',
  hub: 'x-asrs-hub',
  category: 'x-asrs-category',
  event: 'x-asrs-event',
  userId: 'x-asrs-user-id',
  claims: 'x-asrs-user-claims',
  query: 'x-asrs-client-query',
  signature: 'x-asrs-signature',
} as const;

/** A claim as it stands in the token. */
export type ClaimPair = readonly [name: string, value: string];

/** What every webhook of one client says of it. */
export interface WebhookClient {
  readonly connectionId: string;
  /** The full name, lower-cased. */
  readonly hub: string;
  readonly userId: string | undefined;
  /** All claims of the token, in their order. */
  readonly claims: readonly ClaimPair[];
  /** Of the client's first request, without the question mark and without secrets. */
  readonly query: string;
}

/** What the headers of one webhook say. */
export interface WebhookHead extends WebhookClient {
  /** `connections` or `messages`. */
  readonly category: string;
  /** `connected`, `disconnected`, or the target of an invocation; what is not printable ASCII is escaped. */
  readonly event: string;
  readonly signature: string | undefined;
}

/** Header values are printable ASCII: what is not becomes the percent-escapes of its UTF-8 bytes. */
function printable(text: string): string {
  return text.replace(/[^ -~]+/g, escapeAll);
}

function escapeAll(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/**
 * A user id so that two ids never look the same: blanks at its ends are escaped too, for they would be trimmed, and so is
 * a `%` that would be read as an escape.
 */
function writeId(id: string): string {
  const marked = id.replace(/%(?=2[05]|7f|[0189a-f][0-9a-f])/gi, '%25');
  return printable(marked.replace(/^ +| +$/g, escapeAll));
}

function readId(text: string): string {
  return text.replace(/(?:%(?:2[05]|7f|[0189a-f][0-9a-f]))+/gi, unescapeAll);
}

function unescapeAll(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not ours: it is left as it came
  }
}

/**
 * `name: value`, joined by commas. A comma within is escaped, so that no value can look like another claim; control
 * characters are left out. Readers that know no escapes see them as they are: nothing else can be done (section 5.3).
 */
function writeClaims(claims: readonly ClaimPair[]): string {
  return claims.map(([name, value]) => `${claimText(name)}: ${claimText(value)}`).join(', ');
}

function claimText(text: string): string {
  return printable(text.replace(/\p{Cc}/gu, '')).replaceAll(',', '%2C');
}

function readClaims(text: string): ClaimPair[] {
  return text.split(',').flatMap((part) => {
    const at = `${part} `.indexOf(': '); // the blank behind an empty last value is gone
    if (at < 0) return [];
    const [name, value] = [part.slice(0, at), part.slice(at + 2)].map((one) =>
      one.trim().replace(/(?:%(?:2c|[89a-f][0-9a-f]))+/gi, unescapeAll),
    );
    return name ? [[name, value ?? ''] as const] : [];
  });
}

/** Name and value of each header that all webhooks of a client share. */
export function writeWebhookClient(client: WebhookClient, signature: string): [name: string, value: string][] {
  const { connectionId, hub, userId, claims, query } = client;
  const headers: [string, string][] = [
    [webhookHeaders.connectionId, connectionId],
    [webhookHeaders.hub, hub],
    [webhookHeaders.signature, signature],
  ];
  if (userId !== undefined) headers.push([webhookHeaders.userId, writeId(userId)]);
  if (claims.length > 0) headers.push([webhookHeaders.claims, writeClaims(claims)]);
  if (query !== '') headers.push([webhookHeaders.query, `?${printable(query)}`]);
  return headers;
}

/** Name and value of the headers that tell the event. `event` is the target as the client wrote it. */
export function writeWebhookEvent(category: string, event: string): [name: string, value: string][] {
  return [
    [webhookHeaders.category, category],
    [webhookHeaders.event, printable(event)],
  ];
}

/** What the headers say; `undefined` when one that every webhook has is missing. */
export function readWebhookHead(header: (name: string) => string | undefined): WebhookHead | undefined {
  const [connectionId, hub, category, event] = [
    webhookHeaders.connectionId,
    webhookHeaders.hub,
    webhookHeaders.category,
    webhookHeaders.event,
  ].map(header);
  if (!connectionId || !hub || !category || event === undefined) return undefined;
  const userId = header(webhookHeaders.userId);
  return {
    connectionId,
    hub: hub.toLowerCase(),
    category,
    event,
    userId: userId === undefined ? undefined : readId(userId),
    claims: readClaims(header(webhookHeaders.claims) ?? ''),
    query: (header(webhookHeaders.query) ?? '').replace(/^\?/, ''),
    signature: header(webhookHeaders.signature),
  };
}
