import type { Fanout } from './fanout.ts';

/** One command carried out: gives back a fan-out that may be long, or nothing that lasts. */
export type Work = () => Fanout | undefined;

export interface TurnsOptions {
  /** A fan-out is over: report its counts. */
  readonly finished: (fanout: Fanout) => void;
  readonly sliceMs: number;
  /** Commands that may wait behind a long fan-out; above, the oldest that may be shed is. */
  readonly queue: number;
  readonly shed: (count: number) => void;
}

interface Waiting {
  readonly work: Work;
  readonly sheddable: boolean;
}

interface Lane {
  readonly waiting: Waiting[];
  /** How many of those waiting may be shed: looked for only where there is one. */
  sheddable: number;
  /** Undefined: over, and others still wait. */
  running: Fanout | undefined;
}

/**
 * The order of a hub: commands run one after another, and one whose fan-out is long runs in slices, so that timers and
 * answers get their turn while the hub's other commands wait in line.
 */
export class Turns {
  readonly #options: TurnsOptions;
  /** Only hubs with a long fan-out under way. */
  readonly #busy = new Map<string, Lane>();

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Commands that wait behind long fan-outs. */
  get waiting(): number {
    let count = 0;
    for (const lane of this.#busy.values()) count += lane.waiting.length;
    return count;
  }

  /** Runs the work now, or behind what its hub is still doing. @returns false when it was shed: too much waits already. */
  run(hub: string, work: Work, sheddable: boolean): boolean {
    const lane = this.#busy.get(hub);
    if (lane !== undefined) return this.#queue(lane, { work, sheddable });
    this.#start(hub, work);
    return true;
  }

  /** Above the limit the oldest that may be shed makes room; where none may be, the new one is not taken. */
  #queue(lane: Lane, waiting: Waiting): boolean {
    if (lane.waiting.length >= this.#options.queue) {
      this.#options.shed(1);
      if (!makesRoom(lane)) return false;
    }
    lane.waiting.push(waiting);
    lane.sheddable += Number(waiting.sheddable);
    return true;
  }

  #start(hub: string, work: Work): void {
    const running = work();
    if (running === undefined) return; // most work has no fan-out, and needs no line
    const lane: Lane = { waiting: [], sheddable: 0, running };
    if (this.#advance(lane)) return;
    this.#busy.set(hub, lane);
    this.#later(hub);
  }

  /** @returns true when no fan-out is under way any more. */
  #advance(lane: Lane): boolean {
    const { running } = lane;
    if (running === undefined) return true;
    if (!running.advance(performance.now() + this.#options.sliceMs)) return false;
    lane.running = undefined;
    this.#options.finished(running);
    return true;
  }

  #later(hub: string): void {
    setImmediate(() => this.#continue(hub));
  }

  #continue(hub: string): void {
    const lane = this.#busy.get(hub);
    if (lane === undefined) return;
    const until = performance.now() + this.#options.sliceMs;
    if (this.#advance(lane) && this.#drain(lane, until)) this.#busy.delete(hub);
    else this.#later(hub);
  }

  /** Runs what waits, until the clock passes `until` or one of them is long. @returns true when nothing waits any more. */
  #drain(lane: Lane, until: number): boolean {
    let done = 0;
    let over = true;
    while (over && done < lane.waiting.length && performance.now() < until) {
      const next = lane.waiting[done++];
      lane.sheddable -= Number(next?.sheddable);
      lane.running = next?.work();
      over = this.#advance(lane);
    }
    lane.waiting.splice(0, done);
    return over && lane.waiting.length === 0;
  }
}

function makesRoom(lane: Lane): boolean {
  if (lane.sheddable === 0) return false;
  lane.waiting.splice(
    lane.waiting.findIndex((one) => one.sheddable),
    1,
  );
  lane.sheddable--;
  return true;
}
