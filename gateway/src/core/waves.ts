import type { CloseReason } from '../reasons.ts';

/** About the time between two ticks; longer when less than one client a tick may be closed. */
const tickMs = 20;

/** What can be closed in a wave: a client here, or one that is carried here. */
export interface Closable {
  close(reason: CloseReason, detail?: string): void;
}

interface Wave {
  readonly connections: readonly Closable[];
  readonly reason: CloseReason;
  readonly detail: string | undefined;
  readonly over: () => void;
  next: number;
}

/**
 * Closes many clients at a bounded rate, because all of them come back: to the app's negotiate and to the other nodes.
 * One rate for the whole node, however many waves are under way.
 */
export class Waves {
  readonly #perTick: number;
  readonly #tickMs: number;
  readonly #waves: Wave[] = [];
  /** Clients that may still be closed before the next tick. */
  #left: number;
  #working = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param perSecond clients closed per second. */
  constructor(perSecond: number) {
    this.#perTick = Math.max(1, Math.floor((perSecond * tickMs) / 1000));
    this.#tickMs = Math.ceil((this.#perTick * 1000) / perSecond);
    this.#left = this.#perTick;
  }

  /** How many are still to be closed. */
  get left(): number {
    return this.#waves.reduce((sum, { connections, next }) => sum + connections.length - next, 0);
  }

  /** Resolves when the last of them was closed. */
  close(connections: readonly Closable[], reason: CloseReason, detail?: string): Promise<void> {
    if (connections.length === 0) return Promise.resolve();
    return new Promise((over) => {
      this.#waves.push({ connections, reason, detail, over, next: 0 });
      this.#timer ??= setTimeout(() => this.#tick(), this.#tickMs);
      this.#work();
    });
  }

  #tick(): void {
    this.#left = this.#perTick;
    this.#timer = this.#waves.length > 0 ? setTimeout(() => this.#tick(), this.#tickMs) : undefined;
    this.#work();
  }

  #work(): void {
    if (this.#working) return; // one close led to another
    this.#working = true;
    while (this.#left > 0 && this.#waves[0] !== undefined) this.#advance(this.#waves[0]);
    this.#working = false;
  }

  #advance(wave: Wave): void {
    while (this.#left > 0 && wave.next < wave.connections.length) {
      this.#left--;
      wave.connections[wave.next++]?.close(wave.reason, wave.detail);
    }
    if (wave.next < wave.connections.length) return;
    this.#waves.shift();
    wave.over();
  }
}
