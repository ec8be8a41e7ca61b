import { targetPing } from '@signalbox/app-sdk/protocol';
import type { NodesListener } from '../core/nodes.ts';
import type { Link } from './link.ts';
import type { Links } from './links.ts';

export interface HandOverOptions {
  readonly links: Pick<Links, 'stop' | 'haven'> & { sole(): readonly Pick<Link, 'say'>[] };
  /** Most time for it in ms; 0: it is left out. */
  readonly limitMs: number;
}

/** An app server that opened no link is asked again after so many ms. */
const askAgainMs = 2000;

/**
 * A node that stops has app servers that hold links to nobody else open one elsewhere, while its own still take clients:
 * else their hubs had no link at all until its clients are gone and its links closed.
 */
export class HandOver implements NodesListener {
  readonly #options: HandOverOptions;
  #done: (() => void) | undefined;

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  /** App servers that still have links here alone. */
  get left(): number {
    return this.#options.links.sole().length;
  }

  /** Resolves when each has a link elsewhere, when no other node could have one, or at the limit. */
  async run(): Promise<void> {
    const { limitMs, links } = this.#options;
    if (limitMs === 0) return;
    links.stop();
    const over = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    const limit = setTimeout(() => this.#done?.(), limitMs);
    const asking = setInterval(() => this.#ask(), askAgainMs);
    this.#ask();
    this.#look();
    await over;
    clearInterval(asking);
    clearTimeout(limit);
    this.#done = undefined;
  }

  #ask(): void {
    const { links } = this.#options;
    const haven = links.haven();
    if (haven !== undefined) for (const link of links.sole()) link.say(targetPing(haven));
  }

  /** News of nodes comes all the time: what is left is only counted while it matters. */
  #look(): void {
    if (this.#done === undefined) return;
    if (this.left === 0 || this.#options.links.haven() === undefined) this.#done();
  }

  nodeChanged(): void {
    this.#look();
  }

  nodeLeft(): void {
    this.#look();
  }

  nodeLost(): void {
    this.#look();
  }
}
