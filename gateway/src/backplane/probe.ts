import { awakeNow } from '../observe/awake.ts';

/** What a probe needs and tells. */
export interface ProbeOptions {
  /** Where probes go: topics that this node watches. Asked for each round. */
  topics(): readonly string[];
  /** Publishes; a failure shows by the probe's not coming back. */
  send(topic: string, probe: Uint8Array): void;
  /** A probe came back after so many milliseconds. */
  returned?(milliseconds: number): void;
  /** A probe was out for `silentMs`. Told once; the probe stops by itself. */
  silent(): void;
  /** Milliseconds between rounds. Default 1,000. */
  readonly everyMs?: number;
  /** How long a probe may stay out. Default 3,000. */
  readonly silentMs?: number;
  /** The clock of ages and rounds, in milliseconds. Default {@link awakeNow}: sleep of this process makes no probe late. */
  readonly now?: () => number;
}

/** How often the age of probes is looked at, in milliseconds. */
const lookMs = 250;

/**
 * Asks the way through Redis and back whether it works: sockets that look open prove nothing. Counts only time in which
 * this process was awake, so that a long turn of it is not taken for a silent Redis.
 */
export class Probe {
  readonly #options: ProbeOptions & Required<Pick<ProbeOptions, 'everyMs' | 'silentMs' | 'now'>>;
  /** Round and time of the oldest probe that is out, per topic. */
  readonly #out = new Map<string, { round: number; since: number }[]>();
  readonly #timer: NodeJS.Timeout;
  #round = 0;
  #nextRound: number;

  constructor(options: ProbeOptions) {
    this.#options = { everyMs: 1_000, silentMs: 3_000, now: awakeNow, ...options };
    this.#nextRound = this.#options.now();
    this.#timer = setInterval(this.#look, lookMs).unref();
    this.#look();
  }

  /** A probe came back, and with it all earlier ones of its topic. */
  received(topic: string, probe: Uint8Array): void {
    const round = Number(Buffer.from(probe).toString('latin1'));
    const out = this.#out.get(topic);
    while (out?.[0] !== undefined && out[0].round <= round) {
      this.#options.returned?.(this.#options.now() - out[0].since);
      out.shift();
    }
  }

  /** Age in milliseconds of the oldest probe that is out; 0 without. */
  lateness(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const [first] of this.#out.values()) oldest = Math.min(oldest, first?.since ?? oldest);
    return Math.max(0, this.#options.now() - oldest) * Number(oldest !== Number.POSITIVE_INFINITY);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  readonly #look = (): void => {
    const now = this.#options.now();
    if (this.lateness() >= this.#options.silentMs) {
      this.stop();
      this.#options.silent();
      return;
    }
    if (now < this.#nextRound) return;
    this.#nextRound = now + this.#options.everyMs;
    this.#send(now);
  };

  #send(now: number): void {
    const round = ++this.#round;
    const topics = this.#options.topics();
    for (const topic of this.#out.keys()) if (!topics.includes(topic)) this.#out.delete(topic);
    for (const topic of topics) {
      const out = this.#out.get(topic) ?? [];
      this.#out.set(topic, out);
      out.push({ round, since: now });
      this.#options.send(topic, Buffer.from(String(round), 'latin1'));
    }
  }
}
