import type { DisconnectReason, HubEvent } from '../hub.ts';
import type { CloseMessage, CompletionMessage, HubMessage, HubProtocol } from '../protocol/hub.ts';
import { Call, type CallMessage, type CallSite, type HubParts } from './call.ts';
import { callHub, type Door, departedHub } from './caller.ts';
import { CallerContext } from './caller-context.ts';
import { Calls } from './calls.ts';
import { frameAgain } from './frames.ts';
import type { OpenClient } from './gateway.ts';
import { throughFilters } from './invoke.ts';
import { LazySignal } from './lazy-signal.ts';
import { Load } from './load.ts';
import type { ClientResults } from './results.ts';
import { errorText, isHubException, texts, withDetail } from './texts.ts';
import { Uploads } from './uploads.ts';

/** How a hub ends a connection: the reason, and what its client is told. */
export interface Closing {
  readonly kind: DisconnectReason['kind'];
  /** For the client. Absent: a normal end. */
  readonly text?: string | undefined;
  readonly error?: Error;
  /** Whether the client may come back; default false. */
  readonly allowReconnect?: boolean;
}

/** What a session needs of its connection. */
export interface SessionSite {
  readonly parts: HubParts;
  readonly client: OpenClient;
  readonly door: Door;
  readonly protocol: HubProtocol;
  readonly results: ClientResults;
  write(message: HubMessage): Promise<void>;
  close(closing: Closing): void;
}

/** Bytes of one client that may wait for its hub. */
const maxLoad = 1 << 20;

/** How long calls may take to end when their connection has. */
const settleMs = 1000;

/** Questions of other servers that one client has not answered; the oldest are forgotten. */
const maxExpected = 1000;

/** One client between its handshake and its end: what its messages mean. Throws what the maker of `items` throws. */
export class Session implements CallSite {
  readonly parts: HubParts;
  readonly #site: SessionSite;
  readonly #context: CallerContext;
  readonly #load: Load;
  readonly #calls: Calls;
  readonly #uploads: Uploads;
  readonly #signal = new LazySignal();
  readonly #expected = new Set<string>();
  #connected: Promise<boolean> = Promise.resolve(false);

  constructor(site: SessionSite) {
    const { parts, client, protocol } = site;
    const { plan } = parts;
    this.#site = site;
    this.parts = parts;
    this.#load = new Load(Math.max(maxLoad, plan.maxMessageBytes), () => this.#fail('app_slow', slow(plan.name)));
    this.#calls = new Calls(plan.parallelInvocations, this.#load);
    this.#uploads = new Uploads(plan.uploadBuffer, this.#load);
    this.#context = new CallerContext(client, {
      protocol: protocol.name,
      items: plan.items(),
      signal: this.#signal,
      abort: (text) => site.close({ kind: 'closed_by_app', text }),
    });
  }

  /** Bytes that wait. */
  get load(): number {
    return this.#load.bytes;
  }

  /** Runs `onConnected`; the calls that came meanwhile start after it. */
  start(): void {
    this.#connected = this.parts.activity.track(this.#connect());
  }

  /** A message of the client; `record` are its bytes without their frame. */
  take(message: HubMessage, record: Uint8Array): void {
    const { length } = record;
    if (message.kind === 'invocation' || message.kind === 'streamInvocation') this.#call(message, length);
    else if (message.kind === 'streamItem') this.#uploads.item(message.invocationId, message.item, length);
    else if (message.kind === 'completion') this.#completion(message, record);
    else if (message.kind === 'cancelInvocation') this.#calls.cancel(message.invocationId);
    else if (message.kind === 'close') this.#leave(message);
    // A ping has done its work by coming; acks and sequences belong to stateful reconnect, which nobody was offered.
  }

  /** Another server asked this client; its answer goes back through the gateway. */
  expect(invocationId: string): void {
    this.#expected.add(invocationId);
    const [oldest] = this.#expected;
    if (this.#expected.size > maxExpected && oldest !== undefined) this.#expected.delete(oldest);
  }

  /** The hub of a call. */
  hubOf(call: Call): unknown {
    return callHub({
      door: this.#site.door,
      context: this.#context,
      headers: call.message.headers,
      signal: call.signal,
      asks: () => call.leavePlace(),
    });
  }

  write(message: HubMessage): Promise<void> {
    return this.#site.write(message);
  }

  /** Ends what is under way, then runs `onDisconnected` if `onConnected` ended well. Never rejects. */
  async end(reason: DisconnectReason): Promise<void> {
    const { connectionId } = this.#context;
    this.#signal.abort();
    this.#calls.end();
    this.#uploads.close(connectionId);
    this.#site.results.gone(connectionId);
    if (!(await this.#connected)) return;
    await this.#calls.settled(settleMs);
    await this.#disconnect(reason);
  }

  async #connect(): Promise<boolean> {
    const { plan } = this.parts;
    const { door } = this.#site;
    const nothing = (): void => undefined;
    const hub = callHub({ door, context: this.#context, headers: {}, signal: this.#signal, asks: nothing });
    try {
      await this.#event({ kind: 'connected', hub }, () => plan.onConnected(hub));
    } catch (error) {
      this.#refuse(error);
      return false;
    }
    this.#calls.start();
    return true;
  }

  async #disconnect(reason: DisconnectReason): Promise<void> {
    const hub = departedHub(this.#site.door, this.#context);
    try {
      await this.#event({ kind: 'disconnected', hub, reason }, () => this.parts.plan.onDisconnected(hub, reason));
    } catch (error) {
      this.parts.logger.error({ hub: this.parts.name, error: errorText(error) }, 'onDisconnected failed');
    }
  }

  #event(event: HubEvent, last: () => unknown): Promise<unknown> {
    return throughFilters(this.parts.filters, event, last);
  }

  /** `onConnected` did not want this client, or failed. */
  #refuse(cause: unknown): void {
    const { name, logger, plan } = this.parts;
    if (!isHubException(cause)) logger.error({ hub: name, error: errorText(cause) }, 'onConnected failed');
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#site.close({ kind: 'closed_by_app', text: withDetail(texts.closed, cause, plan.detailedErrors), error });
  }

  #leave({ error }: CloseMessage): void {
    this.#site.close({ kind: 'client_left', ...(error !== undefined && { error: new Error(error) }) });
  }

  #call(message: CallMessage, bytes: number): void {
    const error = this.#idTaken(message);
    const { invocationId, streamIds = [] } = message;
    if (error !== undefined) {
      if (invocationId !== undefined) this.write({ kind: 'completion', invocationId, error }).catch(linkGone);
      return;
    }
    const call = new Call(this, message, bytes);
    for (const id of streamIds) call.open((closed) => this.#uploads.open(id, closed));
    this.#calls.add(call);
  }

  #idTaken({ invocationId, streamIds = [] }: CallMessage): string | undefined {
    if (invocationId !== undefined && this.#calls.has(invocationId)) return texts.idInUse(invocationId);
    const taken = this.#uploads.taken(streamIds);
    return taken === undefined ? undefined : texts.streamIdInUse(taken);
  }

  /** The end of an upload, or the answer to a question. An id that nobody knows is left alone: it may be late. */
  #completion(message: CompletionMessage, record: Uint8Array): void {
    if (this.#uploads.complete(message)) return;
    const { protocol, results, client } = this.#site;
    const { invocationId } = message;
    const { connectionId } = this.#context;
    const fate = results.answered(connectionId, message);
    if (fate === 'wrong connection') this.#fail('bad_message', texts.wrongConnection(connectionId, invocationId));
    if (fate === 'taken and told') client.gateway.answer({ invocationId, connectionId });
    if (fate !== 'unknown' || !this.#expected.delete(invocationId)) return;
    const frame = frameAgain(protocol, record);
    client.gateway.answer({ invocationId, connectionId, protocol: protocol.name, frame });
  }

  #fail(kind: Closing['kind'], detail: string): void {
    const text = this.parts.plan.detailedErrors ? `${texts.closed} ${detail}` : texts.closed;
    this.#site.close({ kind, text, error: new Error(detail), allowReconnect: true });
  }
}

function slow(hub: string): string {
  return `more than ${maxLoad} bytes waited for hub "${hub}"`;
}

function linkGone(): void {
  // The host ends the connections of a link that is gone.
}
