import type { CloseReason, DropReason, LinkReason } from '../reasons.ts';

/**
 * Facts that the parts report as they happen. `metrics.ts` turns them into Prometheus; tests record them.
 * Calls on the hot path are additions to plain integers: no labels are looked up there.
 */
export interface Events {
  /** A client finished its handshake. `hub` is a name from a verified token. */
  connectionOpened(hub: string, transport: string, protocol: string): void;
  /** A client that was counted by `connectionOpened` ended. */
  connectionClosed(hub: string, transport: string, protocol: string, reason: CloseReason): void;
  /** A client ended before its handshake was done. */
  connectionRefused(reason: CloseReason | 'bad_handshake'): void;
  /** The WebSocket of an app server's link is up; its handshake follows. */
  linkOpened(hub: string): void;
  /** A link that was counted by `linkOpened` ended. */
  linkClosed(hub: string, reason: LinkReason): void;
  /** Frames written to clients in one fan-out or direct send. */
  delivered(frames: number, bytes: number): void;
  /** Bytes that came from one client in one unit of its transport, and how many hub messages ended in it. */
  received(messages: number, bytes: number): void;
  /** One fan-out over `receivers` members. */
  fanout(receivers: number): void;
  /** Something was not delivered. */
  dropped(reason: DropReason, count: number): void;
  /** One REST request was answered. */
  rest(operation: string, status: number, seconds: number): void;
  /** A webhook was answered (`status`: its HTTP status), failed or was dropped (a word of a short fixed list). */
  webhook(event: 'connected' | 'disconnected' | 'message', status: string, seconds: number): void;
  /** A token was refused; the reason is one of a short fixed list. */
  tokenRefused(reason: string): void;
  /** A limit of the settings was reached; `limit` is the setting's environment variable. */
  limitReached(limit: string): void;
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
