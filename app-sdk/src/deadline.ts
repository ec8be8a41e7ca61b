import { SignalboxError } from './errors.ts';
import type { CallOptions } from './hub-context.ts';

/** The longest delay a timer of Node can hold, in milliseconds. */
const longestTimer = 2 ** 31 - 1;

/** Checks `timeoutMs` of a call or constructor. Throws `TypeError`. */
export function checkTimeout(value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (!(value > 0 && value <= longestTimer)) {
    throw new TypeError(`"timeoutMs" must be more than 0 and at most ${longestTimer}, got ${String(value)}`);
  }
  return value;
}

const watchers = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * One listener per signal, however many calls share it: Node warns of a leak at the eleventh. The listener stays, empty,
 * as long as its signal.
 */
function watchersOf(signal: AbortSignal): Set<() => void> {
  const known = watchers.get(signal);
  if (known !== undefined) return known;
  const made = new Set<() => void>();
  watchers.set(signal, made);
  const tellAll = (): void => {
    for (const watcher of [...made]) watcher();
  };
  signal.addEventListener('abort', tellAll, { once: true });
  return made;
}

/**
 * The end of one call: its time is up, or its caller gave up. What waits registers with `onEnd`; whoever made the
 * deadline calls `clear`.
 */
export class Deadline {
  /** Why the call is over; undefined while it is not. */
  reason: 'timeout' | 'aborted' | undefined;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #startedAt = performance.now();
  readonly #waiting = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  readonly #abort = (): void => this.#end('aborted');

  constructor(timeoutMs: number, signal: CallOptions['signal']) {
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
    this.#timer = setTimeout(() => this.#end('timeout'), timeoutMs);
    if (signal?.aborted) this.#end('aborted');
    else if (signal) watchersOf(signal).add(this.#abort);
  }

  /** Milliseconds left. */
  get remainingMs(): number {
    return this.#timeoutMs - (performance.now() - this.#startedAt);
  }

  /** Calls `listener` once when the call is over; look at `reason` first. Returns what takes it back. */
  onEnd(listener: () => void): () => void {
    this.#waiting.add(listener);
    return () => this.#waiting.delete(listener);
  }

  /** What a call rejects with whose deadline has come. `waitedFor` ends "waited 10000 ms for …". */
  error(waitedFor: string, outcome: 'notSent' | 'unknown'): SignalboxError {
    if (this.reason === 'aborted') {
      return new SignalboxError('ERR_ABORTED', `given up while waiting for ${waitedFor}`, {
        outcome,
        cause: this.#signal?.reason,
      });
    }
    return new SignalboxError('ERR_TIMEOUT', `waited ${this.#timeoutMs} ms for ${waitedFor}`, { outcome });
  }

  /** Ends the watch: no timer and no listener stays behind. */
  clear(): void {
    clearTimeout(this.#timer);
    if (this.#signal) watchers.get(this.#signal)?.delete(this.#abort);
    this.#waiting.clear();
  }

  #end(reason: 'timeout' | 'aborted'): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    const waiting = [...this.#waiting];
    this.clear();
    for (const listener of waiting) listener();
  }
}
