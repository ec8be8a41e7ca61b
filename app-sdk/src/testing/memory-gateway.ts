import type { CheckedAddress, Spot } from '../address.ts';
import { SignalboxError } from '../errors.ts';
import type { Activity } from '../hub/activity.ts';
import type { Command, Frames, Gateway, ListedConnection, ListOptions, Member, Question } from '../hub/gateway.ts';
import { StandingGroups } from './standing-groups.ts';
import { turn } from './turn.ts';

/** One client, as the service in memory knows it. */
export interface Guest {
  readonly connectionId: string;
  readonly userId: string | undefined;
  /** Hub protocol; undefined until the handshake response has passed, and nothing is sent to it before. */
  readonly protocol: string | undefined;
  /** Kept by the gateway. */
  readonly groups: Set<string>;
  deliver(frame: Uint8Array): void;
  /** Closed by the service. */
  close(reason: string | undefined): void;
}

/** Who is at a place. */
const matches: Readonly<Record<Spot['place'], (guest: Guest, id: string) => boolean>> = {
  all: () => true,
  group: (guest, id) => guest.groups.has(id),
  user: (guest, id) => guest.userId === id,
  connection: (guest, id) => guest.connectionId === id,
};

/** The service in memory: connections, users, groups, and what users were promised for later connections. */
export class MemoryGateway implements Gateway {
  readonly #guests = new Map<string, Guest>();
  readonly #standing = new StandingGroups();
  readonly #activity: Activity;
  readonly #gone: (invocationId: string, text: string) => void;
  #closed = false;

  /** `gone` hears of questions to nobody. */
  constructor(activity: Activity, gone: (invocationId: string, text: string) => void) {
    this.#activity = activity;
    this.#gone = gone;
  }

  /** A client came. It joins the groups of its user. */
  enter(guest: Guest): void {
    this.#guests.set(guest.connectionId, guest);
    if (guest.userId === undefined) return;
    for (const group of this.#standing.of(guest.userId)) guest.groups.add(group);
  }

  /** A client left. */
  leave(connectionId: string): void {
    this.#guests.delete(connectionId);
  }

  /** From now on everything is refused. */
  close(): void {
    this.#closed = true;
  }

  /** Resolves a turn later, so that a loop that sends for ever leaves others their time. */
  async send(to: CheckedAddress, frames: Frames): Promise<void> {
    this.#checkOpen();
    for (const spot of to.spots) this.#deliver(spot, frames);
    await this.#activity.track(turn());
  }

  async command(command: Command): Promise<boolean> {
    this.#checkOpen();
    const done = this.#run(command);
    await this.#activity.track(turn());
    return done;
  }

  /** Clients are asked over their own connections; a question comes this way when nobody has the id. */
  async invoke({ invocationId, connectionId }: Question): Promise<void> {
    this.#checkOpen();
    await this.#activity.track(turn());
    this.#gone(invocationId, `Connection '${connectionId}' does not exist.`);
  }

  answer(): void {
    // There is no other server to pass an answer to.
  }

  async count(spot: Spot): Promise<number> {
    this.#checkOpen();
    return this.#at(spot).length;
  }

  async *list(spot: Spot, { signal }: ListOptions): AsyncGenerator<ListedConnection> {
    this.#checkOpen();
    for (const { connectionId, userId } of this.#at(spot)) {
      signal?.throwIfAborted();
      yield { connectionId, ...(userId !== undefined && { userId }) };
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw new SignalboxError('ERR_STOPPED', 'the hub was closed');
  }

  #at({ place, id, except }: Spot): Guest[] {
    return [...this.#guests.values()].filter((guest) => {
      return guest.protocol !== undefined && matches[place](guest, id) && !except.includes(guest.connectionId);
    });
  }

  #deliver(spot: Spot, frames: Frames): void {
    for (const guest of this.#at(spot)) {
      const frame = frames.get(guest.protocol ?? '');
      if (frame !== undefined) guest.deliver(frame);
    }
  }

  #run(command: Command): boolean {
    if (command.kind === 'join') return this.#join(command);
    if (command.kind === 'leave') return this.#leaveGroup(command.who, command.group);
    if (command.kind === 'exists') return this.#at(command.spot).length > 0;
    if (command.kind === 'isMember') return this.#isMember(command.user, command.group);
    const guests = this.#at(command.spot);
    for (const guest of guests) guest.close(command.reason);
    return guests.length > 0;
  }

  #members(who: Member): Guest[] {
    const [place, id] = 'user' in who ? (['user', who.user] as const) : (['connection', who.connection] as const);
    return [...this.#guests.values()].filter((guest) => matches[place](guest, id));
  }

  #join({ who, group, ttlSeconds }: Command & { kind: 'join' }): boolean {
    if ('user' in who) this.#standing.join(who.user, group, ttlSeconds);
    const guests = this.#members(who);
    for (const guest of guests) guest.groups.add(group);
    return guests.length > 0;
  }

  #leaveGroup(who: Member, group: string | undefined): boolean {
    if ('user' in who) this.#standing.leave(who.user, group);
    const guests = this.#members(who);
    for (const { groups } of guests) {
      if (group === undefined) groups.clear();
      else groups.delete(group);
    }
    return guests.length > 0;
  }

  #isMember(user: string, group: string): boolean {
    return this.#standing.of(user).includes(group) || this.#members({ user }).some(({ groups }) => groups.has(group));
  }
}
