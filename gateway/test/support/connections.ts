import { Connection, type ConnectionOwner, type Identity } from '../../src/core/connection.ts';
import { Outbox, type OutboxOptions } from '../../src/core/outbox.ts';
import type { Frame } from '../../src/core/transport.ts';
import { closeBytes } from '../../src/protocol/hub.ts';
import { FakeTransport } from './fake-transport.ts';

/** Connections without a core: what happens to them is kept. */
export class Surroundings implements ConnectionOwner {
  readonly outbox: Outbox;
  readonly opens: string[] = [];
  readonly ends: string[] = [];
  #count = 0;

  constructor(options: Partial<OutboxOptions> = {}) {
    this.outbox = new Outbox({ queueBytes: 1_048_576, welcomeBytes: 100, sliceMs: 10, ...options });
  }

  now(): number {
    return performance.now();
  }

  closeFrame(
    { protocol }: Connection,
    reason: Parameters<typeof closeBytes>[1],
    detail: string | undefined,
  ): Frame | undefined {
    const bytes = closeBytes(protocol, reason, detail);
    return bytes && { bytes, binary: protocol !== 'json' };
  }

  opened(connection: Connection): void {
    this.opens.push(connection.id);
  }

  ended(connection: Connection, reason: string): void {
    this.ends.push(`${connection.id} ${connection.state} ${reason}`);
  }

  /** A client in the state `joining`, speaking `json` unless told otherwise. */
  joining(identity: Partial<Identity> & { protocol?: string } = {}): {
    connection: Connection;
    transport: FakeTransport;
  } {
    const { protocol = 'json', ...more } = identity;
    const connectionId = `c${++this.#count}`;
    const full = { hub: 'chat', userId: undefined, detailedErrors: false, authExpires: undefined, handshakeMs: 15_000 };
    const transport = new FakeTransport();
    const connection = new Connection({ ...full, connectionId, ...more }, transport, this);
    connection.protocol = protocol;
    connection.state = 'joining';
    return { connection, transport };
  }

  /** A client that is handshaken; the response is not among its frames. */
  open(identity: Partial<Identity> & { protocol?: string } = {}): { connection: Connection; transport: FakeTransport } {
    const made = this.joining(identity);
    made.connection.state = 'open';
    return made;
  }
}

/** A text frame. */
export function frameOf(text: string): Frame {
  return { bytes: Buffer.from(text), binary: false };
}

/** The end of this turn of the event loop, with all that was to be written in it. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
