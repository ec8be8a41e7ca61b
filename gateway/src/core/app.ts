import type { HandshakeRequest } from '@signalbox/app-sdk/protocol';
import type { CloseReason } from '../reasons.ts';
import type { Connection } from './connection.ts';

/**
 * What the core needs from whoever ends the hub protocol of a client: the gateway itself (serverless hubs), or an app
 * server behind a link. Which one is decided when the handshake request arrives and kept for the connection's life.
 */
export interface App {
  /** Does the gateway ping its clients, and time out those who have pinged? Else the app does both. */
  readonly pings: boolean;
  /** The error text that refuses this handshake, or undefined. Asked before anything is done for the client. */
  refusal(request: HandshakeRequest): string | undefined;
  /**
   * The connection is registered and its topics are watched. The app answers through {@link Connection.accept} or
   * {@link Connection.refuse}.
   * @param request bytes of the handshake request, its separator included.
   */
  opened(connection: Connection, request: Uint8Array): void;
  /** Bytes of the client behind its handshake request, in order; valid only during the call. */
  received(connection: Connection, bytes: Uint8Array): void;
  /** The connection ended. Called exactly once for each `opened`. */
  left(connection: Connection, reason: CloseReason): void;
}
