import type { DisconnectReason } from '../hub.ts';
import { TooLargeError } from '../protocol/errors.ts';
import { RecordSplitter, recordSeparator, type Splitter } from '../protocol/framing.ts';
import { acceptHandshake, handshakeErrors, handshakeResponse, parseHandshakeRequest } from '../protocol/handshake.ts';
import type { HubMessage, HubProtocol } from '../protocol/hub.ts';
import type { HubParts } from './call.ts';
import type { Door } from './caller.ts';
import { encodeOne } from './frames.ts';
import type { Gateway, OpenClient, OutputKind } from './gateway.ts';
import { KeepAlive } from './keep-alive.ts';
import type { ClientResults } from './results.ts';
import { type Closing, Session } from './session.ts';
import { errorText, isHubException, texts, withDetail } from './texts.ts';

/** What a connection needs of its runtime. */
export interface ConnectionSite {
  readonly parts: HubParts;
  readonly results: ClientResults;
  readonly door: Door;
  /** The connection ended: called once, before `end` returns. */
  left(): void;
}

/** After the handshake: how messages are read and written, and what they mean. */
interface Spoken {
  readonly protocol: HubProtocol;
  readonly splitter: Splitter;
  readonly keepAlive: KeepAlive;
  readonly session: Session;
  readonly since: number;
}

/** One client of this server, fed by its host. Goes from handshake to messages to its end; nothing it is fed throws. */
export class HubConnection {
  readonly connectionId: string;
  readonly gateway: Gateway;
  readonly #site: ConnectionSite;
  readonly #client: OpenClient;
  readonly #openedAt = performance.now();
  readonly #handshake: Splitter;
  #spoken: Spoken | undefined;
  #ending: Promise<void> | undefined;

  constructor(site: ConnectionSite, client: OpenClient) {
    this.#site = site;
    this.#client = client;
    this.connectionId = client.connectionId;
    this.gateway = client.gateway;
    this.#handshake = new RecordSplitter({ limit: site.parts.plan.maxMessageBytes });
  }

  /** Bytes that wait for the hub. Over 1 MiB the connection closes itself, `app_slow`. */
  get load(): number {
    return this.#spoken?.session.load ?? 0;
  }

  /** Whether the handshake was accepted, and the client can be asked. */
  get connected(): boolean {
    return this.#spoken !== undefined;
  }

  /** The next bytes of the client, cut anywhere. They are kept in views: nobody may change them afterwards. */
  receive(bytes: Uint8Array): void {
    if (this.#ending !== undefined) return;
    const rest = this.#spoken === undefined ? this.#shakeHands(bytes) : bytes;
    if (this.#spoken !== undefined && rest.length > 0) this.#read(this.#spoken, rest);
  }

  /** The client is gone, or not ours any more: nothing is written. Resolves after `onDisconnected`. Idempotent. */
  end(reason: DisconnectReason): Promise<void> {
    if (this.#ending === undefined) {
      this.#site.left();
      this.#ending = this.#site.parts.activity.track(this.#finish(reason));
    }
    return this.#ending;
  }

  /** Ends the client from here: it is told, and its host is. Resolves as `end` does. */
  close(
    kind: DisconnectReason['kind'],
    { error, allowReconnect = false }: { error?: string; allowReconnect?: boolean } = {},
  ): Promise<void> {
    return this.#close({ kind, text: error, allowReconnect });
  }

  /** Sends a question to this client. Throws ERR_ENCODE; rejects when the link is gone. */
  async ask(invocationId: string, target: string, args: readonly unknown[]): Promise<void> {
    if (this.#spoken === undefined) throw new TypeError('a client must have shaken hands to be asked');
    await this.#out(encodeOne(this.#spoken.protocol, target, args, invocationId), 'message');
  }

  /** Another server asked this client. */
  expect(invocationId: string): void {
    this.#spoken?.session.expect(invocationId);
  }

  /** Looks at the clock: the handshake, the next ping, the client's silence. */
  beat(now: number): void {
    const { handshakeTimeoutMs, detailedErrors } = this.#site.parts.plan;
    if (this.#spoken === undefined) {
      if (now - this.#openedAt >= handshakeTimeoutMs) void this.#refuse(handshakeErrors.canceled);
      return;
    }
    const due = this.#spoken.keepAlive.due(now);
    if (due === 'ping') this.#out(this.#spoken.protocol.write({ kind: 'ping' }), 'ping').catch(linkGone);
    if (due !== 'idle') return;
    const text = detailedErrors ? `${texts.closed} ${texts.idle}` : texts.closed;
    void this.#close({ kind: 'idle', text, error: new Error(texts.idle), allowReconnect: true });
  }

  /** Gives what follows the handshake request; nothing while it is not whole, and when it was refused. */
  #shakeHands(bytes: Uint8Array): Uint8Array {
    const end = bytes.indexOf(recordSeparator) + 1;
    const record = this.#request(end === 0 ? bytes : bytes.subarray(0, end));
    if (record !== undefined) this.#answer(record);
    return this.#spoken === undefined ? none : bytes.subarray(end);
  }

  #request(bytes: Uint8Array): Uint8Array | undefined {
    try {
      const [record] = this.#handshake.push(bytes);
      return record;
    } catch {
      // Only its length can be wrong.
      void this.#refuse(handshakeErrors.canceled);
      return undefined;
    }
  }

  #answer(record: Uint8Array): void {
    const request = parseHandshakeRequest(record);
    const answer = request.kind === 'refusal' ? request : acceptHandshake(request);
    if (answer.kind === 'refusal') return void this.#refuse(answer.error);
    const { name } = answer.protocol;
    // By name: the plan may come from another copy of this package.
    if (!this.#site.parts.plan.protocols.some((protocol) => protocol.name === name)) {
      return void this.#refuse(handshakeErrors.protocol(name));
    }
    this.#out(handshakeResponse(), 'handshake').catch(linkGone);
    this.#start(answer.protocol);
  }

  #start(protocol: HubProtocol): void {
    const { parts, results, door } = this.#site;
    const { plan, tell, name } = parts;
    const since = performance.now();
    try {
      const session = new Session({
        parts,
        results,
        door,
        client: this.#client,
        protocol,
        write: (message) => this.#write(protocol, message),
        close: (closing) => void this.#close(closing),
      });
      const splitter = protocol.split({ limit: plan.maxMessageBytes });
      this.#spoken = { protocol, splitter, keepAlive: new KeepAlive(plan, since), session, since };
    } catch (error) {
      this.#noItems(protocol, error);
      return;
    }
    tell('clientConnected', { hub: name });
    this.#spoken.session.start();
  }

  #noItems(protocol: HubProtocol, error: unknown): void {
    const { name, logger, plan } = this.#site.parts;
    if (!isHubException(error)) logger.error({ hub: name, error: errorText(error) }, 'items failed');
    void this.#close({ kind: 'closed_by_app', text: withDetail(texts.closed, error, plan.detailedErrors) }, protocol);
  }

  #read({ protocol, splitter, keepAlive, session }: Spoken, bytes: Uint8Array): void {
    try {
      for (const record of splitter.push(bytes)) {
        const message = protocol.parse(record);
        keepAlive.received(performance.now(), message?.kind === 'ping');
        if (message !== undefined) session.take(message, record);
        if (this.#ending !== undefined) return;
      }
    } catch (error) {
      this.#unreadable(error);
    }
  }

  #unreadable(cause: unknown): void {
    const { detailedErrors, maxMessageBytes } = this.#site.parts.plan;
    const tooLarge = cause instanceof TooLargeError;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    const detail = tooLarge ? texts.tooLarge(maxMessageBytes) : `InvalidDataException: ${error.message}`;
    const text = detailedErrors ? `${texts.closed} ${detail}` : texts.closed;
    void this.#close({ kind: tooLarge ? 'too_large' : 'bad_message', text, error, allowReconnect: true });
  }

  #write(protocol: HubProtocol, message: HubMessage): Promise<void> {
    return this.#out(protocol.write(message), 'message');
  }

  /** After its end nothing goes to a client any more. */
  #out(bytes: Uint8Array, kind: OutputKind): Promise<void> {
    return this.#ending === undefined ? this.#client.wire.write(bytes, kind) : Promise.resolve();
  }

  #refuse(error: string): Promise<void> {
    if (this.#ending !== undefined) return this.#ending;
    this.#out(handshakeResponse(error), 'handshake').catch(linkGone);
    this.#client.wire.close(error);
    return this.end({ kind: 'other', error: new Error(error) });
  }

  #close({ kind, text, error, allowReconnect = false }: Closing, protocol = this.#spoken?.protocol): Promise<void> {
    if (this.#ending !== undefined) return this.#ending;
    if (protocol === undefined) return this.#refuse(handshakeErrors.canceled);
    const said = text || undefined;
    this.#out(protocol.write({ kind: 'close', error: said, allowReconnect }), 'close').catch(linkGone);
    this.#client.wire.close(said);
    const cause = error ?? (said === undefined ? undefined : new Error(said));
    return this.end({ kind, ...(cause && { error: cause }) });
  }

  /** A turn later, so that whatever the end sets off finds a connection that has ended. */
  async #finish(reason: DisconnectReason): Promise<void> {
    await Promise.resolve();
    if (this.#spoken === undefined) return;
    const { name, tell } = this.#site.parts;
    const { session, since } = this.#spoken;
    tell('clientDisconnected', { hub: name, reason: reason.kind, ms: performance.now() - since });
    await session.end(reason);
  }
}

const none = new Uint8Array(0);

function linkGone(): void {
  // The host ends the connections of a link that is gone.
}
