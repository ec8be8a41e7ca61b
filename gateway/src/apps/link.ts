import type { Claims, ServiceHeaders, ServiceMessage } from '@signalbox/app-sdk/protocol';
import type { Inquiries } from '../core/inquiries.ts';
import type { Invocations } from '../core/invocations.ts';
import type { Logins } from '../core/logins.ts';
import type { Router } from '../core/router.ts';

/** What an app server is told of a client in OpenConnection (service protocol, 10.3). */
export interface ClientInfo {
  readonly connectionId: string;
  /** All claims of its token, names mapped to .NET's, in order. */
  readonly claims: Claims;
  readonly headers: ServiceHeaders;
  /** With its leading `?`, or empty. */
  readonly queryString: string;
  /** Name of its hub protocol. */
  readonly protocol: string;
}

/** A client that a link carries, wherever it is connected. What a link calls here must not throw. */
export interface CarriedClient {
  readonly connectionId: string;
  /** Bytes of the app for this client, cut anywhere; valid as long as they are kept. Applied in the order of its hub. */
  fromApp(bytes: Uint8Array): void;
  /** The app ended it. `error` may be empty. Nothing is told back to the link. */
  closedByApp(error: string): void;
  /**
   * The link can carry it no longer: it was lost (`link_lost`), does not keep up (`app_slow`), or its app server leaves
   * (`drain`). The link has forgotten it.
   */
  linkLost(reason: 'link_lost' | 'app_slow' | 'drain'): void;
  /** The app server leaves and lets its clients go elsewhere (migration level 1). @returns false when it cannot. */
  migrate(): boolean;
}

/** One service connection of an app server to this node. */
export interface Link {
  /** Node id and a counter: unique in the cluster. */
  readonly id: string;
  readonly hub: string;
  /** Id of the app server process; the same for all of its links. */
  readonly server: string;
  /** Handshaken, may carry clients, and is not about to leave. Weak links are never taking. */
  readonly taking: boolean;
  /** Clients it carries. */
  readonly clients: number;
  /**
   * Binds a client: OpenConnection, then its handshake request, untouched.
   * @param migratedFrom id of the app server that carried it before.
   */
  open(client: CarriedClient, info: ClientInfo, request: Uint8Array, migratedFrom?: string): void;
  /** Bytes of the client, untouched; valid only during the call. A client that is not bound is ignored. */
  data(connectionId: string, bytes: Uint8Array): void;
  /**
   * The client is over: CloseConnection, and it is bound no longer.
   * @param migratedTo id of the app server that carries it from now on.
   */
  close(connectionId: string, error: string, migratedTo?: string): void;
  /**
   * A client it carries is about to be called for a result on behalf of another app server (empty: by REST): ClientInvocation
   * without payloads, so that the app knows the id when the answer comes.
   */
  expect(connectionId: string, invocationId: string, server: string): void;
  /** The client is bound no longer; the app knows it from elsewhere. */
  forget(connectionId: string): void;
  /** Says something to its app server. */
  say(message: ServiceMessage): void;
  /** A node died: tells the app, which drops every client whose `Asrs-Instance-Id` is this. The caller forgets them. */
  offline(node: string): void;
}

/** What a link needs of its node. */
export interface LinkHost {
  /** This node's id: header `Asrs-Instance-Id` of clients here, and the end of `target` pings. */
  readonly node: string;
  readonly router: Router;
  readonly invocations: Pick<Invocations, 'invoke' | 'completedAnywhere'>;
  readonly inquiries: Pick<Inquiries, 'list'>;
  readonly logins: Pick<Logins, 'change'>;
  /** The connection that a connection token of this service stands for; undefined for any other text. */
  connectionOf(token: string, hub: string): string | undefined;
  /** Says something to an app server on any of its links here; without one it is passed over. */
  sayToServer(hub: string, server: string, message: ServiceMessage): void;
  /** An id for a new link: node id and a counter. */
  nextLinkId(): string;
  /** A link is handshaken. */
  added(link: Link): void;
  /** Whether it is taking, or how many clients it carries, changed. */
  changed(link: Link): void;
  /** A link is over. Its clients were told. */
  removed(link: Link): void;
  /** Does the hub have a client on any node? For `status` pings. */
  hasClients(hub: string): Promise<boolean>;
  /** Ids of all app servers of the hub, on whatever node, sorted. For `servers` pings. */
  servers(hub: string): readonly string[];
}
