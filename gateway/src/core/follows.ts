import type { Send } from '../protocol/command.ts';
import type { HappeningClient } from '../protocol/happening.ts';
import type { Follow, Unfollow } from '../protocol/operator.ts';
import type { CloseReason } from '../reasons.ts';
import type { Connection, ConnectionOwner } from './connection.ts';
import { type FollowOptions, messageKinds, OneFollow } from './follow.ts';
import type { Frames } from './frames.ts';
import type { Owing } from './outbox.ts';
import type { Registry } from './registry.ts';
import { inSight } from './sights.ts';
import type { Frame } from './transport.ts';

export interface FollowsOptions extends FollowOptions {
  readonly registry: Registry;
}

/**
 * What this node tells operators who follow its connections. Whoever reports something looks at {@link on} first, so
 * following costs one check where messages pass, and nothing in the fan-out loop: of a single client that is followed the
 * frames take another outbox (`Connection.reroute`).
 */
export class Follows {
  /** Does anybody follow? Nothing else may be asked while nobody does. */
  on = false;
  readonly #options: FollowsOptions;
  readonly #follows = new Map<string, OneFollow>();
  /** Connections whose frames take the other outbox. */
  readonly #rerouted = new Set<Connection>();
  #usual: ConnectionOwner | undefined;
  #watched: ConnectionOwner | undefined;

  constructor(options: FollowsOptions) {
    this.#options = options;
  }

  /** The surroundings of connections, from which those of followed ones are made. */
  attach(owner: ConnectionOwner): void {
    this.#usual = owner;
    const { outbox } = owner;
    const watching: ConnectionOwner['outbox'] = {
      welcomeBytes: outbox.welcomeBytes,
      add: (connection, frame) => {
        this.#written(connection, frame);
        outbox.add(connection, frame);
      },
      writeNow: (connection, frame) => {
        this.#written(connection, frame);
        outbox.writeNow(connection, frame);
      },
      writeOwed: (connection) => outbox.writeOwed(connection),
    };
    this.#watched = { ...owner, outbox: watching };
  }

  /** Somebody follows, or goes on to. */
  follow(command: Follow): void {
    const key = keyOf(command);
    const known = this.#follows.get(key);
    if (known !== undefined) known.renew(command);
    else {
      this.#follows.set(key, new OneFollow(command, this.#options));
      this.#changed();
    }
  }

  unfollow(command: Unfollow): void {
    this.#drop(keyOf(command));
  }

  /** The node that asked is gone, and nobody listens there any more. */
  nodeGone(node: string): void {
    for (const [key, { command }] of this.#follows) if (command.ask.node === node) this.#drop(key);
  }

  /** Ends what was not renewed; called about once a second. */
  sweep(): void {
    const now = this.#options.now();
    for (const [key, { until }] of this.#follows) if (until <= now) this.#drop(key);
  }

  #drop(key: string): void {
    this.#follows.get(key)?.end();
    if (this.#follows.delete(key)) this.#changed();
  }

  #changed(): void {
    this.on = this.#follows.size > 0;
    const closeUps = [...this.#follows.values()].filter(({ closeUp }) => closeUp);
    for (const one of this.#rerouted) if (!closeUps.some((follow) => follow.sees(one))) this.#reroute(one, false);
    for (const follow of closeUps) for (const one of inSight(this.#options.registry, follow)) this.#reroute(one, true);
  }

  #reroute(connection: Connection, watched: boolean): void {
    const owner = watched ? this.#watched : this.#usual;
    if (owner === undefined || this.#rerouted.has(connection) === watched) return;
    if (watched) this.#rerouted.add(connection);
    else this.#rerouted.delete(connection);
    connection.reroute(owner);
  }

  /** A client is about to shake hands. */
  arrived(connection: Connection): void {
    for (const follow of this.#follows.values())
      if (follow.closeUp && follow.sees(connection)) this.#reroute(connection, true);
  }

  opened(connection: Connection): void {
    const { transport, protocol } = connection;
    const fact = { event: 'opened', transport: transport.kind, protocol, ...clientOf(connection) } as const;
    for (const follow of this.#seeing(connection)) follow.add(fact);
  }

  /** It is over; asked while its groups are still known. */
  ended(connection: Connection, reason: CloseReason): void {
    const seconds = Math.round(performance.now() - connection.since) / 1000;
    const client = clientOf(connection);
    const open = connection.state === 'open';
    for (const follow of this.#seeing(connection)) {
      follow.add(open ? { event: 'closed', reason, seconds, ...client } : { event: 'refused', reason, ...client });
    }
    this.#rerouted.delete(connection);
  }

  joined(connection: Connection, group: string): void {
    for (const follow of this.#seeing(connection)) follow.add({ event: 'joined', group, ...clientOf(connection) });
  }

  /** Asked while it is still a member. */
  leaves(connection: Connection, group: string): void {
    for (const follow of this.#seeing(connection)) follow.add({ event: 'left', group, ...clientOf(connection) });
  }

  /** Bytes came from a client, behind its handshake. */
  received(connection: Connection, bytes: Uint8Array): void {
    const base64 = connection.protocol !== 'json';
    for (const follow of this.#seeing(connection)) {
      const messages = messageKinds(connection.protocol, bytes);
      const fact = { event: 'received', messages, bytes: bytes.length, ...follow.payload(bytes, base64) } as const;
      follow.add({ ...fact, ...clientOf(connection) });
    }
  }

  /** A send meets the connections here. */
  sent(command: Send, receivers: readonly Connection[], frames: Frames): void {
    if (receivers.length === 0) return;
    for (const follow of this.#follows.values())
      if (concerns(follow, command, receivers)) tellSend(follow, command, receivers, frames);
  }

  #written(owing: Owing, { bytes, binary }: Frame): void {
    const connection = owing as Connection; // only connections were rerouted
    for (const follow of this.#seeing(connection)) {
      if (!follow.closeUp) continue;
      const messages = messageKinds(connection.protocol, bytes);
      if (messages[0] === 'handshake') continue; // told as `opened`
      const fact = { event: 'written', messages, bytes: bytes.length, ...follow.payload(bytes, binary) } as const;
      follow.add({ ...fact, ...clientOf(connection) });
    }
  }

  *#seeing(connection: Connection): Generator<OneFollow> {
    for (const follow of this.#follows.values()) if (follow.sees(connection)) yield follow;
  }
}

function keyOf({ ask }: Follow | Unfollow): string {
  return `${ask.node} ${ask.id}`;
}

function clientOf({ hub, id, userId }: Connection): HappeningClient {
  return { hub, connection: id, ...(userId !== undefined && { user: userId }) };
}

/** A send to a group is one of that group alone; a follower of a hub, a user or a connection sees what reaches them. */
function concerns(follow: OneFollow, command: Send, receivers: readonly Connection[]): boolean {
  const { hub, of } = follow;
  if (hub !== '' && hub !== command.hub) return false;
  if (of.kind === 'all') return true;
  if (of.kind === 'group') return command.to.kind === 'group' && command.to.group === of.group;
  return receivers.some((one) => follow.sees(one) && !isExcept(command, one));
}

function isExcept({ exceptConnections, exceptUsers }: Send, { id, userId }: Connection): boolean {
  return exceptConnections.includes(id) || (userId !== undefined && exceptUsers.includes(userId));
}

function tellSend(follow: OneFollow, command: Send, receivers: readonly Connection[], frames: Frames): void {
  const protocol = receivers[0]?.protocol ?? '';
  const bytes = frames.of(protocol)?.bytes ?? new Uint8Array();
  const reached = receivers.filter((one) => !isExcept(command, one)).length;
  const { hub, to } = command;
  const fact = { event: 'sent', hub, to, receivers: reached, bytes: bytes.length } as const;
  follow.add({ ...fact, ...follow.payload(bytes, protocol !== 'json') });
}
