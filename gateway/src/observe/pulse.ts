import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { CloseReason, DropReason } from '../reasons.ts';
import type { Events } from './events.ts';

/** What one node does per second, as of the last few seconds. */
export interface Rates {
  /** Units that came from clients, and their bytes. */
  readonly received: number;
  readonly receivedBytes: number;
  /** Frames written to clients, and their bytes. */
  readonly delivered: number;
  readonly deliveredBytes: number;
  /** Clients that came and went. */
  readonly opened: number;
  readonly closed: number;
  readonly dropped: number;
  /** Share of the time in which the event loop was not waiting, 0 to 1. */
  readonly busy: number;
}

interface Counts {
  received: number;
  receivedBytes: number;
  delivered: number;
  deliveredBytes: number;
  opened: number;
  closed: number;
  dropped: number;
}

interface Sample extends Counts {
  readonly at: number;
  readonly loop: EventLoopUtilization;
}

/** How often it is counted, and over how many counts a rate goes. */
const sampleMs = 1000;
const keptSamples = 5;

/**
 * The pulse of one node, for operators: rates of the last seconds without anybody who scrapes. Stands around the events of
 * the metrics and counts plain integers.
 */
export class Pulse {
  /** Ends since the start, by reason; only those that happened. */
  readonly closes = new Map<CloseReason, number>();
  /** Losses since the start, by reason; only those that happened. */
  readonly drops = new Map<DropReason, number>();
  /** Round trip of the last probe through Redis in ms; undefined before the first. */
  probeMs: number | undefined;
  /** The last time that an envelope of another node took, in ms; contains the difference of the clocks. */
  latencyMs: number | undefined;
  readonly #counts: Counts = {
    received: 0,
    receivedBytes: 0,
    delivered: 0,
    deliveredBytes: 0,
    opened: 0,
    closed: 0,
    dropped: 0,
  };
  readonly #samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;

  readonly #now: () => number;

  /** @param now milliseconds of a monotonic clock; a test hands in its own. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), sampleMs).unref();
  }

  /** The same events, counted. */
  around(events: Events): Events {
    const counts = this.#counts;
    return {
      ...events,
      received(messages, bytes) {
        counts.received++;
        counts.receivedBytes += bytes;
        events.received(messages, bytes);
      },
      delivered(frames, bytes) {
        counts.delivered += frames;
        counts.deliveredBytes += bytes;
        events.delivered(frames, bytes);
      },
      connectionOpened(...facts) {
        counts.opened++;
        events.connectionOpened(...facts);
      },
      connectionClosed: (...facts) => {
        counts.closed++;
        tick(this.closes, facts[facts.length - 1] as CloseReason, 1);
        events.connectionClosed(...facts);
      },
      dropped: (reason, count) => {
        counts.dropped += count;
        tick(this.drops, reason, count);
        events.dropped(reason, count);
      },
      probe: (ms) => {
        this.probeMs = ms;
        events.probe(ms);
      },
      latency: (ms) => {
        this.latencyMs = ms;
        events.latency(ms);
      },
    };
  }

  #sample(): void {
    const loop = performance.eventLoopUtilization();
    this.#samples.push({ ...this.#counts, at: this.#now(), loop });
    if (this.#samples.length > keptSamples) this.#samples.shift();
  }

  /** Per second, from the oldest kept sample to now. */
  rates(): Rates {
    const [first] = this.#samples;
    if (first === undefined) throw new TypeError('a pulse has a sample from the start');
    const seconds = Math.max(0.001, (this.#now() - first.at) / 1000);
    const per = (name: keyof Counts): number => Math.round(((this.#counts[name] - first[name]) / seconds) * 10) / 10;
    return {
      received: per('received'),
      receivedBytes: per('receivedBytes'),
      delivered: per('delivered'),
      deliveredBytes: per('deliveredBytes'),
      opened: per('opened'),
      closed: per('closed'),
      dropped: per('dropped'),
      busy: Math.round(performance.eventLoopUtilization(first.loop).utilization * 1000) / 1000,
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function tick<Reason>(counts: Map<Reason, number>, reason: Reason, by: number): void {
  counts.set(reason, (counts.get(reason) ?? 0) + by);
}
