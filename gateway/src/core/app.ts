import type { Claims, HandshakeRequest } from '@signalbox/app-sdk/protocol';
import type { Login } from '../protocol/inquiry.ts';
import type { CloseReason } from '../reasons.ts';
import type { Mode } from './mode.ts';
import type { ClientOrigin } from './origin.ts';
import type { Frame } from './transport.ts';

/**
 * `opening`: the transport is up, the handshake request not complete. `joining`: registered, its topics are being watched
 * or the app is deciding; broadcasts skip it, direct sends wait. `open`: handshaken. `closed`: over.
 */
export type ClientState = 'opening' | 'joining' | 'open' | 'closed';

/** Claims that are to take the place of those before; empty: they stay. `server`: the app server that asks. */
export type LoginChange = Pick<Login, 'claims' | 'server'>;

/** The claims after it; or it would have made another user. */
export type LoginOutcome = { readonly claims: Claims } | 'other_user';

/** What an app may know of a client, and do with it. */
export interface Client {
  readonly id: string;
  readonly hub: string;
  readonly userId: string | undefined;
  /** Lower-cased name of its hub protocol. */
  readonly protocol: string;
  readonly state: ClientState;
  /** May it see why it was closed or refused? */
  readonly detailedErrors: boolean;
  /** When its login ends, in ms since 1970; undefined: never. */
  authExpires: number | undefined;
  /** What its first request and its token said, for an app server; undefined once an app took it. */
  origin: ClientOrigin | undefined;
  /** Who takes what comes from it. An app may put an object of its own here, one for each client. */
  app: App | undefined;
  /** Has it ever sent a hub ping? */
  pings: boolean;
  /** Sends one frame in order, within this turn; to a handshaken client only. */
  send(frame: Frame): void;
  /** Answers the handshake: from now on fan-out reaches it. */
  accept(response: Frame): void;
  /** Refuses the handshake, with a response that has an error. */
  refuse(response: Uint8Array, reason: CloseReason): void;
  /** Ends it with a hub Close message. `detail` is shown only to clients that may see it. */
  close(reason: CloseReason, detail?: string): void;
  /** Ends it after what was sent: the app has written its own Close message. */
  finish(reason: CloseReason): void;
  /** It said Close, or its transport is gone. */
  gone(reason?: CloseReason): void;
}

/**
 * What the core needs from whoever ends the hub protocol of a client: the gateway itself (serverless hubs), or an app
 * server behind a link. Which one is decided when the handshake request arrives and kept for the connection's life.
 */
export interface App {
  readonly mode: Mode;
  /** Does the gateway ping its clients, and time out those who have pinged? Else the app does both. */
  readonly pings: boolean;
  /** The error text that refuses this handshake, or undefined. Asked before anything is done for the client. */
  refusal(request: HandshakeRequest): string | undefined;
  /**
   * The connection is registered and its topics are watched. The app answers through {@link Client.accept} or
   * {@link Client.refuse}.
   * @param request bytes of the handshake request, its separator included.
   */
  opened(client: Client, request: Uint8Array): void;
  /** Bytes of the client behind its handshake request, in order; valid only during the call. */
  received(client: Client, bytes: Uint8Array): void;
  /**
   * The client is about to be called for a result on behalf of an app server (its id, or empty: by REST). Only an app that
   * must be told before the client's answer comes has this.
   */
  expectResult?(client: Client, invocationId: string, server: string): void;
  /** Reads or renews the claims of a client; undefined: nobody kept them. */
  login?(client: Client, change: LoginChange): LoginOutcome | undefined;
  /** The app server that runs the hub for this client, and the node of its link; for operators. */
  readonly carriedBy?: { readonly server: string; readonly node: string } | undefined;
  /** The connection ended. Called exactly once for each `opened`. */
  left(client: Client, reason: CloseReason): void;
}
