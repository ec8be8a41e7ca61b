/** What the gateway does for a hub (architecture, section 7). */
export type Mode = 'default' | 'serverless';

/** How the mode of a hub is set: fixed, or by whether an app server has been seen. */
export type ModeSetting = Mode | 'auto';

export interface ModesOptions {
  /** By hub name; `*` is every other hub. */
  readonly settings: ReadonlyMap<string, ModeSetting>;
  /** An `auto` hub is serverless again so long after its last link, in ms. */
  readonly forgetMs: number;
  readonly now: () => number;
  /** An `auto` hub has an app server from now on: its serverless clients belong there. */
  readonly turnedDefault: (hub: string) => void;
}

/** Which app a hub has now: app servers behind links, or the gateway itself. */
export class Modes {
  readonly #options: ModesOptions;
  /** When a link that may carry clients was last seen, anywhere. */
  readonly #seen = new Map<string, number>();

  constructor(options: ModesOptions) {
    this.#options = options;
  }

  of(hub: string): Mode {
    const setting = this.#setting(hub);
    if (setting !== 'auto') return setting;
    return this.#remembers(hub) ? 'default' : 'serverless';
  }

  #setting(hub: string): ModeSetting {
    return this.#options.settings.get(hub) ?? this.#options.settings.get('*') ?? 'auto';
  }

  #remembers(hub: string): boolean {
    const seen = this.#seen.get(hub);
    return seen !== undefined && this.#options.now() - seen < this.#options.forgetMs;
  }

  /** A link that may carry clients of this hub is there, or was so many ms ago. */
  linkSeen(hub: string, agoMs = 0): void {
    const turns = !this.#remembers(hub);
    const seen = this.#options.now() - agoMs;
    if (seen > (this.#seen.get(hub) ?? Number.NEGATIVE_INFINITY)) this.#seen.set(hub, seen);
    if (turns && this.#remembers(hub) && this.#setting(hub) === 'auto') this.#options.turnedDefault(hub);
  }

  /** The hubs that had a link within the time that counts, and how long ago in ms; what is too old is forgotten. */
  recent(): [hub: string, agoMs: number][] {
    const now = this.#options.now();
    for (const [hub, seen] of this.#seen) if (now - seen >= this.#options.forgetMs) this.#seen.delete(hub);
    return [...this.#seen].map(([hub, seen]) => [hub, Math.max(0, Math.round(now - seen))]);
  }
}
