/** How often the clocks of all connections are looked at, as in ASP.NET Core. */
const beatMs = 1000;

/** One timer for all connections of a hub. It runs while there is one, and keeps no process alive. */
export class Heartbeat {
  readonly #members: ReadonlyMap<string, { beat(now: number): void }>;
  #timer: NodeJS.Timeout | undefined;

  constructor(members: ReadonlyMap<string, { beat(now: number): void }>) {
    this.#members = members;
  }

  /** A member came. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#beat(), beatMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #beat(): void {
    if (this.#members.size === 0) this.stop();
    const now = performance.now();
    for (const member of this.#members.values()) member.beat(now);
  }
}
