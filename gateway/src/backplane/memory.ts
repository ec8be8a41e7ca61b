import { GatewayError } from '../errors.ts';
import { type Backplane, type BackplaneEvents, type BackplaneTraits, controlTopics } from './backplane.ts';

/** Takes what was published on a topic that it watches. */
type Receiver = (topic: string, envelope: Uint8Array) => void;

/** What joins several memory backplanes of one process into a cluster. Needs no Redis; serves tests and tools. */
export class MemoryExchange {
  readonly #receivers = new Map<string, Set<Receiver>>();

  watch(topic: string, receiver: Receiver): void {
    const receivers = this.#receivers.get(topic) ?? new Set();
    this.#receivers.set(topic, receivers.add(receiver));
  }

  unwatch(topic: string, receiver: Receiver): void {
    const receivers = this.#receivers.get(topic);
    if (receivers?.delete(receiver) && receivers.size === 0) this.#receivers.delete(topic);
  }

  publish(topic: string, envelope: Uint8Array): number {
    const receivers = this.#receivers.get(topic) ?? [];
    for (const receive of receivers) receive(topic, envelope);
    return this.watchers(topic);
  }

  watchers(topic: string): number {
    return this.#receivers.get(topic)?.size ?? 0;
  }
}

export interface MemoryBackplaneOptions {
  /** Full prefix of the topics: tells which ones are control topics. */
  readonly prefix: string;
  /** Shared with the other nodes of this process. Default: there is no other node. */
  readonly exchange?: MemoryExchange;
}

/** A backplane for one process. It is never deaf; what is published arrives in the next turn of the event loop, in order. */
export function createMemoryBackplane(options: MemoryBackplaneOptions): Backplane & BackplaneTraits {
  return new MemoryBackplane(options);
}

class MemoryBackplane implements Backplane, BackplaneTraits {
  readonly remote: boolean;
  readonly hashTags = false;
  readonly isControl: (topic: string) => boolean;
  readonly #exchange: MemoryExchange;
  readonly #watched = new Set<string>();
  #inbox: [topic: string, envelope: Uint8Array][] = [];
  #on: BackplaneEvents | undefined;

  constructor(options: MemoryBackplaneOptions) {
    this.remote = options.exchange !== undefined;
    this.isControl = controlTopics(options.prefix);
    this.#exchange = options.exchange ?? new MemoryExchange();
  }

  async start(on: BackplaneEvents): Promise<void> {
    this.#on = on;
  }

  async watch(topic: string): Promise<void> {
    this.#started();
    this.#watched.add(topic);
    this.#exchange.watch(topic, this.#receive);
  }

  async unwatch(topic: string): Promise<void> {
    this.#watched.delete(topic);
    this.#exchange.unwatch(topic, this.#receive);
  }

  async publish(topic: string, envelope: Uint8Array): Promise<number> {
    this.#started();
    return this.#exchange.publish(topic, envelope);
  }

  async watchers(topic: string): Promise<number> {
    this.#started();
    return this.#exchange.watchers(topic);
  }

  lateness(): number {
    return 0;
  }

  async close(): Promise<void> {
    this.#on = undefined;
    for (const topic of this.#watched) this.#exchange.unwatch(topic, this.#receive);
    this.#watched.clear();
  }

  #started(): void {
    if (this.#on === undefined) throw new GatewayError('backplane_down', 'the backplane is not started, or closed');
  }

  readonly #receive: Receiver = (topic, envelope) => {
    this.#inbox.push([topic, envelope]);
    if (this.#inbox.length === 1) setImmediate(this.#deliver);
  };

  readonly #deliver = (): void => {
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const [topic, envelope] of inbox) {
      if (this.#watched.has(topic)) this.#on?.message(topic, envelope);
    }
  };
}
