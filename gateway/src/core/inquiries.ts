import type { Bus } from '../backplane/bus.ts';
import { GatewayError } from '../errors.ts';
import type { Asker, Verdict } from '../protocol/command.ts';
import { encodeCommand } from '../protocol/command-codec.ts';
import type { Count, Crowd, List } from '../protocol/inquiry.ts';
import { decodeListed, encodeListed, type Listed } from '../protocol/inquiry-codec.ts';
import type { Asks } from './ask.ts';
import type { Connection } from './connection.ts';
import type { Registry } from './registry.ts';
import type { Topics } from './topics.ts';

export interface InquiriesOptions {
  readonly bus: Pick<Bus, 'send' | 'hearing' | 'remote'>;
  readonly asks: Asks;
  readonly topics: Topics;
  readonly registry: Registry;
  readonly now: () => number;
  readonly answer: (asker: Asker, verdict: Verdict, detail: Uint8Array) => void;
  /** Do all living nodes hear everything? Without that a list may lack somebody. */
  readonly settled: () => Promise<boolean>;
}

/** A page of a list. */
export interface Page {
  readonly members: readonly Listed[];
  /** Where the next page begins; undefined: this was the last. */
  readonly next: string | undefined;
}

interface Sorted {
  readonly at: number;
  readonly connections: readonly Connection[];
}

/** So long a sorted list serves further pages: who pages through 100,000 connections should not sort them 500 times. */
const sortedMs = 5000;
/** Sorted lists kept at once. */
const sortedLists = 100;

/** Who is in a hub, a group, or a user's connections, on all nodes: lists by page, and how many. */
export class Inquiries {
  readonly #options: InquiriesOptions;
  readonly #sorted = new Map<string, Sorted>();

  constructor(options: InquiriesOptions) {
    this.#options = options;
  }

  /**
   * One page, by connection id.
   * @throws {GatewayError} `backplane_down`, `no_answer`.
   */
  async list(hub: string, of: Crowd, after: string, max: number): Promise<Page> {
    const lists = this.#alone ? [this.#here({ hub, of, after, max })] : await this.#ask(hub, of, { after, max });
    const all = lists.flat().sort((a, b) => (a.connectionId < b.connectionId ? -1 : 1));
    const members = all.slice(0, max);
    const more = all.length > max || lists.some((list) => list.length === max);
    return { members, next: more ? members.at(-1)?.connectionId : undefined };
  }

  /**
   * How many connections there are.
   * @throws {GatewayError} `backplane_down`, `no_answer`.
   */
  async count(hub: string, of: Crowd): Promise<number> {
    if (this.#alone) return this.#countHere(hub, of);
    const counts = await this.#ask(hub, of, undefined);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  get #alone(): boolean {
    return !this.#options.bus.remote;
  }

  #ask(hub: string, of: Crowd, page: { after: string; max: number }): Promise<Listed[][]>;
  #ask(hub: string, of: Crowd, page: undefined): Promise<number[]>;
  async #ask(hub: string, of: Crowd, page: { after: string; max: number } | undefined): Promise<unknown[]> {
    const { asks, bus, settled } = this.#options;
    if (!bus.hearing) throw new GatewayError('backplane_down', 'Redis is down, and this node alone cannot answer');
    const { asker, outcome, details } = asks.open('every');
    const inquiry = { hub, ask: asker, of };
    const command =
      page === undefined ? { kind: 'count' as const, ...inquiry } : { kind: 'list' as const, ...inquiry, ...page };
    try {
      asks.expect(asker.id, await bus.send(hub, this.#topic(hub, of), encodeCommand(command), true));
    } catch (error) {
      asks.drop(asker.id);
      throw error;
    }
    if ((await outcome) === 'timeout' || !(await settled())) {
      throw new GatewayError('no_answer', 'a node that may know did not answer, or is still coming back to Redis');
    }
    return details.map((detail) =>
      page === undefined ? Number(Buffer.from(detail).toString()) : decodeListed(detail),
    );
  }

  #topic(hub: string, of: Crowd): string {
    const { topics } = this.#options;
    if (of.kind === 'group') return topics.group(hub, of.group);
    return of.kind === 'user' ? topics.personal(hub, topics.tagOfUser(hub, of.user)) : topics.all(hub);
  }

  /** A node asks, perhaps this one. */
  take(inquiry: List | Count): void {
    const { answer } = this.#options;
    if (inquiry.kind === 'list') answer(inquiry.ask, 'yes', encodeListed(this.#here(inquiry)));
    else answer(inquiry.ask, 'yes', Buffer.from(String(this.#countHere(inquiry.hub, inquiry.of))));
  }

  #countHere(hub: string, of: Crowd): number {
    const members = this.#options.registry.hub(hub);
    if (members === undefined) return 0;
    if (of.kind === 'all') return members.connections.size;
    return of.kind === 'group' ? members.groups.count(of.group) : members.users.count(of.user);
  }

  #here({ hub, of, after, max }: Pick<List, 'hub' | 'of' | 'after' | 'max'>): Listed[] {
    const sorted = this.#sort(hub, of, after === '');
    const listed: Listed[] = [];
    for (let i = firstBehind(sorted, after); i < sorted.length && listed.length < max; i++) {
      const connection = sorted[i];
      if (connection === undefined || connection.state === 'closed') continue;
      listed.push({ connectionId: connection.id, userId: connection.userId });
    }
    return listed;
  }

  /** @param fresh a first page must know who came just now. */
  #sort(hub: string, of: Crowd, fresh: boolean): readonly Connection[] {
    const key = JSON.stringify([hub, of]);
    const now = this.#options.now();
    const kept = this.#sorted.get(key);
    if (!fresh && kept !== undefined && now - kept.at < sortedMs) return kept.connections;
    const connections = this.#members(hub, of).sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#sorted.delete(key);
    this.#sorted.set(key, { at: now, connections });
    for (const [oldest, { at }] of this.#sorted) {
      if (this.#sorted.size <= sortedLists && now - at < sortedMs) break;
      this.#sorted.delete(oldest);
    }
    return connections;
  }

  #members(hub: string, of: Crowd): Connection[] {
    const members = this.#options.registry.hub(hub);
    if (members === undefined) return [];
    if (of.kind === 'all') return [...members.connections.values()];
    return [...(of.kind === 'group' ? members.groups.of(of.group) : members.users.of(of.user))];
  }
}

/** Place of the first id behind `after`, by halves. */
function firstBehind(sorted: readonly Connection[], after: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.id ?? '') <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
