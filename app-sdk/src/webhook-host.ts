import { Activity } from './hub/activity.ts';
import { Call, type CallSite, type HubParts } from './hub/call.ts';
import { callHub, departedHub } from './hub/caller.ts';
import { throughFilters } from './hub/invoke.ts';
import { type HubPlan, planOf } from './hub/plan.ts';
import { errorText, isHubException, texts, withDetail } from './hub/texts.ts';
import type { DisconnectReason, HubDefinition, HubEvent, HubFilter } from './hub.ts';
import type { Logger, Tell } from './observe.ts';
import type { HubMessage, HubProtocol, InvocationMessage } from './protocol/hub.ts';
import type { WebhookHead } from './protocol/webhook-headers.ts';
import type { SignalboxClient } from './signalbox-client.ts';
import { close, Visit } from './webhook-visit.ts';

/** What a host of a hub is made of. */
export interface WebhookHostParts {
  readonly definition: HubDefinition;
  readonly filters: readonly HubFilter[];
  readonly logger: Logger;
  readonly tell: Tell;
  /** Of the same hub. */
  readonly client: SignalboxClient;
}

/** How the service names ends that are no failures. */
const normalEnds = ['client_left', 'closed_by_app', 'drain'] as const;
const failedEnds = ['idle', 'bad_message', 'too_large', 'app_slow'] as const;

/** Our gateway gives the word for the reason; other services give a text, or nothing. */
function reasonOf(text: string | undefined): DisconnectReason {
  if (text === undefined || text === '') return { kind: 'client_left' };
  const normal = normalEnds.find((kind) => kind === text);
  if (normal !== undefined) return { kind: normal };
  return { kind: failedEnds.find((kind) => kind === text) ?? 'other', error: new Error(text) };
}

/** One hub whose clients are told of by webhooks. */
export class WebhookHost {
  readonly name: string;
  readonly client: SignalboxClient;
  readonly plan: HubPlan;
  readonly #parts: HubParts;

  /** Throws `TypeError` for a hub that keeps items: nobody is there to keep them from one event to the next. */
  constructor({ definition, filters, logger, tell, client }: WebhookHostParts) {
    const plan = planOf(definition);
    if (plan.keepsItems) {
      throw new TypeError(`hub "${plan.name}" must have no "items" to be run by webhooks, which keep nothing`);
    }
    this.name = client.name;
    this.client = client;
    this.plan = plan;
    const activity = new Activity();
    this.#parts = { name: client.name, plan, filters: [...filters, ...plan.filters], logger, tell, activity };
  }

  /** A client came. False: `onConnected`, or a filter, did not want it. `closes`: the service must be asked to end it. */
  async connected(head: WebhookHead, closes: boolean): Promise<boolean> {
    const { tell, name } = this.#parts;
    tell('clientConnected', { hub: name });
    const visit = new Visit(this.plan, this.client, head, 'json');
    const { door, context, signal } = visit;
    const hub = callHub({ door, context, headers: {}, signal, asks: nothing });
    try {
      await this.#event({ kind: 'connected', hub }, () => this.plan.onConnected(hub));
      return true;
    } catch (error) {
      await this.#refused(error, closes ? head.connectionId : undefined);
      return false;
    } finally {
      await visit.settled();
    }
  }

  /** A client left. Rejects with what `onDisconnected`, or a filter, throws; it was logged. */
  async disconnected(head: WebhookHead, text: string | undefined): Promise<void> {
    const { tell, logger, name } = this.#parts;
    const reason = reasonOf(text);
    tell('clientDisconnected', { hub: name, reason: reason.kind, ms: 0 });
    const visit = new Visit(this.plan, this.client, head, 'json');
    visit.signal.abort();
    const hub = departedHub(visit.door, visit.context);
    try {
      await this.#event({ kind: 'disconnected', hub, reason }, () => this.plan.onDisconnected(hub, reason));
    } catch (error) {
      logger.error({ hub: name, error: errorText(error) }, 'onDisconnected failed');
      throw error;
    } finally {
      await visit.settled();
    }
  }

  /** A client calls. Gives the framed Completion, or nothing when it wants none. */
  async invoked(head: WebhookHead, protocol: HubProtocol, message: InvocationMessage, bytes: number) {
    const written = new Written(protocol);
    if (message.streamIds !== undefined) {
      const { invocationId, target } = message;
      if (invocationId !== undefined) written.add({ kind: 'completion', invocationId, error: noStreams(target) });
      return written.bytes;
    }
    const visit = new Visit(this.plan, this.client, head, protocol.name);
    const { door, context } = visit;
    const site: CallSite = {
      parts: this.#parts,
      hubOf: ({ message: { headers }, signal }) => callHub({ door, context, headers, signal, asks: nothing }),
      write: (answer) => written.add(answer),
    };
    const call = new Call(site, message, bytes);
    await call.run();
    call.end();
    await visit.settled();
    return written.bytes;
  }

  #event(event: HubEvent, last: () => unknown): Promise<unknown> {
    return throughFilters(this.#parts.filters, event, last);
  }

  async #refused(cause: unknown, connectionId: string | undefined): Promise<void> {
    const { name, logger } = this.#parts;
    if (!isHubException(cause)) logger.error({ hub: name, error: errorText(cause) }, 'onConnected failed');
    if (connectionId === undefined) return;
    const reason = withDetail(texts.closed, cause, this.plan.detailedErrors);
    await close(this.client, connectionId, reason).catch((error: unknown) => {
      logger.error({ hub: name, error: errorText(error) }, 'a client that was refused could not be closed');
    });
  }
}

/** The one message that answers a webhook. Throws at once when it has no form in the client's protocol. */
class Written {
  bytes: Uint8Array | undefined;
  readonly #protocol: HubProtocol;

  constructor(protocol: HubProtocol) {
    this.#protocol = protocol;
  }

  add(message: HubMessage): Promise<void> {
    this.bytes = this.#protocol.write(message);
    return Promise.resolve();
  }
}

function noStreams(target: string): string {
  return `Failed to invoke '${target}': a hub behind webhooks takes no streams.`;
}

function nothing(): void {
  // A webhook holds no place in line.
}
