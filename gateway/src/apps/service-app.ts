import { handshakeResponse } from '@signalbox/app-sdk/protocol';
import type { App, Client } from '../core/app.ts';
import type { Streams } from '../core/streams.ts';
import { BoundClient, type BoundClientHost } from './bound-client.ts';
import { type Carrier, openHere, openThere } from './carrier.ts';
import { clientInfo, instanceHeader, type ServiceHeader } from './client-info.ts';
import { HandshakeRequests } from './handshake-requests.ts';
import type { Choice, Links, Wish } from './links.ts';

/** How many links are tried for one client. */
const tries = 3;

export interface ServiceAppOptions {
  readonly links: Links;
  readonly streams: Streams;
  readonly node: string;
  readonly host: Omit<BoundClientHost, 'migrate' | 'ended'>;
  /** Most bytes of one piece between nodes. */
  readonly pieceBytes: number;
}

/** Hubs that run in app servers: chooses the link for a client and stays with it. */
export class ServiceApp implements App {
  readonly mode = 'default';
  readonly pings = false;
  readonly #options: ServiceAppOptions;
  readonly #host: BoundClientHost;
  readonly #instance: ServiceHeader;
  readonly #requests = new HandshakeRequests();
  /** Clients here that are carried by links elsewhere. */
  readonly #away = new Set<BoundClient>();
  /** Clients that are to leave their carrier, and know of nobody else yet. */
  readonly #waiting = new Map<BoundClient, Carrier>();

  constructor(options: ServiceAppOptions) {
    this.#options = options;
    this.#instance = instanceHeader(options.node);
    this.#host = {
      ...options.host,
      migrate: (client) => this.#migrate(client),
      ended: (client) => this.#ended(client),
    };
  }

  #ended(client: BoundClient): void {
    this.#away.delete(client);
    this.#waiting.delete(client);
  }

  /** A link came, here or elsewhere: who could not leave an app server that stops may find a place now. */
  linksChanged(): void {
    for (const [bound, carrier] of [...this.#waiting]) {
      if (bound.carrier === carrier) this.#migrate(bound);
      else this.#waiting.delete(bound);
    }
  }

  /** Clients here that are carried by links elsewhere. */
  get away(): Iterable<BoundClient> {
    return this.#away;
  }

  /** The hub in the app server judges, whatever the hub protocol. */
  refusal(): undefined {
    return undefined;
  }

  opened(client: Client, request: Uint8Array): void {
    const { origin } = client;
    client.origin = undefined;
    if (origin === undefined) throw new TypeError('a client of an app server must come with its claims');
    const info = clientInfo(client, origin, this.#instance);
    const bound = new BoundClient(client, info, this.#requests.keep(request), this.#host);
    client.app = bound;
    void this.#open(bound, { server: origin.server, sticky: origin.sticky }, undefined);
  }

  received(): void {
    throw new TypeError('each client has an app of its own once it was opened');
  }

  left(): void {
    // each client has an app of its own once it was opened
  }

  /** Tries links until one takes the client. A link here takes it at once: nothing is awaited before that. */
  async #open(bound: BoundClient, wish: Wish, migratedFrom: string | undefined): Promise<void> {
    const not = new Set(wish.not);
    for (let tried = 0; tried < tries; tried++) {
      const choice = this.#options.links.choose(bound.connection.hub, { ...wish, not });
      if (choice === undefined) break;
      const carrier = await this.#carry(choice, bound, migratedFrom);
      if (carrier !== undefined) {
        this.#bind(bound, carrier);
        return;
      }
      if (choice.kind === 'there') not.add(choice.link);
    }
    this.#nobody(bound);
  }

  #carry(choice: Choice, bound: BoundClient, migratedFrom: string | undefined): Carrier | Promise<Carrier | undefined> {
    const { connection, info, request } = bound;
    const stream = bound.beginStream();
    const answered = (): boolean => bound.answered;
    const open = { client: bound, hub: connection.hub, info, request, migratedFrom, stream, answered };
    if (choice.kind === 'here') return openHere(choice.link, this.#options.node, open);
    return openThere(choice, this.#options, open);
  }

  #bind(bound: BoundClient, carrier: Carrier): void {
    if (bound.connection.state === 'closed') {
      carrier.left('');
      carrier.release();
      return;
    }
    if (carrier.node === this.#options.node) this.#away.delete(bound);
    else this.#away.add(bound);
    bound.bind(carrier);
  }

  #nobody(bound: BoundClient): void {
    const { connection } = bound;
    if (connection.state !== 'joining') {
      connection.close('link_lost');
      return;
    }
    const error = `No app server is connected to hub '${connection.hub}'.`;
    connection.refuse(handshakeResponse(error), 'link_lost');
  }

  /** Away from an app server that leaves, to another one; the client notices nothing (service protocol, 12.2). */
  #migrate(bound: BoundClient): boolean {
    const from = bound.carrier;
    if (from === undefined) return false;
    const wish: Wish = { not: new Set([from.server]) };
    const choice = this.#options.links.choose(bound.connection.hub, wish, false);
    if (choice === undefined) {
      this.#waiting.set(bound, from);
      return false;
    }
    this.#waiting.delete(bound);
    bound.unbind();
    from.left('', choice.server);
    void this.#open(bound, { server: choice.server, ...wish }, from.server);
    return true;
  }
}
