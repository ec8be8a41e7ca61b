import { isIP } from 'node:net';
import type { HubConnection } from './hub/connection.ts';
import type { Gateway } from './hub/gateway.ts';
import type { HubRuntime } from './hub/runtime.ts';
import type { DisconnectReason } from './hub.ts';
import { type ClientLink, LinkClient } from './link-client.ts';
import type { ServiceMessageOf } from './protocol/service.ts';
import type { ServiceHeaders } from './protocol/service-fields.ts';
import { flowControlOperations, flowControlTypes } from './protocol/service-messages.ts';

/** What the clients of a link need. */
export interface LinkClientsParts {
  readonly runtime: Pick<HubRuntime, 'open'>;
  readonly link: ClientLink;
  /** Of the same link. */
  readonly gateway: Gateway;
  /** A client is not of this link any more. */
  gone(): void;
}

interface Bound {
  readonly client: LinkClient;
  readonly connection: HubConnection;
}

/** Why a client ended, in the words of our gateway: `Closed by the service: idle.` */
const reasons: Readonly<Record<string, DisconnectReason['kind']>> = {
  idle: 'idle',
  too_large: 'too_large',
  bad_message: 'bad_message',
  app_slow: 'app_slow',
  link_lost: 'link_lost',
  drain: 'drain',
  slow: 'connection_lost',
  node_lost: 'connection_lost',
  stream_gap: 'connection_lost',
};

/** The clients bound to one link: messages 4 to 6 and 39 (service protocol, 10 to 12). */
export class LinkClients {
  readonly #parts: LinkClientsParts;
  readonly #bound = new Map<string, Bound>();

  constructor(parts: LinkClientsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#bound.size;
  }

  /** The hub protocol of a client of this link. */
  protocolOf(connectionId: string): string | undefined {
    return this.#bound.get(connectionId)?.client.site.protocol;
  }

  /** 4: a client came. */
  open({ connectionId, claims, headers, queryString, extensions }: ServiceMessageOf<'OpenConnection'>): void {
    const { link, runtime, gateway } = this.#parts;
    const client = new LinkClient({
      link,
      connectionId,
      protocol: extensions?.protocol ?? 'json',
      instanceId: header(headers, 'asrs-instance-id') ?? '',
      migrated: header(headers, 'asrs-migrate-from') !== undefined,
      closed: () => this.#forget(connectionId, client),
      overflow: (error) => this.#drop(connectionId, client, error),
    });
    const connection = runtime.open({
      connectionId,
      claims,
      headers: headers.flatMap(([name, values]) => values.map((value) => [name, value] as const)),
      query: queryString,
      remoteAddress: remoteAddress(headers),
      wire: client,
      gateway,
    });
    this.#bound.set(connectionId, { client, connection });
  }

  /** 6: bytes of a client. A fragment needs no other: the hub takes bytes cut anywhere. */
  data({ connectionId, payload }: ServiceMessageOf<'ConnectionData'>): void {
    this.#bound.get(connectionId)?.connection.receive(payload);
  }

  /** 5: a client left, or goes to another server. */
  close({ connectionId, errorMessage, headers }: ServiceMessageOf<'CloseConnection'>): void {
    const migrated = header(headers, 'asrs-migrate-to') !== undefined;
    this.#end(connectionId, migrated ? { kind: 'migrated' } : reasonOf(errorMessage));
  }

  /** 39: a client's output waits, or goes on. */
  flow({ connectionId, connectionType, operation }: ServiceMessageOf<'ConnectionFlowControl'>): void {
    if (connectionType !== flowControlTypes.client) return;
    const client = this.#bound.get(connectionId)?.client;
    if (operation === flowControlOperations.pause) client?.pause();
    if (operation === flowControlOperations.resume) client?.resume();
  }

  /** A node of the service died; an empty id means all clients of this link. */
  offline(instanceId: string): void {
    const error = new Error('the node of the service that had the client died');
    for (const [id, { client }] of this.#bound) {
      if (instanceId === '' || client.site.instanceId === instanceId) this.#end(id, { kind: 'connection_lost', error });
    }
  }

  /** The link is gone. */
  lost(error: Error): void {
    for (const id of [...this.#bound.keys()]) this.#end(id, { kind: 'link_lost', error });
  }

  /** Ends a client whose output has a hole: the service closes it. */
  #drop(connectionId: string, client: LinkClient, cause: unknown): void {
    if (this.#bound.get(connectionId)?.client !== client) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#end(connectionId, { kind: 'other', error });
    client.close(error.message);
  }

  #end(connectionId: string, reason: DisconnectReason): void {
    const bound = this.#bound.get(connectionId);
    if (bound === undefined) return;
    this.#forget(connectionId, bound.client);
    void bound.connection.end(reason);
  }

  #forget(connectionId: string, client: LinkClient): void {
    if (this.#bound.get(connectionId)?.client !== client) return;
    this.#bound.delete(connectionId);
    this.#parts.gone();
  }
}

function reasonOf(text: string): DisconnectReason {
  if (text === '') return { kind: 'client_left' };
  const word = /^Closed by the service: (\w+)\.$/.exec(text)?.[1] ?? '';
  const kind = Object.hasOwn(reasons, word) ? reasons[word] : undefined;
  return { kind: kind ?? 'other', error: new Error(text) };
}

function header(headers: ServiceHeaders, name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1][0];
}

/** The first address of `X-Forwarded-For`, taken at face value. */
function remoteAddress(headers: ServiceHeaders): string | undefined {
  const first = header(headers, 'x-forwarded-for')?.split(',', 1)[0]?.trim() ?? '';
  return isIP(first) === 0 ? undefined : first;
}
