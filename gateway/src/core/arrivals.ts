import {
  type HandshakeRequest,
  handshakeErrors,
  handshakeResponse,
  parseHandshakeRequest,
  recordSeparator,
} from '@signalbox/app-sdk/protocol';
import type { CloseReason } from '../reasons.ts';
import type { App } from './app.ts';
import type { Clients, Refusal } from './clients.ts';
import { Connection, type ConnectionOwner, type Identity } from './connection.ts';
import type { Follows } from './follows.ts';
import type { Limits } from './limits.ts';
import type { Membership } from './membership.ts';
import type { Registry } from './registry.ts';
import type { Standing } from './standing.ts';
import type { Topics } from './topics.ts';
import type { Transport } from './transport.ts';
import type { Watches } from './watches.ts';

const nothing = new Uint8Array();
/** Users whose standing groups are read at a time after an outage. */
const readAtOnce = 64;

export interface ArrivalsOptions {
  readonly registry: Registry;
  readonly membership: Membership;
  readonly watches: Watches;
  readonly topics: Topics;
  readonly standing: Standing;
  readonly limits: Limits;
  readonly follows: Pick<Follows, 'on' | 'arrived' | 'received'>;
  /** Whoever ends the hub protocol for this hub now. */
  readonly appOf: (hub: string) => App;
  /** Is somebody there to take clients of this hub? */
  readonly serves: (hub: string) => boolean;
  /** False: Redis is known down. Clients are admitted all the same. */
  readonly hearing: () => boolean;
  readonly handshakeBytes: number;
  /** Bytes a client may send between its handshake request and its answer. */
  readonly earlyBytes: number;
}

/**
 * From the first byte of a client to the moment it is told that it is connected. That is only after its topics are
 * watched and its standing groups joined: connected means reachable (architecture, section 9).
 */
export class Arrivals implements Clients {
  readonly #options: ArrivalsOptions;
  readonly #owner: ConnectionOwner;
  /** Bytes of clients whose handshake request is not complete, or not answered. */
  readonly #early = new Map<Connection, Uint8Array>();
  /** Clients without a complete handshake request. */
  readonly #opening = new Set<Connection>();
  /** Clients of users that were admitted without Redis: their standing groups are read when it is back. */
  readonly #unread = new Set<Connection>();

  constructor(options: ArrivalsOptions, owner: ConnectionOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  /** Clients without a complete handshake request. */
  get opening(): ReadonlySet<Connection> {
    return this.#opening;
  }

  refusal(hub: string, userId: string | undefined): Refusal | undefined {
    if (!this.#options.serves(hub)) return 'no_link';
    return this.#options.limits.refusal(hub, userId, this.#opening.size);
  }

  arrive(identity: Identity, transport: Transport): Connection {
    const connection = new Connection(identity, transport, this.#owner);
    this.#opening.add(connection);
    if (this.#options.follows.on) this.#options.follows.arrived(connection);
    return connection;
  }

  received(connection: Connection, bytes: Uint8Array): void {
    connection.lastReceived = this.#owner.now();
    connection.receivedUnits++;
    connection.receivedBytes += bytes.length;
    if (connection.state === 'open') this.#pass(connection, bytes);
    else if (connection.state === 'opening') this.#handshake(connection, bytes);
    else if (connection.state === 'joining') this.#keep(connection, bytes, this.#options.earlyBytes);
  }

  #pass(connection: Connection, bytes: Uint8Array): void {
    if (this.#options.follows.on) this.#options.follows.received(connection, bytes);
    connection.app?.received(connection, bytes);
  }

  /** @returns all that is kept, or undefined when it was too much and the client was closed. */
  #keep(connection: Connection, bytes: Uint8Array, limit: number): Uint8Array | undefined {
    const before = this.#early.get(connection) ?? nothing;
    if (before.length + bytes.length > limit) {
      this.#refuse(connection, handshakeErrors.canceled, 'too_large');
      return undefined;
    }
    const all = Buffer.concat([before, bytes]);
    this.#early.set(connection, all);
    return all;
  }

  #handshake(connection: Connection, bytes: Uint8Array): void {
    const end = bytes.indexOf(recordSeparator);
    const { handshakeBytes, earlyBytes } = this.#options;
    const head = this.#keep(connection, end < 0 ? bytes : bytes.subarray(0, end + 1), handshakeBytes);
    if (head === undefined || end < 0) return;
    this.#early.delete(connection);
    this.#opening.delete(connection);
    const parsed = parseHandshakeRequest(head);
    if (parsed.kind === 'refusal') {
      this.#refuse(connection, parsed.error, 'bad_message');
      return;
    }
    const rest = bytes.subarray(end + 1);
    if (rest.length > 0 && this.#keep(connection, rest, earlyBytes) === undefined) return;
    this.#join(connection, parsed, head);
  }

  #join(connection: Connection, request: HandshakeRequest, head: Uint8Array): void {
    const app = this.#options.appOf(connection.hub);
    const refusal = formatRefusal(request, connection.transport) ?? app.refusal(request);
    if (refusal !== undefined) {
      this.#refuse(connection, refusal, 'bad_message');
      return;
    }
    connection.protocol = request.protocol.toLowerCase();
    connection.state = 'joining';
    this.#options.registry.add(connection);
    void this.#welcome(connection, app, head);
  }

  async #welcome(connection: Connection, app: App, head: Uint8Array): Promise<void> {
    try {
      await this.#reachable(connection);
    } catch {
      if (this.#options.hearing()) {
        this.#refuse(connection, 'The service is busy: try again.', 'limit');
        return;
      }
      if (connection.userId !== undefined) this.#unread.add(connection); // Redis is down: admitted, read later
    }
    if (connection.state !== 'joining') return;
    connection.app = app;
    app.opened(connection, head);
  }

  /** The handshake was answered: the app takes what the client has said meanwhile. */
  accepted(connection: Connection): void {
    const early = this.#early.get(connection);
    this.#early.delete(connection);
    if (early !== undefined) this.#pass(connection, early);
  }

  /** First watch, then read: a change of the user's groups that comes in between is either read or heard. */
  async #reachable(connection: Connection): Promise<void> {
    const { watches } = this.#options;
    const watched = this.#topicsOf(connection).map((topic) => watches.hold(topic));
    const { hub, userId } = connection;
    if (userId === undefined) await Promise.all(watched);
    else {
      await this.#options.membership.adopt(connection, async () => {
        await Promise.all(watched);
        return this.#options.standing.read(hub, userId);
      });
    }
  }

  /** What is watched for a client. A node that is alone watches nothing, so the hashes of a personal topic are spared. */
  #topicsOf(connection: Connection): readonly string[] {
    const { topics, watches } = this.#options;
    return watches.remote ? [topics.all(connection.hub), this.#personal(connection)] : [];
  }

  #personal(connection: Connection): string {
    const { topics } = this.#options;
    const tag = topics.tagOfConnection(connection.id);
    if (tag === undefined) throw new TypeError(`"connection id" must be made by this service, got ${connection.id}`);
    return topics.personal(connection.hub, tag);
  }

  #refuse(connection: Connection, error: string, reason: CloseReason): void {
    connection.refuse(handshakeResponse(error), reason);
  }

  /** The time for the handshake request is over. */
  cancel(connection: Connection): void {
    this.#refuse(connection, handshakeErrors.canceled, 'handshake_timeout');
  }

  /** Redis is back: those who came without it join their standing groups now. */
  async readMissed(): Promise<void> {
    while (this.#unread.size > 0) {
      const some = [...this.#unread].slice(0, readAtOnce);
      for (const connection of some) this.#unread.delete(connection);
      const read = await Promise.all(some.map((connection) => this.#readMissed(connection)));
      if (read.includes(false)) return;
    }
  }

  /** @returns false when Redis is down again: the next return reads it. */
  async #readMissed(connection: Connection): Promise<boolean> {
    const { hub, userId } = connection;
    if (userId === undefined || connection.state === 'closed') return true;
    try {
      await this.#options.membership.adopt(connection, () => this.#options.standing.read(hub, userId));
      return true;
    } catch {
      this.#unread.add(connection);
      return false;
    }
  }

  /** The connection is over: nothing of it stays here. */
  ended(connection: Connection): void {
    const { registry, membership, watches } = this.#options;
    this.#opening.delete(connection);
    this.#early.delete(connection);
    this.#unread.delete(connection);
    if (connection.state === 'opening') return;
    membership.release(connection);
    registry.remove(connection);
    for (const topic of this.#topicsOf(connection)) watches.release(topic);
  }
}

/** Server-sent events carry text, and `json` is the only hub protocol that is (hub-protocol, 3.3). */
function formatRefusal({ protocol }: HandshakeRequest, { kind }: Transport): string | undefined {
  if (kind !== 'ServerSentEvents' || protocol.toLowerCase() === 'json') return undefined;
  return handshakeErrors.transferFormat(protocol);
}
