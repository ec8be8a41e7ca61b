/** Times of a link, in ms: the service protocol fixes them (sections 7.1 and 8.1). */
export const linkTimes = {
  /** For the handshake of an app server. */
  handshake: 15_000,
  /** The longest silence of ours: an app server pings in answer to our bytes only. */
  keepAlive: 5000,
  /** The longest silence of theirs. */
  silence: 30_000,
  /** How often all links are looked at. */
  beat: 500,
} as const;

/** What the heartbeat needs of a link. Times are of its clock. */
export interface BeatingLink {
  /** Is its handshake done? */
  readonly handshaken: boolean;
  /** When bytes last came; before any, when it was opened. */
  readonly lastHeard: number;
  /** When something was last sent. */
  readonly lastSaid: number;
  keepAlive(): void;
  end(reason: 'silent' | 'handshake_timeout'): void;
}

/** One timer for all links of a node: keep-alives, silence, handshakes that do not come. It runs while there are links. */
export class LinksHeartbeat {
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly #links = new Set<BeatingLink>();
  #timer: NodeJS.Timeout | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  add(link: BeatingLink): void {
    this.#links.add(link);
    this.#timer ??= setInterval(() => this.#beat(), linkTimes.beat);
  }

  remove(link: BeatingLink): void {
    this.#links.delete(link);
    if (this.#links.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #beat(): void {
    const now = this.now();
    for (const link of this.#links) check(link, now);
  }
}

/** A keep-alive goes out one beat early, for at the next it would be late. */
const pingAfter = linkTimes.keepAlive - linkTimes.beat;

function check(link: BeatingLink, now: number): void {
  const silent = now - link.lastHeard;
  if (!link.handshaken) {
    if (silent >= linkTimes.handshake) link.end('handshake_timeout');
  } else if (silent >= linkTimes.silence) link.end('silent');
  else if (now - link.lastSaid >= pingAfter) link.keepAlive();
}
