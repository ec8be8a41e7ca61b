import type { ClientKind } from '../observe/events.ts';
import type { CloseReason } from '../reasons.ts';
import type { App, Client, ClientState } from './app.ts';
import type { ClientOrigin } from './origin.ts';
import type { Outbox, Owing } from './outbox.ts';
import type { Frame, Transport } from './transport.ts';

/** Who a client is: what its token said, read once where the connection started. */
export interface Identity {
  readonly hub: string;
  readonly connectionId: string;
  /** Non-empty, or undefined for an anonymous client. */
  readonly userId: string | undefined;
  /** May this client see why it was closed (claim `asrs.s.derror`)? */
  readonly detailedErrors: boolean;
  /** When its login ends (claims `asrs.s.coae`, `asrs.s.aeo`), in ms since 1970; undefined: never. */
  readonly authExpires: number | undefined;
  /** Time for the handshake request in ms. */
  readonly handshakeMs: number;
  /** For an app server, should one carry it. */
  readonly origin?: ClientOrigin | undefined;
}

/** What a connection asks of its surroundings; one object serves all connections of a node. */
export interface ConnectionOwner {
  readonly outbox: Pick<Outbox, 'add' | 'writeNow' | 'writeOwed' | 'welcomeBytes'>;
  /** `performance.now()` as of the last second: precise enough for time-outs, and free. */
  now(): number;
  /** The hub Close message for this hub protocol. */
  closeFrame(connection: Connection, reason: CloseReason, detail: string | undefined): Frame | undefined;
  opened(connection: Connection): void;
  ended(connection: Connection, reason: CloseReason): void;
}

/**
 * One client. Every message to a client passes {@link send} or {@link sendDirect}, and nothing else writes to its
 * transport: the choke point on which a resume can later be built.
 */
export class Connection implements Client, Owing {
  readonly id: string;
  readonly hub: string;
  readonly userId: string | undefined;
  readonly detailedErrors: boolean;
  /** When its login ends, in ms since 1970; undefined: never. */
  authExpires: number | undefined;
  readonly handshakeMs: number;
  origin: ClientOrigin | undefined;
  readonly transport: Transport;
  /** Lower-cased name of its hub protocol; empty until the handshake request came. */
  protocol = '';
  state: ClientState = 'opening';
  /** Groups it is in; undefined while there is none, for most clients never join one. */
  groups: Set<string> | undefined;
  app: App | undefined;
  /** When its transport was up, on the clock of `performance.now`. */
  readonly since: number;
  /** Units of its transport that came from it, and their bytes; frames it was sent, and theirs. */
  receivedUnits = 0;
  receivedBytes = 0;
  sentFrames = 0;
  sentBytes = 0;
  /** When bytes last came from it, on the owner's clock. */
  lastReceived: number;
  /** When it was last pinged; before that, when it arrived. */
  lastPinged: number;
  /** Has it ever sent a hub ping? Only then does the client time-out run (hub-protocol section 10). */
  pings = false;
  /** The outbox' own: what is owed within this turn. */
  owed: Frame | Frame[] | undefined;
  #waiting: Frame[] | undefined;
  #waitingBytes = 0;
  #owner: ConnectionOwner;

  constructor(identity: Identity, transport: Transport, owner: ConnectionOwner) {
    this.id = identity.connectionId;
    this.hub = identity.hub;
    this.userId = identity.userId;
    this.detailedErrors = identity.detailedErrors;
    this.authExpires = identity.authExpires;
    this.handshakeMs = identity.handshakeMs;
    this.origin = identity.origin;
    this.transport = transport;
    this.#owner = owner;
    this.since = performance.now();
    this.lastReceived = this.since;
    this.lastPinged = this.lastReceived;
  }

  /** For the metrics; its mode is known from the handshake on. */
  get kind(): ClientKind {
    const { hub, protocol, app } = this;
    return { hub, transport: this.transport.kind, protocol, mode: app?.mode ?? '' };
  }

  /** Sends to a handshaken client, in order, within this turn. Others are skipped: broadcasts and group sends. */
  send(frame: Frame): void {
    if (this.state === 'open') this.#owe(frame);
  }

  #owe(frame: Frame): void {
    this.sentFrames++;
    this.sentBytes += frame.bytes.length;
    this.#owner.outbox.add(this, frame);
  }

  /**
   * Its surroundings are others from now on. How a client is followed: its frames pass an outbox that tells of them, and
   * whoever is not followed pays nothing for it.
   */
  reroute(owner: ConnectionOwner): void {
    this.#owner = owner;
  }

  /** Bytes that wait for it, within this turn and in its transport. */
  get queuedBytes(): number {
    const owed = this.owed === undefined ? [] : [this.owed].flat();
    return owed.reduce((sum, { bytes }) => sum + bytes.length, this.#waitingBytes + this.transport.buffered());
  }

  /**
   * Sends, or keeps for a client that has not finished its handshake: sends to a user or a connection.
   * @returns false when the line of such a client was full (setting SIGNALBOX_WELCOME_QUEUE_BYTES) or it has ended.
   */
  sendDirect(frame: Frame): boolean {
    if (this.state === 'open') this.#owe(frame);
    else if (this.state === 'joining') return this.#wait(frame);
    return this.state === 'open';
  }

  #wait(frame: Frame): boolean {
    if (this.#waitingBytes + frame.bytes.length > this.#owner.outbox.welcomeBytes) return false;
    this.#waiting ??= [];
    this.#waiting.push(frame);
    this.#waitingBytes += frame.bytes.length;
    return true;
  }

  /** The handshake is answered with `response`; from now on fan-out reaches the client, what waited goes first. */
  accept(response: Frame): void {
    if (this.state !== 'joining') return;
    this.state = 'open';
    this.#owe(response);
    for (const frame of this.#waiting ?? []) this.#owe(frame);
    this.#waiting = undefined;
    this.#waitingBytes = 0;
    this.#owner.opened(this);
  }

  /**
   * The handshake is refused with `response`, then the transport ends. As text for every hub protocol, as ASP.NET Core does:
   * none was agreed on.
   */
  refuse(response: Uint8Array, reason: CloseReason): void {
    if (this.state === 'closed') return;
    this.#owner.outbox.writeNow(this, { bytes: response, binary: false });
    this.#end(reason);
  }

  /**
   * Ends the connection: what is owed, a hub Close message when it was handshaken, then the transport.
   * `detail` is shown only to clients that may see it. Later calls do nothing.
   */
  close(reason: CloseReason, detail?: string): void {
    if (this.state === 'closed') return;
    const frame = this.state === 'open' ? this.#owner.closeFrame(this, reason, detail) : undefined;
    if (frame !== undefined && reason !== 'slow') this.#owner.outbox.writeNow(this, frame);
    this.#end(reason);
  }

  /** Ends the connection after what is owed, without a Close message: the app has written its own where it wanted one. */
  finish(reason: CloseReason): void {
    if (this.state === 'closed') return;
    this.#owner.outbox.writeOwed(this);
    this.#end(reason);
  }

  /** The transport is gone, or the client said Close. */
  gone(reason: CloseReason = 'client_left'): void {
    this.#end(reason);
  }

  /** Ends once: a client may turn out to be slow while its last frame is written. */
  #end(reason: CloseReason): void {
    if (this.state === 'closed') return;
    const app = this.app;
    this.#owner.ended(this, reason);
    this.state = 'closed';
    this.owed = undefined;
    this.#waiting = undefined;
    this.transport.end();
    app?.left(this, reason);
  }
}
