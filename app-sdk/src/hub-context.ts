import type { Address, Ids, Place, Recipient } from './address.ts';
import type { Args, HubContract, Message, SendName, SingleTarget, Target } from './contract.ts';
import type { SignalboxError } from './errors.ts';
import type { NegotiateOptions, NegotiateResponse } from './negotiate-options.ts';

/** Of one call: its deadline in milliseconds, in place of the default, and a signal that gives it up. */
export interface CallOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** Options of `client` are for `invoke`. A member of two `groups` receives twice, as everywhere in SignalR. */
export interface HubClients<C extends HubContract> {
  readonly all: Target<C>;
  allExcept(connectionIds: Ids): Target<C>;
  client(connectionId: string, options?: CallOptions): SingleTarget<C>;
  clients(connectionIds: readonly string[]): Target<C>;
  group(group: string): Target<C>;
  groups(groups: readonly string[]): Target<C>;
  groupExcept(group: string, connectionIds: Ids): Target<C>;
  user(userId: string): Target<C>;
  users(userIds: readonly string[]): Target<C>;
}

/** Resolves when the change is in force on all nodes. An unknown connection is no error. */
export interface GroupManager {
  addToGroup(connectionId: string, group: string): Promise<void>;
  removeFromGroup(connectionId: string, group: string): Promise<void>;
  removeFromAllGroups(connectionId: string): Promise<void>;
}

/** Without `ttlSeconds` later connections of the user join too (up to a year); 0: only present ones; n: also those made within n seconds. */
export interface UserGroupManager {
  addToGroup(userId: string, group: string, options?: { ttlSeconds?: number }): Promise<void>;
  removeFromGroup(userId: string, group: string): Promise<void>;
  removeFromAllGroups(userId: string): Promise<void>;
  isInGroup(userId: string, group: string): Promise<boolean>;
}

/** `count` is [Signalbox]. `list` pages by itself: members of a group anywhere, of a hub or user [Signalbox]. */
export interface ConnectionManager {
  exists(where: Place): Promise<boolean>;
  close(where: Address, options?: { reason?: string }): Promise<void>;
  count(where: Place | { all: true }): Promise<number>;
  list(
    where: Place | { all: true },
    options?: { pageSize?: number; signal?: AbortSignal },
  ): AsyncIterable<{ connectionId: string; userId?: string }>;
}

/** What `sendBatch` tells: how many items were accepted, and the others with their place in the batch. */
export interface BatchResult {
  sent: number;
  failed: { index: number; error: SignalboxError }[];
}

/** One hub, from outside its calls. Code that sends takes this and knows no door. */
export interface HubContext<C extends HubContract> {
  /** The full name: lower-cased, application prefix included. */
  readonly name: string;
  readonly clients: HubClients<C>;
  readonly groups: GroupManager;
  readonly userGroups: UserGroupManager;
  readonly connections: ConnectionManager;
  /** Resolves when the message is accepted; that it arrives is not promised. A plain string is a user id. */
  send(to: Recipient, message: Message<C>, options?: CallOptions): Promise<void>;
  send<K extends SendName<C>>(to: Recipient, target: K, ...args: Args<C['client'], K>): Promise<void>;
  /** One request for many [Signalbox]; elsewhere 16 requests at a time. Does not reject for single items. */
  sendBatch(items: Iterable<Message<C> & { to: Recipient }>, options?: CallOptions): Promise<BatchResult>;
  negotiate(options?: NegotiateOptions): Promise<NegotiateResponse>;
}
