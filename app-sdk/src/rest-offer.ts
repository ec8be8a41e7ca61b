import type { CallOptions } from './hub-context.ts';
import { notSupported } from './manager-checks.ts';
import type { RestCalls } from './rest-calls.ts';
import type { RestDoor } from './rest-door.ts';

/** What only Signalbox offers: known from earlier answers, and asked for before it is used where there were none. */
export class RestOffer {
  readonly #door: RestDoor;
  readonly #calls: RestCalls;

  constructor(door: RestDoor, calls: RestCalls) {
    this.#door = door;
    this.#calls = calls;
  }

  /** Whether the service is a Signalbox. Rejects with what the door does when it cannot be asked. */
  async known(options?: CallOptions): Promise<boolean> {
    if (this.#door.signalbox === undefined) await this.#ask(options);
    return this.#door.signalbox === true;
  }

  /** Rejects with ERR_NOT_SUPPORTED, naming `what`, where the service is none. */
  async need(what: string, options?: CallOptions): Promise<void> {
    if (!(await this.known(options))) await notSupported(what);
  }

  /** Any answer will do, a refusal too. */
  async #ask(options: CallOptions | undefined): Promise<void> {
    try {
      await this.#door.call(this.#calls.of('health', {}), options);
    } catch (error) {
      if (this.#door.signalbox === undefined) throw error;
    }
  }
}
