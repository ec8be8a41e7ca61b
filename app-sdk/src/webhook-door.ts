import type { Activity } from './hub/activity.ts';
import { MalformedError } from './protocol/errors.ts';
import type { HubProtocol } from './protocol/hub.ts';
import {
  isWebhookSignature,
  readDisconnectedBody,
  readWebhookInvocation,
  webhookContentTypes,
  webhookProtocol,
} from './protocol/webhook.ts';
import { readWebhookHead, type WebhookHead, webhookHeaders } from './protocol/webhook-headers.ts';
import type { WebhookHost } from './webhook-host.ts';

/** A request, whatever framework it came by. */
export interface WebhookRequest {
  readonly method: string | undefined;
  /** The value of a header by its lower-cased name. */
  header(name: string): string | undefined;
  /** The body; `undefined` when it is longer. Rejects when it breaks off. */
  body(limit: number): Promise<Uint8Array | undefined>;
}

/** What is answered. */
export interface WebhookAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | string;
}

/** What a door is made of. */
export interface WebhookDoorParts {
  /** By full name. */
  readonly hosts: ReadonlyMap<string, WebhookHost>;
  /** Any of them may have signed. */
  readonly accessKeys: readonly string[];
  readonly maxBodyBytes: number;
  /** Counts the webhooks under way. */
  readonly activity: Activity;
}

const done: WebhookAnswer = { status: 204, headers: {}, body: '' };

function refusal(status: number, body: string, headers: Record<string, string> = {}): WebhookAnswer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body };
}

/** From a request to its answer: who it is from, which hub it is for, what happened. */
export class WebhookDoor {
  closed = false;
  readonly #parts: WebhookDoorParts;

  constructor(parts: WebhookDoorParts) {
    this.#parts = parts;
  }

  /** Rejects only when the request breaks off. */
  answer(request: WebhookRequest): Promise<WebhookAnswer> {
    return this.#parts.activity.track(this.#answer(request));
  }

  async #answer(request: WebhookRequest): Promise<WebhookAnswer> {
    const { hosts, accessKeys } = this.#parts;
    if (request.method !== 'POST') return refusal(405, 'Webhooks come by POST.', { allow: 'POST' });
    const head = readWebhookHead((name) => request.header(name));
    if (head === undefined) return refusal(400, `"${missing(request)}" must be given.`);
    if (!isWebhookSignature(head.signature, accessKeys, head.connectionId)) {
      return refusal(401, `"${webhookHeaders.signature}" must be made with an access key of this app.`);
    }
    if (this.closed) return refusal(503, 'This app is stopping.', { 'retry-after': '5' });
    const host = hosts.get(head.hub);
    if (host === undefined) return refusal(404, `This app has no hub ${JSON.stringify(head.hub)}.`);
    return await this.#taken(request, head, host);
  }

  async #taken(request: WebhookRequest, head: WebhookHead, host: WebhookHost): Promise<WebhookAnswer> {
    const type = request.header('content-type');
    const spoken = protocolsOf(head, host);
    const protocol = webhookProtocol(type);
    if (protocol === undefined || !spoken.includes(protocol.name)) {
      const types = spoken.map((name) => webhookContentTypes[name]).join(' or ');
      return refusal(415, `"content-type" must be ${types}, got ${JSON.stringify(type)}.`);
    }
    const { maxBodyBytes } = this.#parts;
    const body = await request.body(maxBodyBytes);
    if (body === undefined)
      return refusal(413, `The body must be at most ${maxBodyBytes} bytes.`, { connection: 'close' });
    try {
      return await (head.category === 'messages' ? call(head, host, protocol, body) : event(request, head, host, body));
    } catch (error) {
      if (error instanceof MalformedError) return refusal(400, `${error.message}.`);
      return refusal(500, 'The event failed.'); // it was logged where it was thrown
    }
  }
}

/** The two events of a connection are JSON in every hub. */
function protocolsOf({ category }: WebhookHead, { plan }: WebhookHost): readonly HubProtocol['name'][] {
  return category === 'messages' ? plan.protocols.map(({ name }) => name) : ['json'];
}

async function call(
  head: WebhookHead,
  host: WebhookHost,
  protocol: HubProtocol,
  body: Uint8Array,
): Promise<WebhookAnswer> {
  const completion = await host.invoked(head, protocol, readWebhookInvocation(protocol, body), body.length);
  if (completion === undefined) return done;
  return { status: 200, headers: { 'content-type': webhookContentTypes[protocol.name] }, body: completion };
}

/** Our gateway takes 403 for a refusal; others do not, and are asked to close the client. */
async function event(
  request: WebhookRequest,
  head: WebhookHead,
  host: WebhookHost,
  body: Uint8Array,
): Promise<WebhookAnswer> {
  if (head.event === 'connected') {
    const closes = request.header('x-signalbox') === undefined;
    return (await host.connected(head, closes)) ? done : refusal(403, 'The hub does not want this client.');
  }
  if (head.event !== 'disconnected')
    return refusal(404, `"${webhookHeaders.event}" must be connected or disconnected.`);
  await host.disconnected(head, readDisconnectedBody(body));
  return done;
}

function missing(request: WebhookRequest): string {
  const { connectionId, hub, category, event: name } = webhookHeaders;
  return [connectionId, hub, category].find((header) => !request.header(header)) ?? name;
}
