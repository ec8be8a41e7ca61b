import { type Bus, controlLane } from '../backplane/bus.ts';
import type { Command } from '../protocol/command.ts';
import { encodeCommand } from '../protocol/command-codec.ts';
import type { Follow, Followed, Quarry, Unfollow } from '../protocol/operator.ts';
import type { Follows } from './follows.ts';
import type { Topics } from './topics.ts';

export interface FollowersOptions {
  readonly bus: Pick<Bus, 'send' | 'hearing' | 'remote'>;
  readonly node: string;
  readonly topics: Topics;
  /** What this node sees itself. */
  readonly follows: Pick<Follows, 'follow' | 'unfollow'>;
  readonly now: () => number;
}

/** Who reads what happens: the JSON of each happening, and how many were left out before them. Must not throw. */
export type Reader = (happenings: readonly string[], lost: number) => void;

/** How often who follows says so again, in ms: nodes that came meanwhile hear of it, too. */
const renewMs = 5000;
/** How long a node tells after it was last asked to, in ms: a follower that died costs no longer. */
const leaseMs = 15_000;

interface Open {
  readonly command: Follow;
  readonly read: Reader;
  renewed: number;
}

/** The operators at this node who follow somebody, on whatever node. */
export class Followers {
  readonly #options: FollowersOptions;
  readonly #open = new Map<number, Open>();
  #nextId = 1;

  constructor(options: FollowersOptions) {
    this.#options = options;
  }

  /** Followers at this node. */
  get size(): number {
    return this.#open.size;
  }

  /** Follows until the function that it returns is called. With Redis away: on this node, on all when it is back. */
  open(quarry: Quarry, payloads: boolean, read: Reader): () => void {
    const id = this.#nextId++;
    const ask = { node: this.#options.node, id };
    const command: Follow = { kind: 'follow', ...quarry, ask, payloads, leaseMs };
    this.#open.set(id, { command, read, renewed: this.#options.now() });
    this.#say(command);
    return () => {
      if (this.#open.delete(id)) this.#say({ kind: 'unfollow', ask });
    };
  }

  #say(command: Follow | Unfollow): void {
    const { bus, follows, topics } = this.#options;
    if (command.kind === 'follow') follows.follow(command);
    else follows.unfollow(command);
    if (!bus.remote || !bus.hearing) return;
    bus.send(controlLane, topics.news, encodeCommand(command as Command), false).catch(() => {
      // counted by the bus; said again at the next renewal, and an end that was not heard comes with the lease
    });
  }

  /** A node tells, perhaps this one. */
  take({ id, happenings, lost }: Followed): void {
    this.#open.get(id)?.read(happenings, lost);
  }

  /** Renews; called about once a second. */
  sweep(): void {
    const now = this.#options.now();
    for (const open of this.#open.values()) {
      if (now - open.renewed < renewMs) continue;
      open.renewed = now;
      this.#say(open.command);
    }
  }
}
