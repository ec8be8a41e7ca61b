import type { Claims } from '@signalbox/app-sdk/protocol';
import type { Streams } from '../core/streams.ts';
import type { StreamCommand } from '../protocol/stream.ts';
import type { CarriedClient, ClientInfo, Link } from './link.ts';

/** The way of one client to its app server. */
export interface Carrier {
  /** Id of the app server. */
  readonly server: string;
  /** The node of the link. */
  readonly node: string;
  /** Bytes of the client; valid only during the call. @returns false when they surely did not arrive. */
  data(bytes: Uint8Array): boolean | Promise<boolean>;
  /** The client is about to be called for a result: the app server must know before its answer comes. */
  expect(invocationId: string, server: string): void;
  /** The client's claims changed, and not by its own app server. */
  claims(claims: Claims): void;
  /** The client is over, or carried elsewhere from now on: tells the app server. */
  left(error: string, migratedTo?: string): void;
  /** The way is used no more; called once, whoever ended it. */
  release(): void;
}

/** What opening a way needs. */
export interface OpenRequest {
  readonly client: CarriedClient;
  readonly hub: string;
  readonly info: ClientInfo;
  readonly request: Uint8Array;
  readonly migratedFrom: string | undefined;
  /** Counts the ways that were opened for this client. */
  readonly stream: number;
  /** Has the app said something by this way? Then its link took the client, whatever became of the answer. */
  readonly answered: () => boolean;
}

/** A client carried by a link here. */
export function openHere(link: Link, node: string, { client, info, request, migratedFrom }: OpenRequest): Carrier {
  link.open(client, info, request, migratedFrom);
  return new HereCarrier(link, node, info.connectionId);
}

/** Fields and no closures: there is a carrier for every client, and most do nothing. */
class HereCarrier implements Carrier {
  readonly node: string;
  readonly #link: Link;
  readonly #connectionId: string;

  constructor(link: Link, node: string, connectionId: string) {
    this.node = node;
    this.#link = link;
    this.#connectionId = connectionId;
  }

  get server(): string {
    return this.#link.server;
  }

  data(bytes: Uint8Array): boolean {
    this.#link.data(this.#connectionId, bytes);
    return true;
  }

  expect(invocationId: string, server: string): void {
    this.#link.expect(this.#connectionId, invocationId, server);
  }

  claims(claims: Claims): void {
    this.#link.say({ kind: 'UpdateConnectionClaims', connectionId: this.#connectionId, claims });
  }

  left(error: string, migratedTo?: string): void {
    this.#link.close(this.#connectionId, error, migratedTo);
  }

  release(): void {
    // the link forgets the client by itself
  }
}

/** Where a link is that is not here. */
export interface There {
  readonly node: string;
  readonly link: string;
  readonly server: string;
}

/** What a node has for all of its ways to links elsewhere. */
export interface Here {
  readonly node: string;
  readonly streams: Streams;
  readonly pieceBytes: number;
}

/**
 * A client carried by a link elsewhere: asks that node, and gives undefined when it does not take the client in time.
 * What it may have taken all the same is closed there.
 */
export async function openThere(there: There, here: Here, request: OpenRequest): Promise<Carrier | undefined> {
  const { node, streams } = here;
  const way = new ThereCarrier(there, here, request);
  // First: the app may answer before it is known here that the link took the client.
  if (!(await listens(streams, request.hub))) {
    way.release();
    return undefined;
  }
  const { hub, stream, info, migratedFrom } = request;
  const { connectionId: connection, claims, headers, queryString, protocol } = info;
  const told = { claims, headers, queryString, protocol, request: request.request, migratedFrom };
  const { link } = there;
  const verdict = await streams.open(there.node, { kind: 'streamOpen', hub, connection, stream, node, link, ...told });
  if (verdict === 'yes' || request.answered()) return way;
  if (verdict !== 'no') way.left('');
  way.release();
  return undefined;
}

class ThereCarrier implements Carrier {
  readonly server: string;
  readonly node: string;
  readonly #here: Here;
  readonly #hub: string;
  readonly #connection: string;
  readonly #stream: number;
  /** Number of the last piece. */
  #number = 0;

  constructor(there: There, here: Here, { hub, info, stream }: OpenRequest) {
    this.server = there.server;
    this.node = there.node;
    this.#here = here;
    this.#hub = hub;
    this.#connection = info.connectionId;
    this.#stream = stream;
  }

  data(bytes: Uint8Array): Promise<boolean> {
    const { node, pieceBytes } = this.#here;
    return inPieces(bytes, pieceBytes, (piece) =>
      this.#send({ kind: 'streamUp', ...this.#end, node, number: ++this.#number, bytes: piece }),
    );
  }

  expect(invocationId: string, server: string): void {
    void this.#send({ kind: 'streamExpect', ...this.#end, invocationId, server });
  }

  claims(claims: Claims): void {
    void this.#send({ kind: 'streamClaims', ...this.#end, claims });
  }

  left(error: string, migratedTo?: string): void {
    void this.#send({ kind: 'streamLeft', ...this.#end, error, migratedTo });
  }

  release(): void {
    this.#here.streams.unlisten(this.#hub);
  }

  /** What each message of the stream begins with. */
  get #end(): { readonly hub: string; readonly connection: string; readonly stream: number } {
    return { hub: this.#hub, connection: this.#connection, stream: this.#stream };
  }

  #send(command: StreamCommand): Promise<boolean> {
    return this.#here.streams.send(this.node, command);
  }
}

async function listens(streams: Streams, hub: string): Promise<boolean> {
  try {
    await streams.listen(hub);
    return true;
  } catch {
    return false; // Redis is down: nothing would come back
  }
}

/** Large bytes travel in pieces, each within the limit of a message between nodes. */
export async function inPieces(
  bytes: Uint8Array,
  pieceBytes: number,
  send: (piece: Uint8Array) => Promise<boolean>,
): Promise<boolean> {
  if (bytes.length <= pieceBytes) return send(bytes);
  const sent: Promise<boolean>[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) sent.push(send(bytes.subarray(at, at + pieceBytes)));
  return (await Promise.all(sent)).every((arrived) => arrived);
}
