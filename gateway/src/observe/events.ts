import type { ErrorCode } from '../errors.ts';
import type { CloseReason, CountedLimit, DropReason, LinkReason, TokenRefusal } from '../reasons.ts';

/** What tells client connections apart in the metrics. */
export interface ClientKind {
  /** A name from a verified token. */
  readonly hub: string;
  readonly transport: string;
  /** Lower-cased name of the hub protocol, as the client gave it. */
  readonly protocol: string;
  /** Who runs the hub for it: `default` (an app server) or `serverless`. */
  readonly mode: string;
}

/** What became of a request of an app server that wants to know. */
export type AckStatus = 'ok' | 'not_found' | 'timeout' | 'error';

/** What became of a call of a client that gives a result. */
export type ResultOutcome = 'result' | 'error' | 'timeout' | 'forgotten';

/**
 * Facts that the parts report as they happen. `metrics.ts` turns them into Prometheus; tests record them.
 * Calls on the hot path are additions to plain integers: no labels are looked up there.
 */
export interface Events {
  /** A client finished its handshake, so many seconds after its transport was up. */
  connectionOpened(kind: ClientKind, seconds: number): void;
  /** A client that was counted by `connectionOpened` ended. */
  connectionClosed(kind: ClientKind, reason: CloseReason): void;
  /** A client ended before its handshake was done. */
  connectionRefused(reason: CloseReason | 'bad_handshake'): void;
  /** A request to `/client/` was refused: a negotiation, the start of a transport, a poll or a post. */
  clientRefused(code: ErrorCode): void;
  /** The WebSocket of a link is up; its handshake follows. `server` is the id of its app server. */
  linkOpened(hub: string, server: string): void;
  /** A link that was counted by `linkOpened` ended. */
  linkClosed(hub: string, server: string, reason: LinkReason): void;
  /** An app server was told what became of its request over a link. */
  acknowledged(status: AckStatus, seconds: number): void;
  /** A client that was called through this node gave its result, or will not. */
  clientResult(outcome: ResultOutcome, seconds: number): void;
  /** Frames written to clients in one fan-out or direct send. */
  delivered(frames: number, bytes: number): void;
  /** Bytes that came from one client in one unit of its transport, and how many hub messages ended in it; 1 where none is read. */
  received(messages: number, bytes: number): void;
  /** One fan-out over `receivers` members. */
  fanout(receivers: number): void;
  /** Something was not delivered. */
  dropped(reason: DropReason, count: number): void;
  /** One REST request was answered. */
  rest(operation: string, status: number, seconds: number): void;
  /** A webhook was answered (`status`: its HTTP status), failed or was dropped (a word of a short fixed list). */
  webhook(event: 'connected' | 'disconnected' | 'message', status: string, seconds: number): void;
  /** A token was refused. */
  tokenRefused(reason: TokenRefusal): void;
  /** The keys of an outside issuer were fetched, or could not be. `issuer` is a name of the settings. */
  issuerKeysFetched(issuer: string, outcome: 'ok' | 'failed'): void;
  /** A TLS certificate is used for new sockets from now on, or cannot be. `expires`: in seconds since 1970. */
  certificate(outcome: 'used' | 'refused', expires: number | undefined): void;
  /** A limit of the settings was reached. */
  limitReached(limit: CountedLimit): void;
  /** Spans of traces left for the collector, or were dropped. */
  spans(outcome: 'exported' | 'dropped', count: number): void;
  /** One envelope of `bytes` left for Redis with `commands` commands. */
  published(commands: number, bytes: number): void;
  /** One envelope of another node came. */
  arrived(commands: number, bytes: number): void;
  /** Milliseconds between the sending of an envelope by another node and its arrival here. */
  latency(ms: number): void;
  /** Round trip of the probe through Redis, in milliseconds. */
  probe(ms: number): void;
  /** Redis is known down from now on. */
  deaf(): void;
  /** Redis is back and everything is watched again, after so many seconds. */
  hearing(deafSeconds: number): void;
  /** A question to another node was answered (`yes`, `no`, `limit`, `failed`) or not (`timeout`). */
  asked(verdict: string, ms: number): void;
}
