import { checkTimeout, Deadline } from './deadline.ts';
import { SignalboxError } from './errors.ts';
import type { CallOptions } from './hub-context.ts';
import type { Taken, Way } from './link-gateway.ts';

/** A link as the route sees it. */
export interface RoutedLink extends Way {
  /** Whether it takes messages. */
  readonly up: boolean;
  readonly queuedBytes: number;
}

interface Waiter {
  readonly frame: Uint8Array;
  readonly options: CallOptions | undefined;
  readonly taken: Taken | undefined;
  readonly deadline: Deadline;
  resolve(sent: Promise<void>): void;
  reject(error: SignalboxError): void;
}

/** Most bytes that wait for a link of one hub to come up, each message counted with 64 on top. */
const mostBytes = 1 << 20;
const frameBytes = 64;

/**
 * The way of what is sent from outside of calls: all over one link, so that it keeps its order; another takes over when it
 * is lost. While none is up, messages wait in order.
 */
export class LinkRoute implements Way {
  readonly #links: Iterable<RoutedLink>;
  readonly #waitMs: number;
  readonly #name: string;
  #current: RoutedLink | undefined;
  #waiting: Waiter[] = [];
  #bytes = 0;
  #closed = false;

  /** `links`: those that are up, as they change. `waitMs`: how long a message waits for one. */
  constructor(hub: string, links: Iterable<RoutedLink>, waitMs: number) {
    this.#name = hub;
    this.#links = links;
    this.#waitMs = waitMs;
  }

  /** Bytes that wait for a link. */
  get bytes(): number {
    return this.#bytes;
  }

  put(frame: Uint8Array, options?: CallOptions, taken?: Taken): Promise<void> {
    if (this.#closed) return Promise.reject(stopped());
    const link = this.#pick();
    return link === undefined ? this.#wait(frame, options, taken) : link.put(frame, options, taken);
  }

  /** A link came up: what waits goes first. */
  up(): void {
    const link = this.#pick();
    if (link === undefined) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    for (const { frame, options, taken, deadline, resolve } of waiting) {
      deadline.clear();
      resolve(link.put(frame, options, taken));
    }
  }

  /** Whatever waits, or comes later, rejects with ERR_STOPPED. */
  close(): void {
    this.#closed = true;
    for (const { deadline, reject } of this.#waiting.splice(0)) {
      deadline.clear();
      reject(stopped());
    }
    this.#bytes = 0;
  }

  /** The one link; a new one when it was lost: that with the shortest queue. */
  #pick(): RoutedLink | undefined {
    if (this.#current?.up) return this.#current;
    let best: RoutedLink | undefined;
    for (const link of this.#links) if (best === undefined || link.queuedBytes < best.queuedBytes) best = link;
    this.#current = best;
    return best;
  }

  #wait(frame: Uint8Array, options: CallOptions | undefined, taken: Taken | undefined): Promise<void> {
    const size = frame.length + frameBytes;
    if (this.#bytes + size > mostBytes) {
      const text = `no link of hub "${this.#name}" is up, and what waits for one must be at most ${mostBytes} bytes`;
      return Promise.reject(new SignalboxError('ERR_NO_LINK', text));
    }
    return new Promise((resolve, reject) => {
      const timeoutMs = Math.min(checkTimeout(options?.timeoutMs, this.#waitMs), this.#waitMs);
      const deadline = new Deadline(timeoutMs, options?.signal);
      const waiter: Waiter = { frame, options, taken, deadline, resolve, reject };
      if (deadline.reason !== undefined) return reject(this.#late(deadline));
      this.#waiting.push(waiter);
      this.#bytes += size;
      deadline.onEnd(() => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        this.#bytes -= size;
        reject(this.#late(deadline));
      });
    });
  }

  #late(deadline: Deadline): SignalboxError {
    const error = deadline.error(`a link of hub "${this.#name}"`, 'notSent');
    return error.code === 'ERR_TIMEOUT' ? new SignalboxError('ERR_NO_LINK', error.message) : error;
  }
}

function stopped(): SignalboxError {
  return new SignalboxError('ERR_STOPPED', 'the app server was stopped');
}
