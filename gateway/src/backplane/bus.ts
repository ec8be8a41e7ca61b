import type { DropReason } from '../reasons.ts';
import type { Backplane, BackplaneTraits } from './backplane.ts';
import { Inbound } from './incoming.ts';
import { Outbound } from './outgoing.ts';

/** The lane of all control topics; every other lane is a hub's name. One lane never mixes both kinds. */
export const controlLane = '';

/** Where commands came from. */
export interface Origin {
  readonly node: string;
  /** The echo of a command that this node sent. */
  readonly own: boolean;
  /** The sender's clock, in milliseconds. */
  readonly sentAt: number;
  /** What {@link Bus.send} was given. */
  readonly trace?: string;
}

/** What the bus tells. None of these may throw. */
export interface BusHandlers {
  /** Commands of one envelope, in the order they were sent. Views into one buffer: copy what is kept long. */
  commands(topic: string, from: Origin, commands: readonly Uint8Array[]): void;
  deaf(): void;
  hearing(): void;
}

/**
 * Commands between nodes: puts what one turn owes a topic into one envelope, stamps and checks envelopes (order,
 * duplicates, holes, versions), and drops what must be dropped, counted. Around a {@link Backplane}.
 */
export interface Bus {
  /** As {@link Backplane.start}. */
  start(on: BusHandlers): Promise<void>;
  /** As {@link Backplane.watch}. */
  watch(topic: string): Promise<void>;
  /** As {@link Backplane.unwatch}. */
  unwatch(topic: string): Promise<void>;
  /** As {@link Backplane.watchers}. */
  watchers(topic: string): Promise<number>;
  /**
   * Sends one ready-encoded MessagePack value. Leaves at the end of this turn of the event loop, in order within its
   * lane. With `echo` it is also delivered here, when it comes back and if this node watches the topic.
   * Resolves with the nodes that got it (this one counted if it watches). Rejects with `too_large` at once, else as
   * {@link Backplane.publish}; what is rejected is counted already, so the promise may be let go. A control topic on another
   * lane than {@link controlLane}, or the reverse, is a `TypeError`.
   */
  send(lane: string, topic: string, command: Uint8Array, echo: boolean, trace?: string): Promise<number>;
  /** As {@link send}, in order with it, but the envelope leaves through `publish`: for a script that stores and tells in one step. */
  sendVia(
    lane: string,
    topic: string,
    command: Uint8Array,
    echo: boolean,
    publish: (envelope: Uint8Array) => Promise<number>,
  ): Promise<number>;
  /** Drops what is remembered of a node that is gone. */
  forget(node: string): void;
  /** `false`: the backplane is known down, or not started. */
  readonly hearing: boolean;
  /** As {@link BackplaneTraits.remote}. */
  readonly remote: boolean;
  /** As {@link BackplaneTraits.hashTags}. */
  readonly hashTags: boolean;
  /** Sends what waits, then closes the backplane. */
  close(): Promise<void>;
}

/** Bounds of a bus. */
export interface BusLimits {
  /** Largest command, and largest sum of commands in one envelope, in bytes. Default 1 MiB. */
  readonly messageBytes: number;
  /** How late this node's own probe may be, in milliseconds, before sheddable commands are dropped. Default 2,000. */
  readonly lateMs: number;
  /** How many topics each side remembers for `previous`. Default 100,000. */
  readonly rememberedTopics: number;
}

/** What happened, for metrics. */
export interface BusEvents {
  /** `count` commands (holes, duplicates and unknown versions: envelopes) were not sent, or not delivered here. */
  dropped(reason: DropReason, count: number): void;
  /** Milliseconds from the sender's clock to ours, per envelope of another node; clocks may differ, so it may be negative. */
  latency(milliseconds: number): void;
  /** One envelope left. */
  published(commands: number, bytes: number): void;
  /** One envelope of another node came. */
  arrived(commands: number, bytes: number): void;
}

export interface BusOptions {
  readonly backplane: Backplane & BackplaneTraits;
  /** This node's id. */
  readonly node: string;
  readonly events: BusEvents;
  /** May this command be dropped when this node is behind (broadcasts and group sends)? */
  sheddable(command: Uint8Array): boolean;
  readonly limits?: Partial<BusLimits>;
  /** Clock in milliseconds. Default `Date.now`. */
  now?(): number;
}

const defaults: BusLimits = { messageBytes: 1024 * 1024, lateMs: 2_000, rememberedTopics: 100_000 };

/** A bus over any backplane. */
export function createBus(options: BusOptions): Bus {
  return new BackplaneBus(options);
}

class BackplaneBus implements Bus {
  readonly remote: boolean;
  readonly hashTags: boolean;
  readonly #node: string;
  readonly #backplane: BusOptions['backplane'];
  readonly #outbound: Outbound;
  readonly #inbound: Inbound;
  #hearing = false;

  constructor({ backplane, node, events, sheddable, limits, now = Date.now }: BusOptions) {
    const { messageBytes, lateMs, rememberedTopics } = { ...defaults, ...limits };
    const dropped = (reason: DropReason, count: number): void => events.dropped(reason, count);
    const publish: Backplane['publish'] = (topic, envelope) => backplane.publish(topic, envelope);
    const lateness = (): number => backplane.lateness();
    const latency = (milliseconds: number): void => events.latency(milliseconds);
    const common = { node, now, dropped, rememberedTopics };
    this.#node = node;
    this.#backplane = backplane;
    this.remote = backplane.remote;
    this.hashTags = backplane.hashTags;
    const published = (commands: number, bytes: number): void => events.published(commands, bytes);
    const arrived = (commands: number, bytes: number): void => events.arrived(commands, bytes);
    this.#outbound = new Outbound({ ...common, messageBytes, publish, published });
    this.#inbound = new Inbound({ ...common, lateMs, lateness, sheddable, latency, arrived });
  }

  get hearing(): boolean {
    return this.#hearing;
  }

  async start(on: BusHandlers): Promise<void> {
    await this.#backplane.start({
      message: (topic, envelope) => this.#receive(on, topic, envelope),
      deaf: () => this.#feel(false, () => on.deaf()),
      hearing: () => this.#feel(true, () => on.hearing()),
    });
    this.#hearing = true;
  }

  watch(topic: string): Promise<void> {
    return this.#backplane.watch(topic);
  }

  unwatch(topic: string): Promise<void> {
    this.#inbound.unwatched(topic);
    return this.#backplane.unwatch(topic);
  }

  watchers(topic: string): Promise<number> {
    return this.#backplane.watchers(topic);
  }

  send(lane: string, topic: string, command: Uint8Array, echo: boolean, trace?: string): Promise<number> {
    this.#checkLane(lane, topic);
    return this.#outbound.send({ lane, topic, command, echo, trace });
  }

  sendVia(
    lane: string,
    topic: string,
    command: Uint8Array,
    echo: boolean,
    publish: (envelope: Uint8Array) => Promise<number>,
  ): Promise<number> {
    this.#checkLane(lane, topic);
    return this.#outbound.sendVia({ lane, topic, command, echo }, publish);
  }

  forget(node: string): void {
    this.#inbound.forget(node);
  }

  async close(): Promise<void> {
    await this.#outbound.flush();
    this.#hearing = false;
    await this.#backplane.close();
  }

  #receive(on: BusHandlers, topic: string, bytes: Uint8Array): void {
    const envelope = this.#inbound.accept(topic, bytes);
    if (envelope === undefined) return;
    const { node, sentAt, trace, commands } = envelope;
    on.commands(topic, { node, own: node === this.#node, sentAt, ...(trace !== undefined && { trace }) }, commands);
  }

  #feel(hearing: boolean, tell: () => void): void {
    this.#hearing = hearing;
    tell();
  }

  #checkLane(lane: string, topic: string): void {
    if (this.#backplane.isControl(topic) === (lane === controlLane)) return;
    throw new TypeError(
      `the topic "${topic}" does not belong on the lane "${lane}": control topics have a lane of their own`,
    );
  }
}
