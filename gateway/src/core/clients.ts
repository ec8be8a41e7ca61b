import type { CountedLimit } from '../reasons.ts';
import type { Connection, Identity } from './connection.ts';
import type { Transport } from './transport.ts';

/** `draining`: the node stops. `no_link`: the hub runs in app servers, and none is there. */
export type Refusal = 'draining' | 'no_link' | CountedLimit;

/** What a client's transport sees of the core. */
export interface Clients {
  /**
   * Why another client of this hub is not taken, or undefined when it is: `draining`, `no_link` (no app server), or the
   * environment variable of the limit that it would break.
   */
  refusal(hub: string, userId: string | undefined): Refusal | undefined;
  /** A transport is up. The handshake request is awaited from now on. */
  arrive(identity: Identity, transport: Transport): Connection;
  /** Bytes came from the client, of any length and cut anywhere; they are not kept beyond the call. */
  received(connection: Connection, bytes: Uint8Array): void;
}
