import type { Address, Asker, Place } from './address.ts';
import type { ClientRequestCommand } from './client-request.ts';
import type { Answered, Completed, Inquiry } from './inquiry.ts';
import type { OperatorCommand } from './operator.ts';
import type { StreamCommand } from './stream.ts';

/** What is to be delivered: ready bytes per hub protocol, or one JSON message from which other forms are made. */
export type Payload =
  | {
      readonly kind: 'ready';
      /** Lower-cased hub protocol name → complete framed hub message, never converted. */
      readonly frames: ReadonlyMap<string, Uint8Array>;
    }
  | {
      readonly kind: 'convert';
      /** A complete framed JSON invocation. A node with MessagePack clients makes their form from it, once. */
      readonly json: Uint8Array;
    };

export type { Asker };

interface InHub {
  readonly hub: string;
}

interface Asked {
  /** Absent: nobody waits. */
  readonly ask?: Asker | undefined;
}

/** A message to everybody at an address but for those left out. */
export interface Send extends InHub {
  readonly kind: 'send';
  readonly to: Address;
  readonly exceptConnections: readonly string[];
  readonly exceptUsers: readonly string[];
  readonly payload: Payload;
}

/** Puts one connection into a group. Answer `no`: no such connection. */
export interface Join extends InHub, Asked {
  readonly kind: 'join';
  readonly connection: string;
  readonly group: string;
}

/** Takes one connection out of a group, or out of all. Answer `no`: no such connection. */
export interface Leave extends InHub, Asked {
  readonly kind: 'leave';
  readonly connection: string;
  readonly group: string | undefined;
}

/** Puts all connections of a user into a group. The standing membership is kept in the records. */
export interface JoinUser extends InHub, Asked {
  readonly kind: 'joinUser';
  readonly user: string;
  readonly group: string;
  /** Life of the standing membership in seconds; 0: only present connections; undefined: kept. Not on the wire. */
  readonly ttlSeconds?: number | undefined;
}

/** Takes all connections of a user out of a group, or out of all. */
export interface LeaveUser extends InHub, Asked {
  readonly kind: 'leaveUser';
  readonly user: string;
  readonly group: string | undefined;
}

/** Ends every connection at an address but for those left out. Answer `no`: there was none. */
export interface Close extends InHub, Asked {
  readonly kind: 'close';
  readonly to: Address;
  readonly exceptConnections: readonly string[];
  /** Shown to clients that may see details (claim `asrs.s.derror`). */
  readonly reason: string | undefined;
}

/** Is there a live connection at this place? */
export interface Exists extends InHub, Asked {
  readonly kind: 'exists';
  readonly at: Place;
}

/** Has the user a live connection in the group? */
export interface UserInGroup extends InHub, Asked {
  readonly kind: 'userInGroup';
  readonly user: string;
  readonly group: string;
}

/** The answer to a command that carried an {@link Asker}. */
export interface Answer {
  readonly kind: 'answer';
  readonly id: number;
  readonly verdict: Verdict;
  /** What an inquiry asked for; undefined for a question. */
  readonly detail: Uint8Array | undefined;
}

/** `limit`: refused, a limit of the settings was reached. */
export type Verdict = 'yes' | 'no' | 'limit' | 'failed';

/** A command that somebody may wait for. */
export type Question = Join | Leave | JoinUser | LeaveUser | Close | Exists | UserInGroup;

/** All that an app may ask for. REST and links make the same values. */
export type AppCommand = Send | Question;

/** What a node says of itself to all others. */
export interface News {
  readonly kind: 'news';
  readonly node: string;
  /** JSON; undefined: the node leaves, in good order. */
  readonly data: string | undefined;
}

/** All that travels between nodes. */
export type Command =
  | AppCommand
  | Inquiry
  | Answered
  | Completed
  | StreamCommand
  | Answer
  | News
  | ClientRequestCommand
  | OperatorCommand;
