import type { Bus } from '../backplane/bus.ts';
import type { Asker, Verdict } from '../protocol/command.ts';
import { encodeCommand } from '../protocol/command-codec.ts';
import type { StreamCommand, StreamOpen } from '../protocol/stream.ts';
import type { Asks } from './ask.ts';
import type { Topics } from './topics.ts';
import type { Watches } from './watches.ts';

/** Whoever keeps the ends of streams on this node: the door of links. */
export interface StreamPeer {
  /** Carry this client? */
  opened(command: StreamOpen): Verdict;
  /** Something came for one end. Called in the order of the hub. */
  came(command: Exclude<StreamCommand, StreamOpen>): void;
}

export interface StreamsOptions {
  readonly bus: Pick<Bus, 'send'>;
  readonly node: string;
  readonly topics: Topics;
  readonly watches: Watches;
  readonly asks: Asks;
  readonly answer: (asker: Asker, verdict: Verdict) => void;
}

/** The roads between clients here and links elsewhere, and the other way round: one topic per hub and node. */
export class Streams {
  readonly #options: StreamsOptions;
  #peer: StreamPeer | undefined;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** Who takes what comes. */
  attach(peer: StreamPeer): void {
    this.#peer = peer;
  }

  /** Watches for streams of the hub to this node, for one more end. Rejects as {@link Watches.hold}. */
  listen(hub: string): Promise<void> {
    const { topics, node, watches } = this.#options;
    return watches.hold(topics.stream(hub, node));
  }

  /** One end less. */
  unlisten(hub: string): void {
    const { topics, node, watches } = this.#options;
    watches.release(topics.stream(hub, node));
  }

  /**
   * Sends to the other end, in order with this node's sends to the hub.
   * @returns false when it surely did not arrive: nobody watches there, or Redis did not take it.
   */
  async send(to: string, command: StreamCommand): Promise<boolean> {
    const { bus, topics } = this.#options;
    try {
      return (await bus.send(command.hub, topics.stream(command.hub, to), encodeCommand(command), false)) > 0;
    } catch {
      return false; // counted by the bus; the caller ends the stream
    }
  }

  /** Asks a node to carry a client. Up to the publish nothing is awaited. */
  async open(to: string, command: StreamOpen): Promise<Verdict | 'timeout'> {
    const { asks, bus, topics } = this.#options;
    const { asker, outcome } = asks.open('first');
    const bytes = encodeCommand({ ...command, ask: asker });
    try {
      asks.expect(asker.id, await bus.send(command.hub, topics.stream(command.hub, to), bytes, false));
      return await outcome;
    } catch {
      asks.drop(asker.id); // counted by the bus
      return 'failed';
    }
  }

  /** Something came from another node. */
  take(command: StreamCommand): void {
    if (command.kind !== 'streamOpen') {
      this.#peer?.came(command);
      return;
    }
    const verdict = this.#peer?.opened(command) ?? 'no';
    if (command.ask !== undefined) this.#options.answer(command.ask, verdict);
  }
}
