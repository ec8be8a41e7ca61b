import type { Backplane, BackplaneEvents, BackplaneTraits } from '../../src/backplane/backplane.ts';
import { GatewayError } from '../../src/errors.ts';

/** A backplane whose connection can be cut and mended: deaf, nothing taken, nothing told. */
export class Cuttable implements Backplane, BackplaneTraits {
  readonly remote: boolean;
  readonly hashTags: boolean;
  readonly isControl: (topic: string) => boolean;
  readonly #inner: Backplane & BackplaneTraits;
  #on: BackplaneEvents | undefined;
  isCut = false;

  constructor(inner: Backplane & BackplaneTraits) {
    this.#inner = inner;
    this.remote = inner.remote;
    this.hashTags = inner.hashTags;
    this.isControl = (topic) => inner.isControl(topic);
  }

  cut(): void {
    this.isCut = true;
    this.#on?.deaf();
  }

  mend(): void {
    this.isCut = false;
    this.#on?.hearing();
  }

  /** Throws as Redis' clients do when it is down. */
  check(): void {
    if (this.isCut) throw new GatewayError('backplane_down', 'Redis is down');
  }

  start(on: BackplaneEvents): Promise<void> {
    this.#on = on;
    return this.#inner.start({ ...on, message: (topic, bytes) => this.isCut || on.message(topic, bytes) });
  }

  async watch(topic: string): Promise<void> {
    await this.#inner.watch(topic); // it stays wanted
    this.check();
  }

  unwatch(topic: string): Promise<void> {
    return this.#inner.unwatch(topic);
  }

  async publish(topic: string, envelope: Uint8Array): Promise<number> {
    this.check();
    return this.#inner.publish(topic, envelope);
  }

  async watchers(topic: string): Promise<number> {
    this.check();
    return this.#inner.watchers(topic);
  }

  lateness(): number {
    return this.#inner.lateness();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
