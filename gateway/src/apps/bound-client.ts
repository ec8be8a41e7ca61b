import {
  handshakeErrors,
  handshakeResponse,
  parseHandshakeResponse,
  recordSeparator,
} from '@signalbox/app-sdk/protocol';
import { longNamed, renewedClaims } from '../auth/login-claims.ts';
import type { App, Client, LoginChange, LoginOutcome } from '../core/app.ts';
import type { Events } from '../observe/events.ts';
import type { CloseReason } from '../reasons.ts';
import type { Carrier } from './carrier.ts';
import { HubCut } from './hub-cut.ts';
import type { CarriedClient, ClientInfo } from './link.ts';

/** What a bound client needs of its surroundings. */
export interface BoundClientHost {
  readonly events: Pick<Events, 'received' | 'delivered'>;
  /** Runs something in the order of the hub. */
  inOrder(hub: string, act: () => void): void;
  /** The client is over. */
  ended(client: BoundClient): void;
  /** Finds another way for a client whose app server leaves. @returns false when there is none. */
  migrate(client: BoundClient): boolean;
  /** Most bytes of one hub message from an app. */
  readonly messageBytes: number;
  /** Most bytes of a client that wait while its way is being opened. */
  readonly queueBytes: number;
}

/** Reasons that an app sees as a clean end. */
const clean: ReadonlySet<CloseReason> = new Set(['client_left', 'closed_by_app', 'drain', 'auth_expired']);

/** One client of a hub that runs in app servers: its bytes go to its link untouched, and the app's bytes to it. */
export class BoundClient implements App, CarriedClient {
  readonly mode = 'default';
  readonly pings = false;
  readonly connection: Client;
  info: ClientInfo;
  /** Bytes of its handshake request: a new app server must see them too. */
  readonly request: Uint8Array;
  readonly #host: BoundClientHost;
  readonly #cut: HubCut;
  /** Number of its present way. */
  stream = 0;
  #carrier: Carrier | undefined;
  /** What came while a way was being opened. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Number of the last piece from a link elsewhere. */
  #lastPiece = 0;
  #handshake: Uint8Array | undefined;

  constructor(connection: Client, info: ClientInfo, request: Uint8Array, host: BoundClientHost) {
    this.connection = connection;
    this.info = info;
    this.request = request;
    this.#host = host;
    this.#cut = new HubCut(connection.protocol, host.messageBytes);
  }

  get connectionId(): string {
    return this.info.connectionId;
  }

  /** Its way; undefined while one is being opened. */
  get carrier(): Carrier | undefined {
    return this.#carrier;
  }

  get carriedBy(): { server: string; node: string } | undefined {
    return this.#carrier && { server: this.#carrier.server, node: this.#carrier.node };
  }

  refusal(): undefined {
    return undefined; // the hub in the app server judges the handshake
  }

  opened(): void {
    throw new TypeError('a bound client is made when its connection was opened');
  }

  /** A way is about to be opened. @returns its number: what is late of an earlier one is passed over. */
  beginStream(): number {
    this.#lastPiece = 0;
    return ++this.stream;
  }

  /** Has the app said something by the present way, from a link elsewhere? */
  get answered(): boolean {
    return this.#lastPiece > 0;
  }

  /** A way is open: what waited goes first. Bytes of the app may have come by it already. */
  bind(carrier: Carrier): void {
    this.#carrier = carrier;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const bytes of waiting) this.#send(carrier, bytes);
  }

  /** It has no way until the next {@link bind}. */
  unbind(): void {
    this.#carrier?.release();
    this.#carrier = undefined;
  }

  received(_client: Client, bytes: Uint8Array): void {
    this.#host.events.received(1, bytes.length);
    if (this.#carrier !== undefined) this.#send(this.#carrier, bytes);
    else this.#wait(bytes);
  }

  #wait(bytes: Uint8Array): void {
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > this.#host.queueBytes) this.connection.close('app_slow');
    else this.#waiting.push(bytes.slice());
  }

  #send(carrier: Carrier, bytes: Uint8Array): void {
    const arrived = carrier.data(bytes);
    if (arrived !== true) void this.#check(carrier, arrived);
  }

  async #check(carrier: Carrier, arrived: boolean | Promise<boolean>): Promise<void> {
    if (!(await arrived) && carrier === this.#carrier) this.connection.close('stream_gap');
  }

  /** The app server that asked needs no notice when it carries the client itself. */
  expectResult(_client: Client, invocationId: string, server: string): void {
    if (this.#carrier !== undefined && this.#carrier.server !== server) this.#carrier.expect(invocationId, server);
  }

  /** Its own app server knows what it changed itself. */
  login(client: Client, { claims, server }: LoginChange): LoginOutcome {
    const renewed = renewedClaims(this.info.claims, longNamed(claims), client.userId);
    if (renewed === undefined) return 'other_user';
    if (renewed !== this.info.claims && this.#carrier?.server !== server) this.#carrier?.claims(renewed);
    this.info = { ...this.info, claims: renewed };
    return { claims: renewed };
  }

  left(_client: Client, reason: CloseReason): void {
    this.#host.ended(this);
    this.#waiting = [];
    this.#carrier?.left(clean.has(reason) ? '' : `Closed by the service: ${reason}.`);
    this.unbind();
  }

  fromApp(bytes: Uint8Array): void {
    this.#host.inOrder(this.connection.hub, () => this.deliver(bytes));
  }

  /** A piece from a link elsewhere, in the order of the hub already. A hole ends the client: something is lost. */
  piece(number: number, bytes: Uint8Array): void {
    if (number !== ++this.#lastPiece) this.connection.close('stream_gap');
    else this.deliver(bytes);
  }

  /** Bytes of the app, in the order of the hub. */
  deliver(bytes: Uint8Array): void {
    try {
      const rest = this.connection.state === 'joining' ? this.#answer(bytes) : bytes;
      if (rest.length > 0) this.#relay(rest);
    } catch {
      this.connection.close('bad_message'); // the app broke the framing of its own messages
    }
  }

  #relay(bytes: Uint8Array): void {
    const { connection } = this;
    const binary = connection.protocol !== 'json';
    for (const whole of this.#cut.push(bytes)) {
      connection.send({ bytes: whole, binary });
      this.#host.events.delivered(1, whole.length);
    }
  }

  /** The hub's answer to the handshake is its first record, whatever follows in the same bytes. @returns what follows. */
  #answer(bytes: Uint8Array): Uint8Array {
    const all = this.#handshake === undefined ? bytes : Buffer.concat([this.#handshake, bytes]);
    const end = all.indexOf(recordSeparator) + 1;
    this.#handshake = end === 0 ? all : undefined;
    if (end === 0) return all.subarray(all.length);
    this.#judge(all.subarray(0, end));
    return this.connection.state === 'open' ? all.subarray(end) : all.subarray(all.length);
  }

  #judge(response: Uint8Array): void {
    const { connection } = this;
    if (parseHandshakeResponse(response).error !== undefined) connection.refuse(response, 'bad_message');
    else connection.accept({ bytes: response, binary: connection.protocol !== 'json' });
  }

  closedByApp(error: string): void {
    this.#host.inOrder(this.connection.hub, () => this.closed(error));
  }

  /** In the order of the hub. The app has written its own Close message where it wanted one; nothing is told back. */
  closed(error: string): void {
    this.unbind();
    if (this.connection.state === 'joining') this.#refuse(error === '' ? handshakeErrors.canceled : error);
    else this.connection.finish('closed_by_app');
  }

  linkLost(reason: 'link_lost' | 'app_slow' | 'drain' | 'stream_gap' | 'node_lost'): void {
    this.unbind();
    if (this.connection.state === 'joining') this.#refuse('The app server was lost: connect again.');
    else this.connection.close(reason);
  }

  #refuse(error: string): void {
    const shown = this.connection.detailedErrors ? error : handshakeErrors.canceled;
    this.connection.refuse(handshakeResponse(shown), 'link_lost');
  }

  migrate(): boolean {
    return this.connection.state === 'open' && this.#host.migrate(this);
  }
}
