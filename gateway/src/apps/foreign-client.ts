import type { Streams } from '../core/streams.ts';
import type { StreamCause, StreamOpen } from '../protocol/stream.ts';
import { inPieces } from './carrier.ts';
import type { CarriedClient, Link } from './link.ts';

/** What a foreign client needs of its node. */
export interface ForeignClientHost {
  readonly streams: Streams;
  /** This node. */
  readonly node: string;
  /** Most bytes of one piece. */
  readonly pieceBytes: number;
  /** The link carries it no longer. */
  ended(client: ForeignClient): void;
}

/** A client of another node that a link here carries: this node's end of its stream. */
export class ForeignClient implements CarriedClient {
  readonly connectionId: string;
  /** The client's node. */
  readonly node: string;
  readonly link: Link;
  /** Which of the client's ways this is. */
  readonly stream: number;
  readonly #host: ForeignClientHost;
  #sent = 0;
  #lastPiece = 0;

  constructor(command: StreamOpen, link: Link, host: ForeignClientHost) {
    this.connectionId = command.connection;
    this.node = command.node;
    this.stream = command.stream;
    this.link = link;
    this.#host = host;
  }

  /** A piece of the client, in the order of the hub. @returns false when one before it is lost. */
  piece(number: number, bytes: Uint8Array): boolean {
    if (number !== ++this.#lastPiece) return false;
    this.link.data(this.connectionId, bytes);
    return true;
  }

  fromApp(bytes: Uint8Array): void {
    void this.#send(bytes);
  }

  async #send(bytes: Uint8Array): Promise<void> {
    const { streams, node, pieceBytes } = this.#host;
    const { connectionId: connection, link, stream } = this;
    const arrived = await inPieces(bytes, pieceBytes, (piece) =>
      streams.send(this.node, {
        kind: 'streamDown',
        hub: link.hub,
        connection,
        stream,
        node,
        number: ++this.#sent,
        bytes: piece,
      }),
    );
    if (!arrived) this.broken();
  }

  /** A piece was lost: the app is told that the client is over, the client's node that it must end it. */
  broken(): void {
    this.link.close(this.connectionId, 'Closed by the service: stream_gap.');
    this.end('gap', '');
  }

  closedByApp(error: string): void {
    this.end('closed_by_app', error);
  }

  linkLost(reason: 'link_lost' | 'app_slow' | 'drain'): void {
    this.end(reason, '');
  }

  /** Its own node finds it another way, and says so to this link. */
  migrate(): boolean {
    this.#tell('migrate', '');
    return true;
  }

  /** Tells the client's node. */
  end(cause: StreamCause, error: string): void {
    this.#host.ended(this);
    this.#tell(cause, error);
  }

  #tell(cause: StreamCause, error: string): void {
    const { streams, node } = this.#host;
    const { connectionId: connection, link, stream } = this;
    void streams.send(this.node, { kind: 'streamEnded', hub: link.hub, connection, stream, node, cause, error });
  }
}
