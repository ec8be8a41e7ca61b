import type { Claims } from '@signalbox/app-sdk/protocol';
import type { Address, Asker } from './address.ts';

interface Asked {
  readonly hub: string;
  readonly ask: Asker;
}

/** Whose members are meant. */
export type Crowd = Extract<Address, { kind: 'all' | 'group' | 'user' }>;

/** Which connections are there? Each node answers with its own, by id, from `after` on, at most `max`. */
export interface List extends Asked {
  readonly kind: 'list';
  readonly of: Crowd;
  /** Id behind which to go on; empty: from the first. */
  readonly after: string;
  readonly max: number;
}

/** How many connections are there? Each node answers with its own number. */
export interface Count extends Asked {
  readonly kind: 'count';
  readonly of: Crowd;
}

/**
 * Call a method of one client that gives a result. Answer `yes`: the call is on its way to the client, and
 * {@link Completed} follows; `no`: no such connection; `failed`: no payload for its hub protocol.
 */
export interface Invoke extends Asked {
  readonly kind: 'invoke';
  readonly connection: string;
  readonly invocationId: string;
  /** Id of the app server that asks; empty: asked by REST. */
  readonly server: string;
  /** Lower-cased hub protocol name → complete framed invocation with this id. */
  readonly frames: ReadonlyMap<string, Uint8Array>;
}

/**
 * Read the claims of a client, or renew its login. Answer `yes` with its claims; `no`: no such connection, or none that
 * keeps claims; `limit`: it would become another user.
 */
export interface Login extends Asked {
  readonly kind: 'login';
  readonly connection: string;
  /** Empty: they stay as they are. */
  readonly claims: Claims;
  /** End of its login in ms since 1970; undefined: as it is. Only ever moved into the future. */
  readonly expires: number | undefined;
  /** Id of the app server that asks: it needs no notice of what it changed itself. */
  readonly server: string;
}

/** What became of an {@link Invoke}, to the node that asked. */
export interface Completed {
  readonly kind: 'completed';
  /** The asker's id. */
  readonly id: number;
  readonly outcome: InvokeOutcome;
}

/** An app server has the answer of a client that it carries: to the client's node, which knows who asked. */
export interface Answered {
  readonly kind: 'answered';
  readonly hub: string;
  readonly connection: string;
  readonly invocationId: string;
  readonly outcome: InvokeOutcome;
}

/** How a call of a client ended. `forgotten`: the app server that asked also carries the client, and has the result already. */
export type InvokeOutcome =
  | { readonly kind: 'result'; readonly protocol: string /** A framed completion. */; readonly frame: Uint8Array }
  | { readonly kind: 'error'; readonly error: string }
  | { readonly kind: 'forgotten' };

/** Questions whose answer holds more than a verdict. */
export type Inquiry = List | Count | Invoke | Login;
