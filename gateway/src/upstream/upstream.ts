import {
  type Claims,
  type HubProtocol,
  type WebhookClient,
  webhookSignature,
  writeWebhookClient,
} from '@signalbox/app-sdk/protocol';
import { pairsOf } from '../auth/login-claims.ts';
import type { Will } from '../backplane/wills.ts';
import type { Client } from '../core/app.ts';
import type { Events } from '../observe/events.ts';
import type { Log } from '../observe/log.ts';
import { writeTraceparent } from '../observe/trace.ts';
import type { Span, Tracing } from '../observe/tracing.ts';
import { version } from '../version.ts';
import { ClientWebhooks, endTopic, type Webhook, type WebhookKind, type WebhookSite } from './client-webhooks.ts';
import { Places } from './places.ts';
import { type WebhookOutcome, type WebhookRequest, WebhookSender } from './sender.ts';
import type { Survivor } from './survivor.ts';
import { expand, firstMatch, type Template, takesHub, type WebhookTopic } from './url-template.ts';
import { endOf, readWill, writeWill } from './will.ts';

export interface UpstreamOptions {
  /** The first that matches wins. */
  readonly templates: readonly Template[];
  /** All access keys: each signs. */
  readonly accessKeys: readonly string[];
  /** Time for one webhook in ms. */
  readonly deadlineMs: number;
  /** Largest body of an answer. */
  readonly bodyBytes: number;
  /** Webhooks of one hub under way at a time. */
  readonly requests: number;
  /** Bytes that may wait of one hub, and of one client; a client may add one message of any size to the latter. */
  readonly queueBytes: number;
  readonly clientQueueBytes: number;
  /** Has the end of a client posted though this node died; absent: nobody would. */
  readonly survivor?: Pick<Survivor, 'keep' | 'drop'>;
  readonly events: Pick<Events, 'webhook' | 'limitReached' | 'delivered'>;
  readonly log: Pick<Log, 'warn'>;
  /** Follows webhooks; absent: nobody does. */
  readonly tracing?: Pick<Tracing, 'begin' | 'current'>;
  /** Tells when a failure was last logged: milliseconds of a monotonic clock. Default `performance.now`. */
  readonly now?: () => number;
}

/** Failures are logged once in so many ms, with how many there were. */
const quietMs = 1000;

/** The webhooks of all serverless hubs of this node. */
export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #sender: WebhookSender;
  readonly #hubs = new Map<string, Places>();
  readonly #now: () => number;
  #waitingForIdle: (() => void)[] = [];
  #loggedAt = Number.NEGATIVE_INFINITY;
  #unlogged = 0;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#sender = new WebhookSender(options);
    this.#now = options.now ?? (() => performance.now());
  }

  /** Does any template take webhooks of this hub? */
  serves(hub: string): boolean {
    return takesHub(this.#options.templates, hub);
  }

  /** The webhooks of one client. Reads its origin, which is not needed afterwards. */
  open(client: Client, protocol: HubProtocol): ClientWebhooks {
    return new ClientWebhooks(this.#site(client), client, protocol);
  }

  /** Resolves when no webhook waits or is under way. */
  idle(): Promise<void> {
    if (this.#hubs.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForIdle.push(resolve));
  }

  /** Cuts off what is under way. */
  close(): Promise<void> {
    return this.#sender.close();
  }

  #site(client: Client): WebhookSite {
    const { hub, id, userId, origin } = client;
    const facts = { connectionId: id, hub, userId, query: origin?.query ?? '' };
    const { survivor } = this.#options;
    let headers = this.#headers(facts, pairsOf(origin?.claims ?? []));
    return {
      get headers() {
        return headers;
      },
      renew: (claims) => {
        headers = this.#headers(facts, claims);
      },
      route: (topic) => this.#route(topic),
      post: (webhook) => this.#places(hub).run(() => this.#post(webhook)),
      hold: (bytes) => this.#hold(hub, bytes),
      hasRoom: (waiting) => this.#hasRoom(hub, waiting),
      cause: () => this.#options.tracing?.current,
      delivered: (bytes) => this.#options.events.delivered(1, bytes),
      dropped: (kind) => this.#options.events.webhook(kind, 'dropped', 0),
      keepWill: (testator) => survivor?.keep(id, () => writeWill({ hub, headers }), testator),
      dropWill: () => survivor?.drop(id),
      afterlifeMs: this.#options.deadlineMs,
    };
  }

  /** Posts the end of a client whose node died. */
  async postWill({ text }: Will): Promise<void> {
    const will = readWill(text);
    if (will === undefined) return; // of a node of another version, which says it in its own way
    const route = this.#route({ hub: will.hub, ...endTopic });
    if (typeof route === 'string') return;
    const webhook = endOf(will, route);
    this.#hold(will.hub, text.length);
    await this.#places(will.hub).run(() => this.#post(webhook));
    this.#hold(will.hub, -text.length);
  }

  #route(topic: WebhookTopic): ReturnType<WebhookSite['route']> {
    const template = firstMatch(this.#options.templates, topic);
    if (template === undefined) return 'none';
    const path = expand(template, topic);
    return path === undefined ? 'invalid' : { origin: template.origin, path };
  }

  #headers(facts: Omit<WebhookClient, 'claims'>, claims: Claims): string[] {
    const signature = webhookSignature(this.#options.accessKeys, facts.connectionId);
    const shared = writeWebhookClient({ ...facts, claims }, signature);
    return [...shared, ['x-signalbox', version]].flat();
  }

  #hasRoom(hub: string, waiting: number): boolean {
    const { queueBytes, clientQueueBytes, events } = this.#options;
    const inAll = this.#hubs.get(hub)?.bytes ?? 0;
    if (waiting > clientQueueBytes) events.limitReached('SIGNALBOX_UPSTREAM_CLIENT_QUEUE_BYTES');
    else if (inAll > queueBytes) events.limitReached('SIGNALBOX_UPSTREAM_QUEUE_BYTES');
    else return true;
    return false;
  }

  #places(hub: string): Places {
    let places = this.#hubs.get(hub);
    if (places === undefined) {
      places = new Places(this.#options.requests);
      this.#hubs.set(hub, places);
    }
    return places;
  }

  #hold(hub: string, bytes: number): void {
    const places = this.#places(hub);
    places.hold(bytes);
    if (!places.idle) return;
    this.#hubs.delete(hub);
    if (this.#hubs.size > 0) return;
    const waiting = this.#waitingForIdle;
    this.#waitingForIdle = [];
    for (const resolve of waiting) resolve();
  }

  async #post({ kind, hub, request, answered, cause }: Webhook): Promise<WebhookOutcome> {
    const span = this.#options.tracing?.begin(`webhook ${kind}`, 'client', cause);
    const startedAt = performance.now();
    const outcome = await this.#sender.post(followed(request, span), { answered, repeat: kind !== 'message' });
    const status = outcome.kind === 'answer' ? String(outcome.status) : outcome.why;
    span?.end({ hub, status }, !status.startsWith('2'));
    this.#options.events.webhook(kind, status, (performance.now() - startedAt) / 1000);
    if (status !== '200' && status !== '204') this.#complain(kind, hub, request.origin, status);
    return outcome;
  }

  /** The path may hold a secret, and a target is the client's: neither is logged. */
  #complain(kind: WebhookKind, hub: string, origin: string, status: string): void {
    const now = this.#now();
    if (now - this.#loggedAt < quietMs) {
      this.#unlogged++;
      return;
    }
    this.#options.log.warn('a webhook failed', { kind, hub, origin, status, more: this.#unlogged || undefined });
    this.#loggedAt = now;
    this.#unlogged = 0;
  }
}

/** The upstream goes on with the trace. */
function followed(request: WebhookRequest, span: Span | undefined): WebhookRequest {
  if (span === undefined) return request;
  return { ...request, headers: [...request.headers, 'traceparent', writeTraceparent(span.trace)] };
}
