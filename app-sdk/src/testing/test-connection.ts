import type {
  Args,
  CallName,
  Handler,
  HubContract,
  Item,
  Message,
  Result,
  ResultName,
  SendName,
  StreamName,
} from '../contract.ts';
import type { CallOptions } from '../hub-context.ts';
import type { NegotiateOptions } from '../negotiate.ts';

/** Who connects and how; `protocol` is json by default. */
export type ConnectOptions = NegotiateOptions & {
  headers?: Record<string, string>;
  protocol?: 'json' | 'messagepack';
};

/** A client of a hub under test. */
export interface TestConnection<C extends HubContract> {
  readonly connectionId: string;
  /** All that was sent to this client, in order. */
  readonly received: readonly Message<C>[];
  /** Resolves when the connection has ended, with the error that the client was told, if any. */
  readonly closed: Promise<Error | undefined>;
  on<K extends SendName<C> | ResultName<C>>(target: K, handler: Handler<C, K>): void;
  /** Arguments of the next such message not yet taken; waits 1 s, then rejects with what came instead. */
  next<K extends SendName<C>>(target: K, options?: CallOptions): Promise<Args<C['client'], K>>;
  /** Streams are given as async iterables. */
  invoke<K extends CallName<C>>(method: K, ...args: Args<C['server'], K>): Promise<Result<C['server'], K>>;
  send<K extends CallName<C>>(method: K, ...args: Args<C['server'], K>): Promise<void>;
  stream<K extends StreamName<C>>(method: K, ...args: Args<C['server'], K>): AsyncIterable<Item<C['server'], K>>;
  /** Leaves cleanly. Resolves when `onDisconnected` has ended. */
  stop(): Promise<void>;
  /** As if the network were gone. Resolves as `stop` does. */
  drop(): Promise<void>;
}
