import type { CloseReason } from '../reasons.ts';
import type { Address } from './address.ts';

/** The client that something happened to. */
export interface HappeningClient {
  readonly hub: string;
  readonly connection: string;
  /** Absent: anonymous. */
  readonly user?: string | undefined;
}

interface Bytes {
  readonly bytes: number;
  /** What the operator asked for and this node's settings allow: text as it is, other bytes in base64. */
  readonly payload?: { readonly text: string; readonly base64: boolean; readonly cut: boolean } | undefined;
}

/** What happened, by kind. */
export type HappeningFact =
  /** The handshake was answered. */
  | ({ readonly event: 'opened'; readonly transport: string; readonly protocol: string } & HappeningClient)
  /** It ended before its handshake was answered. */
  | ({ readonly event: 'refused'; readonly reason: CloseReason } & HappeningClient)
  | ({ readonly event: 'closed'; readonly reason: CloseReason; readonly seconds: number } & HappeningClient)
  | ({ readonly event: 'joined' | 'left'; readonly group: string } & HappeningClient)
  /** Bytes came from the client, or were written to it; `messages` are the kinds of hub message in them. */
  | ({ readonly event: 'received' | 'written'; readonly messages: readonly string[] } & HappeningClient & Bytes)
  /** A send of the app met this node, which holds so many receivers. */
  | ({ readonly event: 'sent'; readonly hub: string; readonly to: Address; readonly receivers: number } & Bytes);

/** One thing that an operator sees who follows. */
export type Happening = HappeningFact & {
  /** Milliseconds since 1970, on the clock of the node that tells. */
  readonly at: number;
  /** Id of that node. */
  readonly node: string;
};
