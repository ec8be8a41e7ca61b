import type { ServiceHeaders, ServiceMessage } from '@signalbox/app-sdk/protocol';
import type { CarriedClient, ClientInfo } from './link.ts';
import type { Farewell } from './link-pings.ts';
import type { Sender } from './link-writer.ts';

export interface LinkClientsOptions {
  /** Unsent bytes of one client; when more wait and it sends still more, the link carries it no longer. */
  readonly queueBytes: number;
  /** Says something to the app server, for a client or for none. */
  readonly say: (message: ServiceMessage, sender?: Sender) => void;
  /** How many there are has changed. */
  readonly changed: () => void;
}

/** A client, and its bytes that wait for the app server. */
interface Carried extends Sender {
  readonly client: CarriedClient;
}

const noHeaders: ServiceHeaders = [];

/** The clients that one link carries, and their bytes both ways. Unknown ids are passed over: both sides are late at times. */
export class LinkClients {
  readonly #options: LinkClientsOptions;
  readonly #carried = new Map<string, Carried>();

  constructor(options: LinkClientsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#carried.size;
  }

  /** OpenConnection and the handshake request, untouched. The app must know the hub protocol by then (trap 2). */
  open(client: CarriedClient, info: ClientInfo, request: Uint8Array, migratedFrom: string | undefined): void {
    const { connectionId, claims, headers: own, queryString, protocol } = info;
    const { say, changed } = this.#options;
    const headers = [...own, ...migration('Asrs-Migrate-From', migratedFrom)];
    const carried = { client, unsent: 0 };
    this.#carried.set(connectionId, carried);
    say({ kind: 'OpenConnection', connectionId, claims, headers, queryString, extensions: { protocol } });
    say({ kind: 'ConnectionData', connectionId, payload: request }, carried);
    changed();
  }

  /** Bytes of a client, untouched. */
  data(connectionId: string, payload: Uint8Array): void {
    const carried = this.#carried.get(connectionId);
    if (carried === undefined) return;
    if (carried.unsent <= this.#options.queueBytes)
      this.#options.say({ kind: 'ConnectionData', connectionId, payload }, carried);
    else this.#drop(connectionId, carried.client);
  }

  /** The app server does not keep up with this client. */
  #drop(connectionId: string, client: CarriedClient): void {
    this.close(connectionId, 'Closed by the service: app_slow.');
    client.linkLost('app_slow');
  }

  /** The client is over, or carried elsewhere. */
  close(connectionId: string, errorMessage: string, migratedTo?: string): void {
    if (!this.#carried.delete(connectionId)) return;
    const { say, changed } = this.#options;
    say({ kind: 'CloseConnection', connectionId, errorMessage, headers: migration('Asrs-Migrate-To', migratedTo) });
    changed();
  }

  /** The client is over, and the app server knows. */
  forget(connectionId: string): void {
    if (this.#carried.delete(connectionId)) this.#options.changed();
  }

  /** Bytes of the app for a client. */
  fromApp(connectionId: string, bytes: Uint8Array): void {
    this.#carried.get(connectionId)?.client.fromApp(bytes);
  }

  /** The app ended a client. @returns false when this link does not carry it. */
  closedByApp(connectionId: string, error: string): boolean {
    const carried = this.#carried.get(connectionId);
    if (carried === undefined) return false;
    this.forget(connectionId);
    carried.client.closedByApp(error);
    return true;
  }

  /** The app server leaves. Clients that stay, or cannot move, are carried on. */
  leave(farewell: Farewell): void {
    if (farewell === 'keep') return;
    for (const [connectionId, { client }] of [...this.#carried]) {
      if (farewell === 'migrate') client.migrate();
      else this.#dismiss(connectionId, client);
    }
  }

  #dismiss(connectionId: string, client: CarriedClient): void {
    this.close(connectionId, '');
    client.linkLost('drain');
  }

  /** The link is over: so is its road for all of them. */
  lost(reason: 'link_lost' | 'drain'): void {
    const all = [...this.#carried.values()];
    this.#carried.clear();
    for (const { client } of all) client.linkLost(reason);
  }
}

/** The header that marks a move between app servers (service protocol, 12.2). */
function migration(name: 'Asrs-Migrate-From' | 'Asrs-Migrate-To', server: string | undefined): ServiceHeaders {
  return server === undefined ? noHeaders : [[name, [server]]];
}
