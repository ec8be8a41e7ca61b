import type { Args, HubContract, HubMethods, SingleTarget, Target } from './contract.ts';
import type { GroupManager, HubClients, UserGroupManager } from './hub-context.ts';

type MaybePromise<T> = T | Promise<T>;

/** Ordered pairs; a short JWT name and its long .NET name are one name. The service's own claims are left out. */
export interface Claims extends Iterable<readonly [name: string, value: string]> {
  /** The first value. */
  get(name: string): string | undefined;
  all(name: string): readonly string[];
  has(name: string, value?: string): boolean;
}

/** One connection, for as long as it lives. */
export interface HubCallerContext<I> {
  readonly connectionId: string;
  readonly userId: string | undefined;
  readonly claims: Claims;
  readonly protocol: 'json' | 'messagepack';
  readonly headers: Headers;
  readonly query: URLSearchParams;
  /** Of the hub, as the client saw it. */
  readonly path: string;
  readonly remoteAddress: string | undefined;
  /** This connection's own, from onConnected to onDisconnected. */
  readonly items: I;
  /** Aborted when the connection ends. */
  readonly signal: AbortSignal;
  /** Closes the client for good. With a reason the client sees a failure and its text. */
  abort(reason?: string): void;
}

/** `clients` in a call: those of a hub context, and three that know the caller. */
export interface HubCallerClients<C extends HubContract> extends HubClients<C> {
  readonly caller: SingleTarget<C>;
  readonly others: Target<C>;
  othersInGroup(group: string): Target<C>;
}

/** The hub of one call. What it sends goes out in order, with the call's result. */
export interface Hub<C extends HubContract, I = unknown> {
  readonly clients: HubCallerClients<C>;
  readonly userGroups: UserGroupManager;
  readonly context: HubCallerContext<I>;
  /** `join` and `leave` are of the caller. */
  readonly groups: GroupManager & { join(group: string): Promise<void>; leave(group: string): Promise<void> };
  /** Aborted when this call is cancelled, its connection ends or the grace of `stop` is over. */
  readonly signal: AbortSignal;
  /** Of the hub message: trace context. They may hold tokens. */
  readonly headers: ReadonlyMap<string, string>;
}

/** The hub of `onDisconnected`: nobody is left to be asked or to join. Its `signal` is not aborted; that of `context` is. */
export type DepartedHub<C extends HubContract, I = unknown> = Omit<Hub<C, I>, 'clients' | 'groups'> & {
  readonly clients: Omit<HubCallerClients<C>, 'caller'>;
  readonly groups: GroupManager;
};

/** Why a connection ended, in the words of logs and metrics. `other`: the service's text is in `error`. */
export interface DisconnectReason {
  readonly error?: Error;
  readonly kind:
    | 'client_left'
    | 'connection_lost'
    | 'idle'
    | 'closed_by_app'
    | 'bad_message'
    | 'too_large'
    | 'app_slow'
    | 'link_lost'
    | 'migrated'
    | 'drain'
    | 'other';
}

/** Whether a call may go on. Only `true` lets it. */
export type Authorize<C extends HubContract, I = unknown> = (
  hub: Hub<C, I>,
  call: { method: string; arguments: readonly unknown[] },
) => MaybePromise<boolean>;

/** The part of Standard Schema that we call; zod, valibot, arktype and others have it. */
export interface Schema<Output> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) => MaybePromise<
      | { readonly value: Output; readonly issues?: undefined }
      | { readonly issues: readonly { readonly message: string }[] }
    >;
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a filter serves hubs of every contract and shape of items
type AnyHub = any;

/** What a filter wraps. `method` is spelt as in the contract; `arguments` are what `validate` put out. */
export type HubEvent =
  | { readonly kind: 'connected'; readonly hub: Hub<AnyHub> }
  | {
      readonly kind: 'invocation';
      readonly hub: Hub<AnyHub>;
      readonly method: string;
      readonly arguments: readonly unknown[];
    }
  | { readonly kind: 'disconnected'; readonly hub: DepartedHub<AnyHub>; readonly reason: DisconnectReason };

/** Wraps connects, calls and disconnects alike. Throw instead of calling `next` to refuse. */
export type HubFilter = (event: HubEvent, next: () => Promise<unknown>) => Promise<unknown>;

/** What a hub allows its clients. */
export interface HubSettings {
  /** Whether clients are told the texts of all errors, not only of a `HubException`; default false. */
  detailedErrors?: boolean;
  /** Default both. A send is encoded once per protocol. */
  protocols?: readonly ('json' | 'messagepack')[];
  /** Of one hub message with its frame; default 32 768. */
  maxMessageBytes?: number;
  /** Items of one upload that wait for the method without counting as load; default 10. */
  uploadBuffer?: number;
  /** Calls of one client that run at a time, default 1. Streams run beside; completions, pings, cancels never wait. */
  parallelInvocations?: number;
  /** Default 15 000. Checked once a second, as the other two of a connection. */
  keepAliveMs?: number;
  /** Silence after which a client that has pinged is closed; default 30 000. */
  clientTimeoutMs?: number;
  /** Default 15 000. */
  handshakeTimeoutMs?: number;
  /** How long a client may take for a result; default 30 000. */
  clientResultTimeoutMs?: number;
}

/** What `defineHub` takes. */
export type HubOptions<C extends HubContract, I> = HubSettings & {
  name: string;
  /** Clients reach the own keys of this object and nothing else. Stream parameters stand behind all others. */
  methods: HubMethods<C, Hub<C, I>>;
  /** Those of the host run before them. */
  filters?: readonly HubFilter[];
  /** Ends before the first call; if it throws, the client is closed and `onDisconnected` is not called. */
  onConnected?(hub: Hub<C, I>): MaybePromise<void>;
  /** Once for each onConnected, after the calls of the connection; those still going on 1 s after its end are left alone. */
  onDisconnected?(hub: DepartedHub<C, I>, reason: DisconnectReason): MaybePromise<void>;
  /** '*' first, then the method's own; false: "user is unauthorized". */
  authorize?: { readonly [K in keyof C['server'] | '*']?: Authorize<C, I> };
  /** Of the argument list, streams included; the method gets its output. */
  validate?: { readonly [K in keyof C['server']]?: Schema<Args<C['server'], K>> };
} & (Record<never, never> extends I ? { items?: () => I } : { items: () => I });

// biome-ignore lint/suspicious/noExplicitAny: a list of hubs holds hubs of every contract
type Any = any;

/** A hub that `defineHub` made, ready for a host. */
export interface HubDefinition<C extends HubContract = Any, I = Any> {
  /** As given; hosts lower it and put the application in front. */
  readonly name: string;
  readonly methods: HubMethods<C, Hub<C, I>>;
  readonly '~contract'?: C;
}
