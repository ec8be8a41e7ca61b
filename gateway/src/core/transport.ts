/** What the core needs from a client's wire. Makers: `clients/websocket.ts`, `clients/sse.ts`, `clients/long-polling.ts`. */
export interface Transport {
  readonly kind: TransportKind;
  /**
   * Writes one whole hub message (or several) as one unit of the transport. Never throws; after {@link end} it does nothing.
   * The bytes are copied or sent before it returns, so the caller may share them between transports.
   */
  write(frame: Frame): void;
  /** Writes several frames with one system call where the wire allows it. */
  writeAll(frames: readonly Frame[]): void;
  /** Bytes taken by {@link write} that the client has not read. */
  buffered(): number;
  /** Ends the wire after what was written; the core hears of it through nothing else. */
  end(): void;
}

export type TransportKind = 'WebSockets' | 'ServerSentEvents' | 'LongPolling';

/** Bytes ready for a client: whole hub messages of one hub protocol. */
export interface Frame {
  readonly bytes: Uint8Array;
  /** Binary WebSocket opcode? Text for `json`, binary for all other hub protocols (hub-protocol section 2). */
  readonly binary: boolean;
}
