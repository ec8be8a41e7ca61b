import type { Refusal } from './clients.ts';
import type { Registry } from './registry.ts';

/** Limits on this node's clients, with the setting that each comes from. */
export interface ClientLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerHub: number;
  readonly maxConnectionsPerUser: number;
}

/** Room for a hub message that is too large, so that it is refused in words and not by a broken connection. */
const roomBytes = 64 * 1024;

/** Most bytes that a client may send at once, in several hub messages. @param messageBytes most of one hub message */
export function clientBatchBytes(messageBytes: number): number {
  return 2 * messageBytes + roomBytes;
}

/** Is there room for one more client? */
export class Limits {
  readonly #registry: Registry;
  readonly #limits: ClientLimits;
  /** Set while the node stops: it takes nobody any more. */
  draining = false;

  constructor(registry: Registry, limits: ClientLimits) {
    this.#registry = registry;
    this.#limits = limits;
  }

  /**
   * Why one more is not taken.
   * @param opening clients whose handshake request is not complete: they are in no register yet.
   */
  refusal(hub: string, userId: string | undefined, opening = 0): Refusal | undefined {
    if (this.draining) return 'draining';
    const { maxConnections, maxConnectionsPerHub, maxConnectionsPerUser } = this.#limits;
    if (this.#registry.size + opening >= maxConnections) return 'SIGNALBOX_MAX_CONNECTIONS';
    const members = this.#registry.hub(hub);
    if (members === undefined) return undefined;
    if (members.connections.size >= maxConnectionsPerHub) return 'SIGNALBOX_MAX_CONNECTIONS_PER_HUB';
    const ofUser = userId === undefined ? 0 : members.users.count(userId);
    return ofUser >= maxConnectionsPerUser ? 'SIGNALBOX_MAX_CONNECTIONS_PER_USER' : undefined;
  }
}
