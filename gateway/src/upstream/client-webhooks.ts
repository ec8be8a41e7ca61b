import {
  type Claims,
  connectedBody,
  disconnectedBody,
  type HubProtocol,
  type InvocationMessage,
  webhookContentTypes,
  writeWebhookEvent,
} from '@signalbox/app-sdk/protocol';
import type { Client } from '../core/app.ts';
import { readTraceparent, type Trace } from '../observe/trace.ts';
import type { CloseReason } from '../reasons.ts';
import { completionOf } from './completion.ts';
import type { WebhookOutcome, WebhookRequest } from './sender.ts';
import type { Testator } from './survivor.ts';
import type { WebhookTopic } from './url-template.ts';

/** What a webhook tells of. */
export type WebhookKind = 'connected' | 'disconnected' | 'message';

/** A webhook that was accepted, from its place in line to its outcome. */
export interface Webhook {
  readonly kind: WebhookKind;
  readonly hub: string;
  readonly request: WebhookRequest;
  /** Is the body of the answer wanted? */
  readonly answered: boolean;
  /** The trace that it belongs to. */
  readonly cause?: Trace | undefined;
}

/** What the webhooks of one client need of the upstream. */
export interface WebhookSite {
  /** Headers that all webhooks of the client share: names and values in turn. */
  readonly headers: readonly string[];
  /** From now on {@link headers} tell these claims. */
  renew(claims: Claims): void;
  /** Where a webhook goes: `none` without a template, `invalid` when its event has no form in a URL. */
  route(topic: WebhookTopic): Pick<WebhookRequest, 'origin' | 'path'> | 'none' | 'invalid';
  /** Posts it when its hub has a place for it. Never rejects. */
  post(webhook: Webhook): Promise<WebhookOutcome>;
  /** Keeps so many bytes for this client more, or fewer. */
  hold(bytes: number): void;
  /** May more be kept, with so many bytes of this client waiting already? */
  hasRoom(waitingBytes: number): boolean;
  /** The trace of what is being done at this moment. */
  cause(): Trace | undefined;
  /** So many bytes of an answer were written to the client. */
  delivered(bytes: number): void;
  /** It will not be posted. */
  dropped(kind: WebhookKind): void;
  /** From now on another node posts the end of this client if this node dies. */
  keepWill(client: Testator): void;
  /** The end of this client was posted, or is not to be. */
  dropWill(): void;
  /** After its end, what a client said is still posted for so long, in ms. */
  readonly afterlifeMs: number;
}

/** What becomes of an invocation. */
export type Fate = 'taken' | 'none' | 'invalid' | 'slow';

interface Waiting extends Webhook {
  readonly bytes: number;
  ended(outcome: WebhookOutcome): void;
}

/** What the end of a client is. */
export const endTopic = { category: 'connections', event: 'disconnected' } as const;
/** Beside its body: headers, URL, the object itself. */
const besideBody = 1024;
/** An answer to `connected` that does not want the client. */
const refused = 403;
const refusal = 'Connection closed with an error.';

/** The webhooks of one client: one at a time, in order, `connected` first and `disconnected` last. */
export class ClientWebhooks implements Testator {
  readonly #site: WebhookSite;
  readonly #client: Client;
  readonly #protocol: HubProtocol;
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #running = false;
  #raised = false;
  #leftAt: number | undefined;

  constructor(site: WebhookSite, client: Client, protocol: HubProtocol) {
    this.#site = site;
    this.#client = client;
    this.#protocol = protocol;
  }

  /** The client is connected. False: there is no room for one more. */
  connected(): boolean {
    if (!this.#site.hasRoom(this.#bytes)) return false;
    this.#raised = true;
    this.#add('connected', { category: 'connections', event: 'connected' }, connectedBody(), (outcome) => {
      if (outcome.kind === 'answer' && outcome.status === refused) this.#refuse();
    });
    this.#keepWill();
    return true;
  }

  /** Its login was renewed: webhooks that come from now on tell its new claims, and so does the one of its end. */
  renewed(claims: Claims): void {
    this.#site.renew(claims);
    if (this.#raised) this.#keepWill();
  }

  #keepWill(): void {
    const end = this.#site.route({ hub: this.#client.hub, ...endTopic });
    if (typeof end !== 'string') this.#site.keepWill(this);
  }

  /** The client invoked something; `record` is its message without the frame, and is copied. */
  invocation({ target, invocationId, headers }: InvocationMessage, record: Uint8Array): Fate {
    if (!this.#site.hasRoom(this.#bytes)) return 'slow';
    const answer = (outcome: WebhookOutcome): void => {
      if (invocationId) this.#send(completionOf(this.#protocol, invocationId, outcome));
    };
    const topic = { category: 'messages', event: target } as const;
    const cause = readTraceparent(headers?.['traceparent']);
    return this.#add('message', topic, Buffer.from(record), answer, { answered: Boolean(invocationId), cause });
  }

  /** The client is gone. What it said before is still posted, unless that was too much; then its end, exactly once. */
  left(reason: CloseReason): void {
    this.#leftAt = performance.now();
    if (reason === 'app_slow') this.#dropWaiting();
    if (!this.#raised) return;
    this.#raised = false;
    const body = disconnectedBody(reason === 'client_left' ? undefined : reason);
    this.#add('disconnected', endTopic, body, () => this.#site.dropWill());
  }

  close(reason: CloseReason): void {
    this.#client.close(reason);
  }

  willDone(): void {
    this.#raised = false;
  }

  #add(
    kind: WebhookKind,
    topic: Omit<WebhookTopic, 'hub'>,
    body: Uint8Array,
    ended: (outcome: WebhookOutcome) => void,
    { answered, cause }: Pick<Webhook, 'answered' | 'cause'> = { answered: false, cause: this.#site.cause() },
  ): Exclude<Fate, 'slow'> {
    const { hub } = this.#client;
    const route = this.#site.route({ hub, ...topic });
    if (typeof route === 'string') return route;
    const type = kind === 'message' ? webhookContentTypes[this.#protocol.name] : webhookContentTypes.json;
    const own = [...writeWebhookEvent(topic.category, topic.event), ['content-type', type]].flat();
    const request = { ...route, headers: [...this.#site.headers, ...own], body };
    const bytes = body.length + besideBody;
    this.#count(bytes);
    this.#waiting.push({ kind, hub, request, answered, cause, bytes, ended });
    if (!this.#running) void this.#run();
    return 'taken';
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#site.hold(bytes);
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const outcome = await this.#site.post(next);
      this.#count(-next.bytes);
      next.ended(outcome);
    }
    this.#running = false;
  }

  /** Of a client that left, what could not be posted in time is dropped, but never its end. */
  #next(): Waiting | undefined {
    const over = this.#leftAt !== undefined && performance.now() - this.#leftAt > this.#site.afterlifeMs;
    if (over && this.#waiting[0]?.kind !== 'disconnected') this.#dropWaiting();
    return this.#waiting.shift();
  }

  /** All but the end of the connection. */
  #dropWaiting(): void {
    const kept = this.#waiting.filter(({ kind }) => kind === 'disconnected');
    for (const { kind, bytes } of this.#waiting) {
      if (kind === 'disconnected') continue;
      this.#count(-bytes);
      this.#site.dropped(kind);
    }
    this.#waiting.splice(0, this.#waiting.length, ...kept);
  }

  /** The app does not want this client: it is told not to come back, and nothing more is posted of it. */
  #refuse(): void {
    this.#raised = false;
    this.#site.dropWill();
    this.#dropWaiting();
    for (const { bytes } of this.#waiting.splice(0)) this.#count(-bytes); // the end of one who was never taken
    if (this.#client.state !== 'open') return;
    this.#send(this.#protocol.write({ kind: 'close', error: refusal, allowReconnect: false }));
    this.#client.finish('closed_by_app');
  }

  #send(bytes: Uint8Array): void {
    if (this.#client.state !== 'open') return;
    this.#client.send({ bytes, binary: this.#protocol.binary });
    this.#site.delivered(bytes.length);
  }
}
