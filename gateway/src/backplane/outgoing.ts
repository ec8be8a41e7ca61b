import { GatewayError } from '../errors.ts';
import { encodeEnvelope } from '../protocol/envelope.ts';
import type { DropReason } from '../reasons.ts';
import { RecentMap } from './recent-map.ts';

type Publish = (topic: string, envelope: Uint8Array) => Promise<number>;

export interface OutgoingOptions {
  readonly node: string;
  readonly messageBytes: number;
  readonly rememberedTopics: number;
  readonly publish: Publish;
  readonly dropped: (reason: DropReason, count: number) => void;
  readonly published: (commands: number, bytes: number) => void;
  readonly now: () => number;
}

/** One command and where it goes. */
export interface Outgoing {
  readonly lane: string;
  readonly topic: string;
  readonly command: Uint8Array;
  readonly echo: boolean;
  readonly trace?: string | undefined;
}

/** What one turn owes one topic: one envelope. */
class Batch {
  readonly to: Outgoing;
  readonly commands: Uint8Array[];
  readonly publish: Publish;
  /** May more commands join? Not when the envelope leaves through a script. */
  readonly open: boolean;
  bytes: number;
  readonly promise: Promise<number>;
  resolve!: (receivers: number) => void;
  reject!: (error: unknown) => void;

  constructor(first: Outgoing, publish: Publish, open: boolean) {
    this.to = first;
    this.commands = [first.command];
    this.publish = publish;
    this.open = open;
    this.bytes = first.command.length;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** Collects the commands of one turn into envelopes, stamps and publishes them at its end, in order within each lane. */
export class Outbound {
  readonly #options: OutgoingOptions;
  /** Sequence of the last envelope of each lane. */
  readonly #sequences = new Map<string, number>();
  /** Sequence of the last envelope on each topic. */
  readonly #previous: RecentMap<string, number>;
  #batches: Batch[] = [];
  /** Bytes of the commands in them. */
  #waitingBytes = 0;
  /** The batch that a lane's next command may join. */
  readonly #last = new Map<string, Batch>();

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#previous = new RecentMap(options.rememberedTopics);
  }

  send(outgoing: Outgoing): Promise<number> {
    const refusal = this.#refuse(outgoing.command);
    if (refusal !== undefined) return refusal;
    this.#makeRoom(outgoing.command);
    const { command } = outgoing;
    const last = this.#last.get(outgoing.lane);
    if (last === undefined || !this.#fits(last, outgoing)) return this.#begin(outgoing, this.#options.publish, true);
    last.commands.push(command);
    last.bytes += command.length;
    return last.promise;
  }

  /**
   * What waits leaves before the end of the turn when it is much: uWebSockets.js reads a socket for as long as it finds it
   * full, and until then no turn ends (measured: 580 MB from one app server). So Redis' own bound is met in time.
   */
  #makeRoom({ length }: Uint8Array): void {
    this.#waitingBytes += length;
    if (this.#waitingBytes <= this.#options.messageBytes) return;
    void this.flush();
    this.#waitingBytes = length;
  }

  sendVia(outgoing: Outgoing, publish: (envelope: Uint8Array) => Promise<number>): Promise<number> {
    return this.#refuse(outgoing.command) ?? this.#begin(outgoing, (_topic, envelope) => publish(envelope), false);
  }

  /** Publishes what waits. Resolves when all of it is answered or refused. */
  async flush(): Promise<void> {
    const batches = this.#batches;
    this.#batches = [];
    this.#waitingBytes = 0;
    this.#last.clear();
    await Promise.all(batches.map((batch) => this.#leave(batch)));
  }

  #refuse({ length }: Uint8Array): Promise<never> | undefined {
    const { messageBytes, dropped } = this.#options;
    if (length <= messageBytes) return undefined;
    dropped('too_large', 1);
    const rule = `a message must be at most ${messageBytes} bytes (SIGNALBOX_MESSAGE_BYTES), got ${length}`;
    const refused = Promise.reject(new GatewayError('too_large', rule));
    refused.catch(ignore); // counted above
    return refused;
  }

  #fits(batch: Batch, { topic, echo, trace, command }: Outgoing): boolean {
    const { to } = batch;
    if (!batch.open || to.topic !== topic || to.echo !== echo || to.trace !== trace) return false;
    return batch.bytes + command.length <= this.#options.messageBytes;
  }

  #begin(first: Outgoing, publish: Publish, open: boolean): Promise<number> {
    const batch = new Batch(first, publish, open);
    this.#last.set(first.lane, batch);
    this.#batches.push(batch);
    if (this.#batches.length === 1) setImmediate(() => void this.flush());
    return batch.promise;
  }

  /** What is lost is counted here, so that a caller who has nobody to tell may let the promise go. */
  async #leave(batch: Batch): Promise<void> {
    try {
      batch.resolve(await this.#publish(batch));
    } catch (error) {
      const code = error instanceof GatewayError ? error.code : 'backplane_down';
      if (code === 'backplane_full' || code === 'backplane_down') this.#options.dropped(code, batch.commands.length);
      batch.promise.catch(ignore);
      batch.reject(error);
    }
  }

  #publish(batch: Batch): Promise<number> {
    const { lane, topic, echo, trace } = batch.to;
    const { commands } = batch;
    const { node, now } = this.#options;
    const sequence = (this.#sequences.get(lane) ?? 0) + 1;
    const previous = this.#previous.get(topic);
    this.#sequences.set(lane, sequence);
    this.#previous.set(topic, sequence);
    const envelope = encodeEnvelope({ node, lane, sequence, previous, sentAt: now(), trace, echo, commands });
    this.#options.published(commands.length, envelope.length);
    return batch.publish(topic, envelope);
  }
}

function ignore(): undefined {
  return undefined;
}
