import type { CloseReason } from '../reasons.ts';
import type { Connection } from './connection.ts';

/**
 * What the core needs from whoever ends the hub protocol of a client: the gateway itself (serverless hubs), or an app
 * server behind a link. Which one is decided when the handshake request arrives and kept for the connection's life.
 */
export interface App {
  /**
   * The handshake request is complete, the connection is registered and its topics are watched. The app answers through
   * {@link Connection.accept} or {@link Connection.close}.
   */
  opened(connection: Connection, request: Uint8Array): void;
  /** Bytes of the client behind its handshake request, in order; valid only during the call. */
  received(connection: Connection, bytes: Uint8Array): void;
  /** The connection ended. Called exactly once for each `opened`. */
  left(connection: Connection, reason: CloseReason): void;
}
