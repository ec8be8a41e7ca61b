import type { CloseReason } from '../reasons.ts';
import type { Connection } from './connection.ts';

/** About the time between two ticks; longer when less than one client a tick may be closed. */
const tickMs = 20;

interface Wave {
  readonly connections: readonly Connection[];
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
  #timer: NodeJS.Timeout | undefined;

  /** @param perSecond clients closed per second. */
  constructor(perSecond: number) {
    this.#perTick = Math.max(1, Math.floor((perSecond * tickMs) / 1000));
    this.#tickMs = Math.ceil((this.#perTick * 1000) / perSecond);
  }

  /** Resolves when the last of them was closed. */
  close(connections: readonly Connection[], reason: CloseReason, detail?: string): Promise<void> {
    if (connections.length === 0) return Promise.resolve();
    return new Promise((over) => {
      this.#waves.push({ connections, reason, detail, over, next: 0 });
      if (this.#timer === undefined) this.#tick();
    });
  }

  /** The timer is set before anybody is closed: waves that come now, or right after the last, wait for the next tick. */
  #tick(): void {
    this.#timer = setTimeout(() => this.#next(), this.#tickMs);
    let left = this.#perTick;
    while (left > 0 && this.#waves[0] !== undefined) left = this.#advance(this.#waves[0], left);
  }

  #next(): void {
    this.#timer = undefined;
    if (this.#waves.length > 0) this.#tick();
  }

  #advance(wave: Wave, allowed: number): number {
    let left = allowed;
    while (left > 0 && wave.next < wave.connections.length) {
      wave.connections[wave.next++]?.close(wave.reason, wave.detail);
      left--;
    }
    if (wave.next < wave.connections.length) return left;
    this.#waves.shift();
    wave.over();
    return left;
  }
}
