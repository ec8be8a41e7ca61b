import type { Connection, Identity } from './connection.ts';
import type { Transport } from './transport.ts';

/** What a client's transport sees of the core. */
export interface Clients {
  /**
   * The environment variable of the limit that another connection would break, or undefined when there is room.
   * `unavailable` while the node is stopping.
   */
  refusal(hub: string, userId: string | undefined): string | undefined;
  /** A transport is up. The handshake request is awaited from now on. */
  arrive(identity: Identity, transport: Transport): Connection;
  /** Bytes came from the client, of any length and cut anywhere; they are not kept beyond the call. */
  received(connection: Connection, bytes: Uint8Array): void;
}
