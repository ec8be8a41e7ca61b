import { Activity } from './activity.ts';
import type { Call } from './call.ts';
import type { Load } from './load.ts';

/**
 * The calls of one connection: plain ones in line, so many at a time; those with streams beside. None starts before
 * `start`. What waits counts as load, and what runs beside too, so that no client can have any number of streams.
 */
export class Calls {
  readonly #load: Load;
  readonly #line: Call[] = [];
  readonly #byId = new Map<string, Call>();
  readonly #all = new Set<Call>();
  readonly #running = new Activity();
  #places: number;
  #started = false;
  #ended = false;

  constructor(parallel: number, load: Load) {
    this.#places = parallel;
    this.#load = load;
  }

  /** Whether a call of this id has not been answered yet. */
  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** Takes a call whose id is free. */
  add(call: Call): void {
    const { invocationId } = call.message;
    this.#all.add(call);
    if (invocationId !== undefined) this.#byId.set(invocationId, call);
    this.#load.add(call.bytes);
    if (call.beside && this.#started && !this.#ended) void this.#run(call);
    else this.#line.push(call);
    this.#next();
  }

  /** The connection is ready for calls. */
  start(): void {
    this.#started = true;
    if (this.#ended) return;
    const waiting = this.#line.splice(0);
    this.#line.push(...waiting.filter((call) => !call.beside));
    for (const call of waiting) if (call.beside) void this.#run(call);
    this.#next();
  }

  /** An unknown id is left alone. */
  cancel(id: string): void {
    this.#byId.get(id)?.cancel();
  }

  /** Nothing starts any more, and the signals of all calls abort. */
  end(): void {
    this.#ended = true;
    for (const call of this.#line.splice(0)) call.end();
    for (const call of this.#all) call.cancel();
  }

  /** Resolves when no call runs any more, or after `ms`. */
  async settled(ms: number): Promise<void> {
    if (!this.#running.busy) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.#running.idle(), late]);
    clearTimeout(timer);
  }

  #next(): void {
    while (this.#started && !this.#ended && this.#places > 0) {
      const call = this.#line.shift();
      if (call === undefined) return;
      this.#occupy(call);
      void this.#run(call);
    }
  }

  #occupy(call: Call): void {
    this.#places--;
    this.#load.remove(call.bytes);
    call.leavePlace = () => {
      call.leavePlace = () => undefined;
      this.#places++;
      this.#next();
    };
  }

  async #run(call: Call): Promise<void> {
    this.#running.begin();
    await call.run();
    this.#running.end();
    this.#all.delete(call);
    const { invocationId } = call.message;
    if (invocationId !== undefined) this.#byId.delete(invocationId);
    if (call.beside) this.#load.remove(call.bytes);
    call.leavePlace();
    call.end();
  }
}
