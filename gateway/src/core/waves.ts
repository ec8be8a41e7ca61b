import type { CloseReason } from '../reasons.ts';
import type { Connection } from './connection.ts';

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
  readonly #waves: Wave[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param perSecond clients closed per second. */
  constructor(perSecond: number) {
    this.#perTick = Math.max(1, Math.round((perSecond * tickMs) / 1000));
  }

  /** Resolves when the last of them was closed. */
  close(connections: readonly Connection[], reason: CloseReason, detail?: string): Promise<void> {
    if (connections.length === 0) return Promise.resolve();
    return new Promise((over) => {
      this.#waves.push({ connections, reason, detail, over, next: 0 });
      if (this.#timer === undefined) this.#tick();
    });
  }

  #tick(): void {
    this.#timer = undefined;
    let left = this.#perTick;
    while (left > 0 && this.#waves[0] !== undefined) left = this.#advance(this.#waves[0], left);
    if (this.#waves.length > 0) this.#timer = setTimeout(() => this.#tick(), tickMs);
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
