import { GatewayError } from '../errors.ts';
import { afterAwake } from '../observe/awake.ts';
import { hashTag } from './redis-publisher.ts';

/** What a watchlist needs of the connection it watches through. One call at a time; all topics of a call share a hash tag. */
export interface Subscriber {
  subscribe(topics: string[]): Promise<unknown>;
  unsubscribe(topics: string[]): Promise<unknown>;
}

/** What a watchlist tells about the connection it was attached to. */
export interface WatchlistEvents {
  /** All that was wanted when the connection came is watched. Once per connection. */
  caughtUp(): void;
  /** The connection refused a command: it is of no use any more. */
  failed(error: Error): void;
}

interface Waiter {
  resolve(): void;
  reject(error: GatewayError): void;
}

const batchSize = 500;
const giveUpMs = 2_000;

/**
 * The topics that are wanted, and how they come to be watched on the connection of the moment: new ones first, then after
 * a reconnect node topics, `all`, the rest; 500 a command, one command in flight, so that Redis sets the pace.
 */
export class Watchlist {
  readonly #events: WatchlistEvents;
  readonly #sharded: boolean;
  readonly #wanted = new Set<string>();
  /** Acknowledged on this connection. */
  #watched = new Set<string>();
  readonly #waiters = new Map<string, Set<Waiter>>();
  /** Topics to subscribe, in this order: those that somebody waits for, then each rank of a reconnect. */
  #queues: [fresh: Set<string>, ...ranks: Set<string>[]] = emptyQueues();
  readonly #unwanted = new Set<string>();
  #subscriber: Subscriber | undefined;
  #busy = false;
  #caughtUp = false;

  constructor(sharded: boolean, events: WatchlistEvents) {
    this.#sharded = sharded;
    this.#events = events;
  }

  has(topic: string): boolean {
    return this.#wanted.has(topic);
  }

  /** Wants a topic from the next connection on. */
  want(topic: string): void {
    this.#wanted.add(topic);
  }

  /** Resolves when watched; rejects after 2 s, or at once without a connection. The topic stays wanted. */
  watch(topic: string): Promise<void> {
    this.#wanted.add(topic);
    this.#unwanted.delete(topic);
    if (this.#watched.has(topic)) return Promise.resolve();
    if (this.#subscriber === undefined) return Promise.reject(down('Redis is known down'));
    for (const queue of this.#queues) queue.delete(topic);
    this.#queues[0].add(topic);
    this.#pump();
    return this.#wait(topic);
  }

  unwatch(topic: string): void {
    if (!this.#wanted.delete(topic)) return;
    for (const queue of this.#queues) queue.delete(topic);
    this.#settle(topic, (waiter) => waiter.reject(down('the topic was given up')));
    if (!this.#watched.has(topic)) return;
    this.#unwanted.add(topic);
    this.#pump();
  }

  /** A new connection, on which nothing is watched yet. */
  attach(subscriber: Subscriber): void {
    this.#subscriber = subscriber;
    this.#busy = false;
    this.#caughtUp = false;
    this.#watched = new Set();
    this.#unwanted.clear();
    this.#queues = emptyQueues();
    for (const topic of this.#inSlots()) this.#queues[rank(topic)]?.add(topic);
    this.#pump();
  }

  /** The connection is gone; whoever waits is told. */
  detach(): void {
    this.#subscriber = undefined;
    this.#watched = new Set();
    for (const topic of [...this.#waiters.keys()])
      this.#settle(topic, (waiter) => waiter.reject(down('Redis was lost')));
  }

  #pump(): void {
    const subscriber = this.#subscriber;
    if (subscriber === undefined || this.#busy) return;
    const queue = this.#next();
    if (queue !== undefined) {
      void this.#run(subscriber, this.#take(queue), queue !== this.#unwanted);
    } else if (!this.#caughtUp) {
      this.#caughtUp = true;
      this.#events.caughtUp();
    }
  }

  /** New watches stand in front, but never hold back so many unwanted topics that these grow without bound. */
  #next(): Set<string> | undefined {
    const [fresh, ...ranks] = this.#queues;
    if (fresh.size > 0 && this.#unwanted.size < batchSize) return fresh;
    return [this.#unwanted, fresh, ...ranks].find((topics) => topics.size > 0);
  }

  async #run(subscriber: Subscriber, topics: string[], on: boolean): Promise<void> {
    this.#busy = true;
    if (!on) for (const topic of topics) this.#watched.delete(topic);
    try {
      await (on ? subscriber.subscribe(topics) : subscriber.unsubscribe(topics));
    } catch (error) {
      if (subscriber === this.#subscriber) this.#events.failed(error as Error);
      return;
    }
    if (subscriber !== this.#subscriber) return;
    this.#busy = false;
    if (on) for (const topic of topics) this.#isWatched(topic);
    this.#pump();
  }

  #isWatched(topic: string): void {
    this.#watched.add(topic);
    if (!this.#wanted.has(topic)) this.#unwanted.add(topic);
    this.#settle(topic, (waiter) => waiter.resolve());
  }

  /** All wanted topics; on a cluster those of one slot together, so that they fit into one command. */
  #inSlots(): Iterable<string> {
    if (!this.#sharded) return this.#wanted;
    const slots = new Map<string, string[]>();
    for (const topic of this.#wanted) {
      const tag = hashTag(topic);
      const topics = slots.get(tag);
      if (topics === undefined) slots.set(tag, [topic]);
      else topics.push(topic);
    }
    return [...slots.values()].flat();
  }

  /** Takes the next topics out of a queue; on a cluster as long as they are in one slot. */
  #take(queue: Set<string>): string[] {
    const taken: string[] = [];
    const [first = ''] = queue;
    for (const topic of queue) {
      if (taken.length === batchSize || (this.#sharded && hashTag(topic) !== hashTag(first))) break;
      taken.push(topic);
    }
    for (const topic of taken) queue.delete(topic);
    return taken;
  }

  #wait(topic: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(topic) ?? new Set();
      this.#waiters.set(topic, waiters);
      const callOff = afterAwake(giveUpMs, () => {
        waiters.delete(waiter);
        reject(down(`the topic was not watched within ${giveUpMs} ms`));
      });
      const finish = (settle: () => void): void => {
        callOff();
        settle();
      };
      const waiter = { resolve: () => finish(resolve), reject: (error: GatewayError) => finish(() => reject(error)) };
      waiters.add(waiter);
    });
  }

  #settle(topic: string, tell: (waiter: Waiter) => void): void {
    const waiters = this.#waiters.get(topic);
    this.#waiters.delete(topic);
    for (const waiter of waiters ?? []) tell(waiter);
  }
}

function emptyQueues(): [Set<string>, ...Set<string>[]] {
  return [new Set(), new Set(), new Set(), new Set()];
}

/** Where a topic stands after a reconnect: topics of a node first, then `all`, then the rest. */
function rank(topic: string): 1 | 2 | 3 {
  if (/:n:[^:]+(:probe)?$/.test(topic)) return 1;
  return topic.endsWith(':all') || topic.endsWith(':news') ? 2 : 3;
}

function down(why: string): GatewayError {
  return new GatewayError('backplane_down', `not watched: ${why}`);
}
