import { decodeEnvelope, type Envelope } from '../protocol/envelope.ts';
import type { DropReason } from '../reasons.ts';
import { RecentMap } from './recent-map.ts';

export interface InboundOptions {
  readonly node: string;
  readonly rememberedTopics: number;
  readonly lateMs: number;
  /** Age of this node's own probe, in milliseconds. */
  readonly lateness: () => number;
  readonly sheddable: (command: Uint8Array) => boolean;
  readonly dropped: (reason: DropReason, count: number) => void;
  readonly latency: (milliseconds: number) => void;
  readonly arrived: (commands: number, bytes: number) => void;
  readonly now: () => number;
}

/** Nodes remembered at most, for those that nobody calls {@link Inbound.forget} for. */
const mostNodes = 10_000;

/** Checks envelopes: version, order, duplicates, holes; sheds when this node is behind. Every drop is counted. */
export class Inbound {
  readonly #options: InboundOptions;
  /** Sequence last seen, by node and lane. */
  readonly #lanes = new RecentMap<string, Map<string, number>>(mostNodes);
  /** Sequence last seen on a watched topic, by topic and node. */
  readonly #topics: RecentMap<string, Map<string, number>>;

  constructor(options: InboundOptions) {
    this.#options = options;
    this.#topics = new RecentMap(options.rememberedTopics);
  }

  /** The envelope with what may be delivered here; `undefined` when that is nothing. */
  accept(topic: string, bytes: Uint8Array): Envelope | undefined {
    const { node, dropped, latency, arrived, now } = this.#options;
    const envelope = decodeEnvelope(bytes);
    if (envelope === undefined) {
      dropped('unknown_version', 1);
      return undefined;
    }
    if (!this.#isNew(envelope)) {
      dropped('duplicate', 1);
      return undefined;
    }
    this.#lookForHole(topic, envelope);
    if (envelope.node === node) return envelope.echo ? this.#shed(envelope) : undefined;
    latency(now() - envelope.sentAt);
    arrived(envelope.commands.length, bytes.length);
    return this.#shed(envelope);
  }

  /** What was seen on a topic proves nothing about a later watch. */
  unwatched(topic: string): void {
    this.#topics.delete(topic);
  }

  forget(node: string): void {
    this.#lanes.delete(node);
    for (const nodes of this.#topics.values()) nodes.delete(node);
  }

  #isNew({ node, lane, sequence }: Envelope): boolean {
    const lanes = this.#lanes.get(node) ?? new Map<string, number>();
    this.#lanes.set(node, lanes);
    if (sequence <= (lanes.get(lane) ?? 0)) return false;
    lanes.set(lane, sequence);
    return true;
  }

  #lookForHole(topic: string, { node, sequence, previous }: Envelope): void {
    const nodes = this.#topics.get(topic) ?? new Map<string, number>();
    this.#topics.set(topic, nodes);
    const seen = nodes.get(node);
    if (seen !== undefined && previous !== undefined && previous > seen) this.#options.dropped('hole', 1);
    nodes.set(node, sequence);
  }

  #shed(envelope: Envelope): Envelope | undefined {
    const { lateness, lateMs, sheddable, dropped } = this.#options;
    if (lateness() <= lateMs) return envelope;
    const commands = envelope.commands.filter((command) => !sheddable(command));
    const shed = envelope.commands.length - commands.length;
    if (shed > 0) dropped('behind', shed);
    return commands.length > 0 ? { ...envelope, commands } : undefined;
  }
}
