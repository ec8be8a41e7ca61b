import type { CloseReason } from '../reasons.ts';
import type { Frame, Transport } from './transport.ts';

/** What the outbox needs of a client. */
export interface Owing {
  readonly transport: Transport;
  /** The outbox' own: what is owed within this turn. */
  owed: Frame | Frame[] | undefined;
  close(reason: CloseReason): void;
}

export interface OutboxOptions {
  /** Bytes that may wait in a transport for one client; above, it is closed as slow. */
  readonly queueBytes: number;
  /** Bytes of direct sends that may wait for a client that has not finished its handshake. */
  readonly welcomeBytes: number;
  /** How long clients are written to before timers and answers get their turn, in ms. */
  readonly sliceMs: number;
}

/** Clients written to between two looks at the clock. */
const stride = 64;

/**
 * What clients are owed within this turn of the event loop, written when the turn ends: one system call per client
 * however many messages it got (measured: the call is nine tenths of a delivery).
 */
export class Outbox {
  readonly welcomeBytes: number;
  readonly #queueBytes: number;
  readonly #sliceMs: number;
  #owing: Owing[] = [];
  /** Clients before this place in the line were written to. */
  #next = 0;
  #scheduled = false;

  constructor(options: OutboxOptions) {
    this.#queueBytes = options.queueBytes;
    this.welcomeBytes = options.welcomeBytes;
    this.#sliceMs = options.sliceMs;
  }

  /** Clients that are owed something. */
  get clients(): number {
    return this.#owing.length - this.#next;
  }

  /** Owes one more frame to a client. */
  add(connection: Owing, frame: Frame): void {
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
    setImmediate(this.#run);
  }

  /** Writes all that is owed, at once: the node is about to stop. */
  flush(): void {
    this.#writeUntil(Number.POSITIVE_INFINITY);
  }

  /** At the end of a turn: a slice of the line, the rest in the next turn. */
  readonly #run = (): void => {
    this.#scheduled = false;
    this.#writeUntil(performance.now() + this.#sliceMs);
    if (this.#owing.length > 0) this.#schedule();
  };

  #writeUntil(until: number): void {
    while (this.#next < this.#owing.length) {
      const end = Math.min(this.#next + stride, this.#owing.length);
      while (this.#next < end) this.#write(this.#owing[this.#next++]!);
      if (performance.now() >= until) break;
    }
    this.#owing = this.#next < this.#owing.length ? this.#owing.slice(this.#next) : []; // keeps no ended client alive
    this.#next = 0;
  }

  /** Writes what this client is owed and then `frame`, at once: the client is about to end. */
  writeNow(connection: Owing, frame: Frame): void {
    this.#write(connection);
    connection.transport.write(frame);
  }

  /** Writes what this client is owed, at once. */
  writeOwed(connection: Owing): void {
    this.#write(connection);
  }

  #write(connection: Owing): void {
    const owed = connection.owed;
    if (owed === undefined) return;
    connection.owed = undefined;
    if (Array.isArray(owed)) connection.transport.writeAll(owed);
    else connection.transport.write(owed);
    if (connection.transport.buffered() > this.#queueBytes) connection.close('slow');
  }
}
