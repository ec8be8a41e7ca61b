import type { Claims } from '@signalbox/app-sdk/protocol';
import type { Streams } from '../core/streams.ts';
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
}

/** A client carried by a link here. */
export function openHere(link: Link, node: string, { client, info, request, migratedFrom }: OpenRequest): Carrier {
  const { connectionId } = info;
  link.open(client, info, request, migratedFrom);
  return {
    server: link.server,
    node,
    data: (bytes) => {
      link.data(connectionId, bytes);
      return true;
    },
    expect: (invocationId, server) => link.expect(connectionId, invocationId, server),
    claims: (claims) => link.say({ kind: 'UpdateConnectionClaims', connectionId, claims }),
    left: (error, migratedTo) => link.close(connectionId, error, migratedTo),
    release: () => undefined,
  };
}

/** Where a link is that is not here. */
export interface There {
  readonly node: string;
  readonly link: string;
  readonly server: string;
}

/**
 * A client carried by a link elsewhere: asks that node, and gives undefined when it does not take the client in time.
 * What it may have taken all the same is closed there.
 */
export async function openThere(
  there: There,
  here: { readonly node: string; readonly streams: Streams; readonly pieceBytes: number },
  { hub, info, request, migratedFrom, stream }: OpenRequest,
): Promise<Carrier | undefined> {
  const { connectionId: connection, claims, headers, queryString, protocol } = info;
  const { node, streams } = here;
  const { link } = there;
  const release: Carrier['release'] = () => streams.unlisten(hub);
  // First: the app may answer before it is known here that the link took the client.
  if (!(await listens(streams, hub))) {
    release();
    return undefined;
  }
  const told = { claims, headers, queryString, protocol, request, migratedFrom };
  const verdict = await streams.open(there.node, { kind: 'streamOpen', hub, connection, stream, node, link, ...told });
  const left: Carrier['left'] = (error, migratedTo) =>
    void streams.send(there.node, { kind: 'streamLeft', hub, connection, stream, error, migratedTo });
  if (verdict !== 'yes') {
    if (verdict !== 'no') left('');
    release();
    return undefined;
  }
  let number = 0;
  const piece = (bytes: Uint8Array): Promise<boolean> =>
    streams.send(there.node, { kind: 'streamUp', hub, connection, stream, node, number: ++number, bytes });
  const expect: Carrier['expect'] = (invocationId, server) =>
    void streams.send(there.node, { kind: 'streamExpect', hub, connection, stream, invocationId, server });
  const changed: Carrier['claims'] = (changedClaims) =>
    void streams.send(there.node, { kind: 'streamClaims', hub, connection, stream, claims: changedClaims });
  const data: Carrier['data'] = (bytes) => inPieces(bytes, here.pieceBytes, piece);
  return { server: there.server, node: there.node, data, expect, claims: changed, left, release };
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
