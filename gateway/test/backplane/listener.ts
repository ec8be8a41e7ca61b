import { EventEmitter, once } from 'node:events';
import { decode } from '@msgpack/msgpack';
import type { BackplaneEvents } from '../../src/backplane/backplane.ts';
import type { BusEvents, BusHandlers, Origin } from '../../src/backplane/bus.ts';
import type { RecordsEvents } from '../../src/backplane/records.ts';
import type { RedisEvents } from '../../src/backplane/redis.ts';
import type { DropReason } from '../../src/reasons.ts';
import { Changes } from '../support/changes.ts';

/** Keeps the health that was told, and lets a test wait for whatever it wants to be told. */
class Told {
  /** `deaf` and `hearing`, in the order told. */
  readonly health: string[] = [];
  readonly #changes = new EventEmitter().setMaxListeners(0);

  deaf(): void {
    this.health.push('deaf');
    this.changed();
  }

  hearing(): void {
    this.health.push('hearing');
    this.changed();
  }

  /** Resolves once the health was told in this order. */
  felt(...health: string[]): Promise<void> {
    return this.until(() => this.health.join() === health.join());
  }

  /** Resolves once the condition holds; looked at whenever something was told. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await once(this.#changes, 'change');
  }

  protected changed(): void {
    this.#changes.emit('change');
  }
}

/** Keeps what a backplane told. */
export class Listener extends Told implements BackplaneEvents {
  readonly messages: [topic: string, envelope: Uint8Array][] = [];

  message(topic: string, envelope: Uint8Array): void {
    this.messages.push([topic, envelope]);
    this.changed();
  }

  get texts(): string[] {
    return this.messages.map(([, envelope]) => Buffer.from(envelope).toString());
  }

  /** Resolves once so many messages came. */
  received(count: number): Promise<void> {
    return this.until(() => this.messages.length >= count);
  }
}

/** Keeps what a Redis backplane reports to metrics and logs. */
export class RedisReport extends Changes implements RedisEvents {
  deafSeconds = 0;
  /** How long each probe took, in milliseconds. */
  readonly probes: number[] = [];
  readonly warnings: [message: string, facts: Record<string, string | number>][] = [];

  deafFor(seconds: number): void {
    this.deafSeconds += seconds;
  }

  probe(milliseconds: number): void {
    this.probes.push(milliseconds);
  }

  warning(message: string, facts: Record<string, string | number>): void {
    this.warnings.push([message, facts]);
    this.changed();
  }

  /** Resolves once a warning held these words. */
  warned(words: string): Promise<void> {
    return this.until(() => JSON.stringify(this.warnings).includes(words));
  }
}

/** Keeps what a bus told, decoded, and counts what it dropped. */
export class BusListener extends Told implements BusHandlers, BusEvents {
  readonly topics: string[] = [];
  readonly origins: Origin[] = [];
  readonly values: unknown[] = [];
  /** The values of each envelope. */
  readonly envelopes: unknown[][] = [];
  readonly drops: Partial<Record<DropReason, number>> = {};
  readonly latencies: number[] = [];
  /** Commands and bytes of each envelope that left, and of each that came from another node. */
  readonly sent: [commands: number, bytes: number][] = [];
  readonly came: [commands: number, bytes: number][] = [];

  commands(topic: string, from: Origin, commands: readonly Uint8Array[]): void {
    const values = commands.map((command) => decode(command));
    this.envelopes.push(values);
    for (const value of values) {
      this.topics.push(topic);
      this.origins.push(from);
      this.values.push(value);
    }
    this.changed();
  }

  dropped(reason: DropReason, count: number): void {
    this.drops[reason] = (this.drops[reason] ?? 0) + count;
    this.changed();
  }

  latency(milliseconds: number): void {
    this.latencies.push(milliseconds);
  }

  published(commands: number, bytes: number): void {
    this.sent.push([commands, bytes]);
  }

  arrived(commands: number, bytes: number): void {
    this.came.push([commands, bytes]);
  }

  /** Resolves once so many commands came. */
  received(count: number): Promise<void> {
    return this.until(() => this.values.length >= count);
  }
}

/** Keeps what records told, and what came over the backplane beneath them. */
export class RecordsListener extends Told implements BackplaneEvents, RecordsEvents {
  readonly messages: [topic: string, text: string][] = [];
  /** The events of the records, by name, in order. */
  readonly events: string[] = [];

  message(topic: string, envelope: Uint8Array): void {
    this.messages.push([topic, Buffer.from(envelope).toString()]);
    this.changed();
  }

  leaseLost(): void {
    this.#event('leaseLost');
  }

  leaseHeld(): void {
    this.#event('leaseHeld');
  }

  secretDiffers(): void {
    this.#event('secretDiffers');
  }

  received(count: number): Promise<void> {
    return this.until(() => this.messages.length >= count);
  }

  #event(name: string): void {
    this.events.push(name);
    this.changed();
  }
}
