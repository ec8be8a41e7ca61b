import type { Connection } from './connection.ts';
import type { Frame } from './transport.ts';

export interface OutboxOptions {
  /** Bytes that may wait in a transport for one client; above, it is closed as slow. */
  readonly queueBytes: number;
  /** Bytes of direct sends that may wait for a client that has not finished its handshake. */
  readonly welcomeBytes: number;
}

/**
 * What clients are owed within this turn of the event loop, written when the turn ends: one system call per client
 * however many messages it got (measured: the call is nine tenths of a delivery).
 */
export class Outbox {
  readonly welcomeBytes: number;
  readonly #queueBytes: number;
  #owing: Connection[] = [];
  #scheduled = false;

  constructor(options: OutboxOptions) {
    this.#queueBytes = options.queueBytes;
    this.welcomeBytes = options.welcomeBytes;
  }

  /** Owes one more frame to a client. */
  add(connection: Connection, frame: Frame): void {
    const owed = connection.owed;
    if (owed === undefined) {
      connection.owed = frame;
      this.#owing.push(connection);
      if (!this.#scheduled) this.#schedule();
    } else if (Array.isArray(owed)) owed.push(frame);
    else connection.owed = [owed, frame];
  }

  #schedule(): void {
    this.#scheduled = true;
    setImmediate(this.flush);
  }

  /** Writes all that is owed. Runs by itself at the end of a turn. */
  readonly flush = (): void => {
    this.#scheduled = false;
    const owing = this.#owing;
    this.#owing = [];
    for (const connection of owing) this.#write(connection);
  };

  /** Writes what this client is owed and then `frame`, at once: the client is about to end. */
  writeNow(connection: Connection, frame: Frame): void {
    this.#write(connection);
    connection.transport.write(frame);
  }

  #write(connection: Connection): void {
    const owed = connection.owed;
    if (owed === undefined) return;
    connection.owed = undefined;
    if (Array.isArray(owed)) connection.transport.writeAll(owed);
    else connection.transport.write(owed);
    if (connection.transport.buffered() > this.#queueBytes) connection.close('slow');
  }
}
