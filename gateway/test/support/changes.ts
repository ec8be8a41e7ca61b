import { EventEmitter, once } from 'node:events';

/** Lets a test wait for a condition: it is looked at whenever something changed. */
export class Changes {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  changed(): void {
    this.#emitter.emit('change');
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await once(this.#emitter, 'change');
  }
}
