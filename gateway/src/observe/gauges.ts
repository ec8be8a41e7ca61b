import type { ClientKind } from './events.ts';
import type { Health } from './health.ts';

/** Connections of one kind. */
export interface ConnectionCount {
  readonly kind: ClientKind;
  readonly count: number;
}

/** What clients have not read. */
export interface Backlog {
  readonly bytes: number;
  /** Clients with much of it. */
  readonly slowClients: number;
}

/** What is asked each time somebody scrapes. None may throw. */
export interface Gauges {
  connections(): Iterable<ConnectionCount>;
  backlog(): Backlog;
  /** Clients that are owed a frame within this turn. */
  outboxClients(): number;
  /** Commands that wait behind long fan-outs. */
  fanoutWaiting(): number;
  watchedTopics(): number;
  /** Bytes published that Redis has not answered. */
  outstandingBytes(): number;
  /** This node included. */
  knownNodes(): number;
  readonly health: Pick<Health, 'ready'>;
  /** Values of settings that bound something, by environment variable. */
  readonly limits: Readonly<Record<string, number>>;
}
