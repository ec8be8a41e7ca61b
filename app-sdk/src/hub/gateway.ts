import type { CheckedAddress, Spot } from '../address.ts';
import type { CallOptions } from '../hub-context.ts';

/** One framed hub message per hub protocol of the hub, by protocol name. */
export type Frames = ReadonlyMap<string, Uint8Array>;

/** Who joins and leaves groups. */
export type Member = { readonly connection: string } | { readonly user: string };

/** What the service is asked to do or to tell, and acknowledges. Ids and names are checked already. */
export type Command =
  /** `ttlSeconds` goes with users: absent, later connections join too; 0, only present ones; n, those of n seconds. */
  | { readonly kind: 'join'; readonly who: Member; readonly group: string; readonly ttlSeconds?: number }
  /** Without `group`: all groups. */
  | { readonly kind: 'leave'; readonly who: Member; readonly group?: string }
  | { readonly kind: 'isMember'; readonly user: string; readonly group: string }
  | { readonly kind: 'exists'; readonly spot: Spot }
  | { readonly kind: 'close'; readonly spot: Spot; readonly reason?: string };

/** A client of any server is asked for a result. The frames carry the id. */
export interface Question {
  readonly invocationId: string;
  readonly connectionId: string;
  readonly frames: Frames;
}

/**
 * A client of this server answered a question. With `protocol` and `frame` (the Completion as it came) it was another
 * server's; without, it was one of this server's and the service may forget it.
 */
export interface Answer {
  readonly invocationId: string;
  readonly connectionId: string;
  readonly protocol?: string;
  readonly frame?: Uint8Array;
}

/** What `list` gives. */
export interface ListedConnection {
  connectionId: string;
  userId?: string;
}

/** How `list` pages and ends. */
export interface ListOptions {
  pageSize?: number;
  signal?: AbortSignal;
}

/**
 * What a hub asks of the service, over one link. Each method takes its place in the link's line before it returns, also
 * where it has to wait, so that calls made one after the other arrive in that order at every client.
 */
export interface Gateway {
  /** Resolves when the link has taken it, which says nothing about arrival. Rejects with `SignalboxError`. */
  send(to: CheckedAddress, frames: Frames, options?: CallOptions): Promise<void>;
  /** Resolves when acknowledged. True: done, or yes. False: no, or there is no such connection, user or group. */
  command(command: Command): Promise<boolean>;
  /** Resolves when the link has taken it. The result comes to `HubRuntime.results`. */
  invoke(question: Question, options?: CallOptions): Promise<void>;
  /** Passes an answer on. Never throws. */
  answer(answer: Answer): void;
  /** [Signalbox]. Where it is missing, the call rejects with ERR_NOT_SUPPORTED. */
  count?(spot: Spot): Promise<number>;
  /** As `count`. */
  list?(spot: Spot, options: ListOptions): AsyncIterable<ListedConnection>;
}

/** What is written to a client: the service treats the handshake response and the last message in ways of their own. */
export type OutputKind = 'handshake' | 'message' | 'ping' | 'close';

/** One client of this server, as its link reaches it. In line with what goes over the connection's `Gateway`. */
export interface ClientWire {
  /**
   * Whole framed messages. Resolves when the link has room for more; streams wait for it. Rejects when the link is
   * gone; the host ends the connection then.
   */
  write(bytes: Uint8Array, kind: OutputKind): Promise<void>;
  /** Ends the client after what was written. Called at most once, and not after `HubConnection.end`. */
  close(error?: string): void;
}

/** A client that came, as the service announces it. */
export interface OpenClient {
  readonly connectionId: string;
  /** All claims of the token in their order, the service's own included. */
  readonly claims: Iterable<readonly [name: string, value: string]>;
  /** Default: by the service's rule from the claims. */
  readonly userId?: string | undefined;
  readonly headers?: Iterable<readonly [name: string, value: string]>;
  /** With or without the leading `?`. */
  readonly query?: string;
  /** The hub's path as the client saw it; default: `asrs.op` of the query. */
  readonly path?: string;
  readonly remoteAddress?: string | undefined;
  readonly wire: ClientWire;
  /** Of the same link as `wire`: what the calls of this connection send goes over it. */
  readonly gateway: Gateway;
}
