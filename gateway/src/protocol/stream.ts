import type { Claims, ServiceHeaders } from '@signalbox/app-sdk/protocol';
import type { Asker } from './address.ts';

interface InStream {
  readonly hub: string;
  /** The client's connection id. */
  readonly connection: string;
  /** Counts the ways that were opened for this client: what is late of an earlier one is passed over. */
  readonly stream: number;
}

/** From a client's node to the node of a link: carry this client. Answer `no`: the link is not there, or takes nobody. */
export interface StreamOpen extends InStream {
  readonly kind: 'streamOpen';
  readonly ask?: Asker | undefined;
  /** The client's node. */
  readonly node: string;
  readonly link: string;
  readonly claims: Claims;
  readonly headers: ServiceHeaders;
  readonly queryString: string;
  readonly protocol: string;
  /** Id of the app server that carried it before; undefined for a new client. */
  readonly migratedFrom: string | undefined;
  /** Bytes of its handshake request. */
  readonly request: Uint8Array;
}

/** Bytes of a client on their way to its link. `number` counts from 1: a hole means that a piece is lost. */
export interface StreamUp extends InStream {
  readonly kind: 'streamUp';
  readonly node: string;
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** The client is about to be called for a result on behalf of another app server: its own must know before the answer comes. */
export interface StreamExpect extends InStream {
  readonly kind: 'streamExpect';
  readonly invocationId: string;
  /** Id of the app server that asks; empty: asked by REST. */
  readonly server: string;
}

/** The claims of the client changed, and not by its own app server: that must know. */
export interface StreamClaims extends InStream {
  readonly kind: 'streamClaims';
  readonly claims: Claims;
}

/** Bytes of an app on their way to a client. */
export interface StreamDown extends InStream {
  readonly kind: 'streamDown';
  readonly node: string;
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** The client is over, or carried elsewhere from now on: tell its link. */
export interface StreamLeft extends InStream {
  readonly kind: 'streamLeft';
  readonly error: string;
  readonly migratedTo: string | undefined;
}

/** Why a link's side of a stream ends; `gap`: a piece was lost; `migrate`: the client may go to another app server. */
export type StreamCause = 'closed_by_app' | 'link_lost' | 'app_slow' | 'drain' | 'gap' | 'gone' | 'migrate';

/** The link carries the client no longer: end it, or find it another. */
export interface StreamEnded extends InStream {
  readonly kind: 'streamEnded';
  readonly node: string;
  readonly cause: StreamCause;
  /** Of the app, for `closed_by_app`. */
  readonly error: string;
}

/** What travels between the node of a client and the node of its link, in the order of their hub. */
export type StreamCommand = StreamOpen | StreamUp | StreamExpect | StreamClaims | StreamDown | StreamLeft | StreamEnded;
