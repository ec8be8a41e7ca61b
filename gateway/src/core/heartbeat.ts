import type { Connection } from './connection.ts';
import type { Frame } from './transport.ts';

const tickMs = 1000;

export interface HeartbeatOptions {
  /** Clients without a complete handshake request. */
  readonly opening: () => Iterable<Connection>;
  /** All others. */
  readonly connections: () => Iterable<Connection>;
  /** Time between two pings to a client of a serverless hub. */
  readonly pingMs: number;
  /** Silence of such a client, once it has pinged, until it is idle. */
  readonly clientTimeoutMs: number;
  /** The time for a handshake request is over. */
  readonly handshakeOver: (connection: Connection) => void;
  /** Silence of any client until it is idle. */
  readonly idleMs: number;
  readonly pingFrame: (protocol: string) => Frame | undefined;
  /** What else is due about once a second. */
  readonly also: () => void;
}

/** One timer for all clients: pings, silence, the end of a login, the time for a handshake. Precise to about a second. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #now = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Milliseconds of a monotonic clock, as of the last beat. */
  readonly now = (): number => this.#now;

  start(): void {
    this.#timer = setInterval(() => this.#beat(), tickMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    this.#now = performance.now();
    this.#options.also();
    for (const connection of this.#options.opening()) {
      if (this.#now - connection.lastPinged >= connection.handshakeMs) this.#options.handshakeOver(connection);
    }
    const wall = Date.now();
    for (const connection of this.#options.connections()) this.#check(connection, wall);
  }

  #check(connection: Connection, wall: number): void {
    const silent = this.#now - connection.lastReceived;
    const { authExpires } = connection;
    if (authExpires !== undefined && wall >= authExpires) connection.close('auth_expired');
    else if (connection.transport.kind === 'LongPolling')
      return; // its polls are its signs of life; nobody pings
    else if (silent >= this.#options.idleMs) connection.close('idle');
    else if (connection.app?.pings) this.#ping(connection, silent);
  }

  #ping(connection: Connection, silent: number): void {
    if (connection.pings && silent >= this.#options.clientTimeoutMs) {
      connection.close('idle');
      return;
    }
    if (connection.state !== 'open' || this.#now - connection.lastPinged < this.#options.pingMs) return;
    connection.lastPinged = this.#now;
    const frame = this.#options.pingFrame(connection.protocol);
    if (frame !== undefined) connection.send(frame);
  }
}
