import { EventEmitter, once } from 'node:events';
import type { BackplaneEvents } from '../../src/backplane/backplane.ts';
import type { RedisEvents } from '../../src/backplane/redis.ts';

/** Keeps what a backplane told, and lets a test wait for it. */
export class Listener implements BackplaneEvents {
  readonly messages: [topic: string, envelope: Uint8Array][] = [];
  /** `deaf` and `hearing`, in the order told. */
  readonly health: string[] = [];
  readonly #changed = new EventEmitter();

  message(topic: string, envelope: Uint8Array): void {
    this.messages.push([topic, envelope]);
    this.#changed.emit('change');
  }

  deaf(): void {
    this.health.push('deaf');
    this.#changed.emit('change');
  }

  hearing(): void {
    this.health.push('hearing');
    this.#changed.emit('change');
  }

  get texts(): string[] {
    return this.messages.map(([, envelope]) => Buffer.from(envelope).toString());
  }

  /** Resolves once so many messages came. */
  received(count: number): Promise<void> {
    return this.#until(() => this.messages.length >= count);
  }

  /** Resolves once the health was told in this order. */
  felt(...health: string[]): Promise<void> {
    return this.#until(() => this.health.join() === health.join());
  }

  async #until(reached: () => boolean): Promise<void> {
    while (!reached()) await once(this.#changed, 'change');
  }
}

/** Keeps what a Redis backplane reports to metrics and logs. */
export class RedisReport implements RedisEvents {
  deafSeconds = 0;
  readonly warnings: [message: string, facts: Record<string, string | number>][] = [];

  deafFor(seconds: number): void {
    this.deafSeconds += seconds;
  }

  warning(message: string, facts: Record<string, string | number>): void {
    this.warnings.push([message, facts]);
  }
}
