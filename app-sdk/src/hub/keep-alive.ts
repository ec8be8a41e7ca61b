import type { HubPlan } from './plan.ts';

/** What is due for a connection. */
export type Due = 'nothing' | 'ping' | 'idle';

/** The times of one connection (hub-protocol section 10): when to ping it, and when it has been silent for too long. */
export class KeepAlive {
  readonly #pingMs: number;
  readonly #timeoutMs: number;
  #lastPing: number;
  #lastMessage: number;
  /** A client that never pings may be silent for ever. */
  #pings = false;

  constructor({ keepAliveMs, clientTimeoutMs }: Pick<HubPlan, 'keepAliveMs' | 'clientTimeoutMs'>, now: number) {
    this.#pingMs = keepAliveMs;
    this.#timeoutMs = clientTimeoutMs;
    this.#lastPing = now;
    this.#lastMessage = now;
  }

  /** A whole message of the client came. */
  received(now: number, isPing: boolean): void {
    this.#lastMessage = now;
    this.#pings ||= isPing;
  }

  /** Pings are due whether or not anything else was sent. */
  due(now: number): Due {
    if (this.#pings && now - this.#lastMessage >= this.#timeoutMs) return 'idle';
    if (now - this.#lastPing < this.#pingMs) return 'nothing';
    this.#lastPing = now;
    return 'ping';
  }
}
