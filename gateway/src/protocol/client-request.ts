import type { Asker } from './address.ts';

/** What a request of a client's transport wants; `events`: to open a stream of server-sent events. */
export type ClientRequestKind = 'poll' | 'post' | 'delete' | 'events';

/** Where does this connection live? Answer `yes`, with the node; others `no`. */
export interface Locate {
  readonly kind: 'locate';
  readonly hub: string;
  readonly ask: Asker;
  readonly connection: string;
}

/** A request of a client that met another node than its own, to its own. Large bytes come in pieces. */
export interface ClientRequest {
  readonly kind: 'clientRequest';
  readonly hub: string;
  readonly ask: Asker;
  readonly connection: string;
  readonly what: ClientRequestKind;
  /** Counts the pieces of one request from 1. */
  readonly number: number;
  readonly last: boolean;
  /** A piece of a POST's body. */
  readonly bytes: Uint8Array;
}

/**
 * How a request ended. `done`: 200. `ended`: no more will come, or a newer poll took its place (204). `gone`: no such
 * connection (404). `conflict`: it has a stream already (409). `other_transport`: it has another transport. `is_socket`: a
 * WebSocket takes no POST. `not_polling`: DELETE ends long polling only. `too_large`: the body is above the limit. `lost`:
 * nobody answered in time, or a piece did not come.
 */
export type ClientOutcome =
  | 'done'
  | 'ended'
  | 'gone'
  | 'conflict'
  | 'other_transport'
  | 'is_socket'
  | 'not_polling'
  | 'too_large'
  | 'lost';

/** The answer to a {@link ClientRequest}. */
export interface ClientAnswer {
  readonly kind: 'clientAnswer';
  /** The asker's id. */
  readonly id: number;
  readonly outcome: ClientOutcome;
  /** Counts the pieces of one answer from 1. */
  readonly number: number;
  readonly last: boolean;
  /** A piece of what a poll brings. */
  readonly bytes: Uint8Array;
}

/** What became of a poll at the node that it met: its bytes go to the client now, or the client has gone. */
export interface ClientTaken {
  readonly kind: 'clientTaken';
  readonly connection: string;
  /** Who asked with the poll. */
  readonly ask: Asker;
  readonly taken: boolean;
}

/** What travels between the node of a client's request and the node of its connection. */
export type ClientRequestCommand = Locate | ClientRequest | ClientAnswer | ClientTaken;
