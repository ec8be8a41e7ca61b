/**
 * The contract of a hub and the types read off it. Types only: nothing of this file exists at run time, so a browser
 * bundle may import it.
 */

/** The two halves of a hub: methods the hub has (`server`, clients call them) and methods clients have (`client`). Types only. */
export interface HubContract {
  server: object;
  client: object & { send?: never; invoke?: never; then?: never };
}

/** A stream of items. As a result: server → client; as a parameter: client → server. */
export type Stream<T> = AsyncIterable<T>;

/** A method of which nothing is known. `any` is what makes it accept every call and count as every kind of method. */
// biome-ignore lint/suspicious/noExplicitAny: `unknown` would refuse results, and `never[]` arguments
type AnyMethod = (...args: any[]) => any;

/** The contract of a hub nobody described: every name, any arguments. */
export interface AnyContract {
  server: Record<string, AnyMethod>;
  client: Record<string, AnyMethod>;
}

/** What a method is, read off its return type; `any` is every kind. */
type Kind<F> = F extends (...args: never[]) => infer R
  ? 0 extends 1 & R
    ? 'void' | 'result' | 'stream'
    : // biome-ignore lint/suspicious/noConfusingVoidType: it stands for a return type
      [Awaited<R>] extends [void]
      ? 'void'
      : [Awaited<R>] extends [Stream<unknown>]
        ? 'stream'
        : 'result'
  : never;

type Names<M, W extends 'void' | 'result' | 'stream'> = {
  [K in keyof M]: W extends Kind<M[K]> ? K : never;
}[keyof M] &
  string;

/** The arguments of method `K` of the half `M`. */
export type Args<M, K> = K extends keyof M ? (M[K] extends (...args: infer A) => unknown ? A : never) : never;

/** What method `K` of the half `M` gives back, awaited. */
export type Result<M, K> = K extends keyof M
  ? M[K] extends (...args: never[]) => infer R
    ? Awaited<R>
    : never
  : never;

/** One item of the stream that method `K` of the half `M` gives back. */
export type Item<M, K> = Result<M, K> extends Stream<infer T> ? T : never;

/** Client methods that may be sent to anybody. */
export type SendName<C extends HubContract> = Names<C['client'], 'void'>;

/** Client methods that may be invoked on one client. */
export type ResultName<C extends HubContract> = Names<C['client'], 'result'>;

/** Hub methods that clients invoke. */
export type CallName<C extends HubContract> = Names<C['server'], 'void' | 'result'>;

/** Hub methods that clients stream from. */
export type StreamName<C extends HubContract> = Names<C['server'], 'stream'>;

/** What `clients.all`, `clients.group(…)` … are: the client methods as methods, and `send` for a name held in a variable. */
export type Target<C extends HubContract> = {
  readonly [K in keyof C['client'] as K extends SendName<C> ? K : never]: (
    ...args: Args<C['client'], K>
  ) => Promise<void>;
} & { send<K extends SendName<C>>(method: K, ...args: Args<C['client'], K>): Promise<void> };

/** One client: it can also be asked for a result. */
export type SingleTarget<C extends HubContract> = Target<C> & {
  invoke<K extends ResultName<C>>(method: K, ...args: Args<C['client'], K>): Promise<Result<C['client'], K>>;
};

/** A call of a client method as data. */
export type Message<C extends HubContract> = {
  [K in SendName<C>]: [] extends Args<C['client'], K>
    ? { target: K; arguments?: Readonly<Args<C['client'], K>> }
    : { target: K; arguments: Readonly<Args<C['client'], K>> };
}[SendName<C>];

/** A client's side of a client method. */
// biome-ignore lint/suspicious/noConfusingVoidType: it stands for a return type
export type Handler<C extends HubContract, K> = [Result<C['client'], K>] extends [void]
  ? (...args: Args<C['client'], K>) => void
  : (...args: Args<C['client'], K>) => Result<C['client'], K> | Promise<Result<C['client'], K>>;

/** What the author writes: each hub method, with the hub of this call in front. */
export type HubMethods<C extends HubContract, H> = {
  [K in keyof C['server']]: C['server'][K] extends (...args: infer A) => infer R
    ? (hub: H, ...args: A) => Awaited<R> | Promise<Awaited<R>>
    : never;
};
