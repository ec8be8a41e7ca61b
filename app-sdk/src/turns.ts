import type { Deadline } from './deadline.ts';

/** Gives a place back, once. */
export type Leave = () => void;

interface Waiter {
  grant: () => void;
  gone: boolean;
}

/** So many at a time; the others wait in the order they came. The bound of the waiting line is the caller's. */
export class Turns {
  #free: number;
  #waiting: Waiter[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** Resolves with a place, or with undefined when the deadline came first. Stands in line before it returns. */
  async enter(deadline: Deadline): Promise<Leave | undefined> {
    if (deadline.reason !== undefined) return undefined;
    if (this.#free > 0) {
      this.#free--;
      return this.#leave();
    }
    return await new Promise((resolve) => {
      const stopWatching = deadline.onEnd(() => {
        waiter.gone = true;
        resolve(undefined);
      });
      const waiter: Waiter = {
        gone: false,
        grant: () => {
          stopWatching();
          resolve(this.#leave());
        },
      };
      this.#waiting.push(waiter);
    });
  }

  /** Whether nobody holds a place of the `places` given at construction, and nobody waits for one. */
  isIdle(places: number): boolean {
    return this.#free === places;
  }

  #leave(): Leave {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#next();
    };
  }

  #next(): void {
    let next = this.#waiting.shift();
    while (next?.gone) next = this.#waiting.shift();
    if (next) next.grant();
    else this.#free++;
  }
}

/** One at a time per key. A key is forgotten when nobody stands in its line. */
export class Lines {
  readonly #lines = new Map<string, Turns>();

  /** As `Turns.enter`, in the line of `key`. */
  async enter(key: string, deadline: Deadline): Promise<Leave | undefined> {
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = new Turns(1);
      this.#lines.set(key, line);
    }
    const turns = line;
    const leave = await turns.enter(deadline);
    return leave && (() => this.#leave(key, turns, leave));
  }

  #leave(key: string, line: Turns, leave: Leave): void {
    leave();
    if (line.isIdle(1)) this.#lines.delete(key);
  }
}
