import type { Dispatcher } from 'undici';
import { describe, type Recipient } from './address.ts';
import { requireConnectionString } from './connection-string.ts';
import type { AnyContract, Args, HubContract, Message, SendName } from './contract.ts';
import { checkTimeout } from './deadline.ts';
import { SignalboxError } from './errors.ts';
import type {
  BatchResult,
  CallOptions,
  ConnectionManager,
  GroupManager,
  HubClients,
  HubContext,
  UserGroupManager,
} from './hub-context.ts';
import { hubName } from './hub-name.ts';
import { createNegotiator, type NegotiateOptions, type NegotiateResponse } from './negotiate.ts';
import { failureReporter, type Logger, type Observer, stderrLogger, teller } from './observe.ts';
import { RestCalls } from './rest-calls.ts';
import { RestDoor } from './rest-door.ts';
import { restConnections, restGroups, restUserGroups } from './rest-managers.ts';
import { RestOffer } from './rest-offer.ts';
import { RestSender } from './rest-sender.ts';
import { createClients, type Sender } from './targets.ts';
import { createSigner } from './token.ts';

/** For all hosts. `application` prefixes hub names like Azure's ApplicationName; `dispatcher` is undici's (proxy, own CA, mocks). */
export interface CommonOptions {
  application?: string;
  logger?: Logger;
  observe?: Observer;
  dispatcher?: Dispatcher;
}

/** REST. `timeoutMs` 10 000 with retries, `retries` 2, `connections` 16 (pooled), `ordered` true. */
export interface SignalboxClientOptions extends CommonOptions {
  hub: string;
  /** Of one call in all: waiting for its turn, attempts and pauses. */
  timeoutMs?: number;
  retries?: number;
  /** Requests at a time. With a `dispatcher` of your own, the sockets are its affair. */
  connections?: number;
  /** Whether requests to one address wait for each other, so that they arrive in the order made. */
  ordered?: boolean;
}

const defaultTimeoutMs = 10_000;

function wholeNumber(value: number | undefined, name: string, least: number, fallback: number): number {
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || value < least || value > 1000) {
    throw new TypeError(`"${name}" must be a whole number from ${least} to 1000, got ${describe(value)}`);
  }
  return value;
}

const senders = new WeakMap<object, Sender>();

/** How a client sends, for hosts that send from hub methods. */
export function senderOf(client: SignalboxClient): Sender {
  const sender = senders.get(client);
  if (sender === undefined) throw new TypeError('"client" must be a SignalboxClient');
  return sender;
}

/**
 * One hub over REST: for scripts, cron jobs and apps that hold no link. Holds keep-alive connections: `close` it. Throws
 * ERR_CONNECTION_STRING without a connection string, naming the variable, and `TypeError` for options out of range.
 */
export class SignalboxClient<C extends HubContract = AnyContract> implements HubContext<C>, AsyncDisposable {
  readonly name: string;
  readonly clients: HubClients<C>;
  readonly groups: GroupManager;
  readonly userGroups: UserGroupManager;
  readonly connections: ConnectionManager;
  readonly #door: RestDoor;
  readonly #calls: RestCalls;
  readonly #sender: RestSender;
  readonly #negotiate: (options?: NegotiateOptions) => Promise<NegotiateResponse>;

  constructor(connectionString: string | undefined, options: SignalboxClientOptions) {
    const parsed = requireConnectionString(connectionString);
    const hub = hubName(options.hub, options.application);
    const signer = createSigner(parsed.accessKey);
    const logger = options.logger ?? stderrLogger;
    const tell = teller(options.observe, logger);
    this.name = hub.full;
    this.#door = new RestDoor({
      connectionString: parsed,
      signer,
      dispatcher: options.dispatcher,
      timeoutMs: checkTimeout(options.timeoutMs, defaultTimeoutMs),
      retries: wholeNumber(options.retries, 'retries', 0, 2),
      connections: wholeNumber(options.connections, 'connections', 1, 16),
      tell,
    });
    this.#calls = new RestCalls(hub, options.ordered ?? true);
    const offer = new RestOffer(this.#door, this.#calls);
    this.#sender = new RestSender(this.#door, this.#calls, offer, {
      hub: hub.full,
      via: 'rest',
      tell,
      report: failureReporter(logger),
    });
    senders.set(this, this.#sender);
    this.#negotiate = createNegotiator({ connectionString: parsed, signer, hub: hub.full });
    this.clients = createClients<C>(this.#sender);
    this.groups = restGroups(this.#door, this.#calls);
    this.userGroups = restUserGroups(this.#door, this.#calls);
    this.connections = restConnections(this.#door, this.#calls, offer);
  }

  send(to: Recipient, message: Message<C>, options?: CallOptions): Promise<void>;
  send<K extends SendName<C>>(to: Recipient, target: K, ...args: Args<C['client'], K>): Promise<void>;
  send(to: Recipient, message: unknown, ...rest: unknown[]): Promise<void> {
    return this.#sender.sendAny(to, message, rest);
  }

  /**
   * One request for many [Signalbox]; elsewhere one for each item, 16 at a time. `timeoutMs` is for each request. Does not
   * reject for single items.
   */
  sendBatch(items: Iterable<Message<C> & { to: Recipient }>, options?: CallOptions): Promise<BatchResult> {
    return this.#sender.sendBatch(items, options);
  }

  /** Needs no request: a token is signed here. */
  negotiate(options?: NegotiateOptions): Promise<NegotiateResponse> {
    return this.#negotiate(options);
  }

  /** Whether the service answers and calls itself healthy. Rejects only when it refuses the question (4xx). */
  async healthy(): Promise<boolean> {
    try {
      await this.#door.call(this.#calls.of('health', {}));
      return true;
    } catch (error) {
      if (error instanceof SignalboxError && error.retryable) return false;
      throw error;
    }
  }

  /** Lets what is under way end, then closes the connections. Later calls reject with ERR_STOPPED. Idempotent. */
  close(): Promise<void> {
    return this.#door.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
