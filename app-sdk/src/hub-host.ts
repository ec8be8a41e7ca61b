import type { HubContract } from './contract.ts';
import type { Deadline } from './deadline.ts';
import { SignalboxError } from './errors.ts';
import { planOf } from './hub/plan.ts';
import { HubRuntime } from './hub/runtime.ts';
import type { HubDefinition, HubFilter } from './hub.ts';
import type { HubContext } from './hub-context.ts';
import { hubName } from './hub-name.ts';
import type { Link } from './link.ts';
import { LinkAcks } from './link-acks.ts';
import { LinkClients } from './link-clients.ts';
import type { LinkDoor } from './link-door.ts';
import { LinkGateway, type Way } from './link-gateway.ts';
import { LinkResults } from './link-results.ts';
import { LinkRoute } from './link-route.ts';
import { Links, type LinksParts } from './links.ts';
import type { NegotiateOptions, NegotiateResponse } from './negotiate-options.ts';
import type { Logger, Tell } from './observe.ts';
import type { ServiceMessage, ServiceMessageKind, ServiceMessageOf } from './protocol/service.ts';
import type { ShutdownStage } from './protocol/service-ping.ts';

/** What a host of a hub is made of; times in ms. */
export interface HubHostParts {
  readonly definition: HubDefinition;
  readonly application?: string | undefined;
  readonly filters: readonly HubFilter[];
  readonly door: LinkDoor;
  readonly serverId: string;
  readonly logger: Logger;
  readonly tell: Tell;
  readonly links: number;
  readonly maxLinks: number;
  readonly linkWaitMs: number;
  readonly maxQueuedBytes: number;
  readonly ackTimeoutMs: number;
  /** Makes the negotiator of a hub, by its full name. */
  negotiator(hub: string): (options?: NegotiateOptions) => Promise<NegotiateResponse>;
}

/** How a hub stops. */
export interface HubStop {
  readonly stage: ShutdownStage;
  readonly deadline: Deadline;
}

/** How one hub of an app server is. */
export interface HubHealth {
  links: number;
  wanted: number;
  clients: number;
  queuedBytes: number;
}

/** The service's recommended limit for one message; larger only where the hub takes larger ones of its clients. */
const messageBytes = 16 * 1024 * 1024;
const envelopeBytes = 64 * 1024;

type Received = {
  readonly [K in ServiceMessageKind]?: (message: ServiceMessageOf<K>, link: Link, clients: LinkClients) => void;
};

/** One hub in an app server: joins its runtime with its links. */
export class HubHost {
  readonly name: string;
  readonly context: HubContext<HubContract>;
  readonly #parts: HubHostParts;
  readonly #runtime: HubRuntime;
  readonly #acks: LinkAcks;
  readonly #results: LinkResults;
  readonly #route: LinkRoute;
  readonly #maxMessageBytes: number;
  #links: Links;
  #refusing = false;
  #left: () => void = ignore;

  constructor(parts: HubHostParts) {
    const { definition, application, filters, logger, tell, ackTimeoutMs, linkWaitMs } = parts;
    const plan = planOf(definition);
    this.#parts = parts;
    this.name = hubName(plan.name, application).full;
    this.#maxMessageBytes = Math.max(messageBytes, plan.maxMessageBytes + envelopeBytes);
    this.#runtime = new HubRuntime(definition, { name: this.name, filters, logger, tell });
    this.#acks = new LinkAcks(ackTimeoutMs);
    this.#results = new LinkResults(this.#runtime);
    this.#links = this.#makeLinks();
    this.#route = new LinkRoute(this.name, { [Symbol.iterator]: () => this.#links.up[Symbol.iterator]() }, linkWaitMs);
    this.context = this.#runtime.context(this.#gateway(this.#route), this.#negotiator());
  }

  get health(): HubHealth {
    const { up } = this.#links;
    let queuedBytes = this.#route.bytes;
    for (const link of up) queuedBytes += link.queuedBytes;
    return { links: up.size, wanted: this.#parts.links, clients: this.#runtime.connections.size, queuedBytes };
  }

  /** Resolves when a link is up. Rejects ERR_LINK_REFUSED, and by the deadline. May be called again after `abandon`. */
  async start(deadline: Deadline): Promise<void> {
    this.#links = this.#makeLinks();
    this.#links.start();
    await before(deadline, this.#links.first, () => {
      const { lastFailure } = this.#links;
      return `a link of hub "${this.name}"${lastFailure === undefined ? '' : `; last attempt: ${lastFailure}`}`;
    });
  }

  /** Closes what a start that failed has made. */
  async abandon(): Promise<void> {
    await this.#links.close();
  }

  /** Clients are not sent here any more: negotiate rejects. */
  refuse(): void {
    this.#refusing = true;
    this.#links.leave();
  }

  /**
   * Tells the service, lets clients and calls go on until the deadline (`fin:0`: calls only), then ends what is left and
   * closes the links. Sends reject with ERR_STOPPED afterwards.
   */
  async stop({ stage, deadline }: HubStop): Promise<void> {
    await this.#links.farewell(stage, deadline);
    await atMost(deadline, stage === 'fin:0' ? this.#runtime.idle() : this.#quiet());
    const left = [...this.#runtime.connections.values()];
    await Promise.all(left.map((connection) => connection.close('drain', { allowReconnect: true })));
    this.#runtime.close();
    await this.#links.close();
    this.#route.close();
    this.#acks.close();
  }

  /** Resolves when no client is left and nothing is under way. */
  async #quiet(): Promise<void> {
    while (this.#runtime.connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#left = resolve;
      });
      // A client leaves its hub after it has left its link.
      await this.#runtime.idle();
    }
    await this.#runtime.idle();
  }

  #makeLinks(): Links {
    const { door, links, maxLinks, maxQueuedBytes, logger, tell } = this.#parts;
    const parts: LinksParts = {
      hub: this.name,
      door,
      links,
      maxLinks,
      maxQueuedBytes,
      maxMessageBytes: this.#maxMessageBytes,
      logger,
      tell,
      attach: (link) => this.#attach(link),
      message: (message, link, clients) => this.#received(message, link, clients),
      up: () => this.#route.up(),
      lost: (link, text) => this.#acks.lost(link, text),
      offline: (instanceId) => this.#results.offline(instanceId),
      clients: () => this.#runtime.connections.size,
    };
    return new Links(parts);
  }

  /** What the calls of a link's clients send goes over that link; where it was lost, it goes where all else goes. */
  #attach(link: Link): LinkClients {
    const way: Way = { put: (...put) => (link.up ? link : this.#route).put(...put) };
    const gone = (): void => this.#left();
    const clients: LinkClients = new LinkClients({
      runtime: this.#runtime,
      link,
      gateway: this.#gateway(way, (id) => clients.protocolOf(id)),
      gone,
    });
    return clients;
  }

  #gateway(way: Way, protocolOf: (connectionId: string) => string | undefined = nowhere): LinkGateway {
    return new LinkGateway({ way, acks: this.#acks, serverId: this.#parts.serverId, protocolOf });
  }

  /** The service waits for a client's handshake as long as the hub does, and tells it as much of errors. */
  #negotiator(): HubContext<HubContract>['negotiate'] {
    const negotiate = this.#parts.negotiator(this.name);
    const { handshakeTimeoutMs, detailedErrors } = planOf(this.#parts.definition);
    const ofHub = { handshakeTimeoutSeconds: Math.ceil(handshakeTimeoutMs / 1000), detailedErrors };
    return async (options) => {
      if (this.#refusing) throw new SignalboxError('ERR_STOPPED', 'the app server stops, or was stopped');
      if (this.#links.up.size === 0) throw new SignalboxError('ERR_NO_LINK', `no link of hub "${this.name}" is up`);
      return await negotiate({ ...ofHub, ...options });
    };
  }

  #received(message: ServiceMessage, link: Link, clients: LinkClients): void {
    const take = this.#take[message.kind] as ((...args: unknown[]) => void) | undefined;
    take?.(message, link, clients);
  }

  /** What is not here says nothing to an app server, or nothing yet. */
  readonly #take: Received = {
    OpenConnection: (message, _, clients) => clients.open(message),
    ConnectionData: (message, _, clients) => clients.data(message),
    CloseConnection: (message, _, clients) => clients.close(message),
    ConnectionFlowControl: (message, _, clients) => clients.flow(message),
    Ack: (message) => this.#acks.received(message),
    ClientInvocation: (message) => this.#results.asked(message),
    ClientCompletion: (message) => this.#results.answered(message),
    ErrorCompletion: (message) => this.#results.failed(message),
    ServiceMapping: (message) => this.#results.placed(message),
    ServiceError: ({ errorMessage }, link) => {
      if (errorMessage !== '') link.refuse(errorMessage);
    },
    ServiceEvent: ({ objectType, eventKind, message }, link) => {
      const facts = { hub: this.name, link: link.id, objectType, eventKind, text: message };
      this.#parts.logger.warn(facts, 'event of the service');
    },
  };
}

/** Waits for a promise, and rejects when the deadline comes first. */
function before(deadline: Deadline, promise: Promise<void>, waitedFor: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(deadline.error(waitedFor(), 'notSent'));
    if (deadline.reason !== undefined) return late();
    deadline.onEnd(late);
    promise.then(resolve, reject);
  });
}

/** Waits for a promise that does not reject, until the deadline at most. */
function atMost(deadline: Deadline, promise: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    if (deadline.reason !== undefined) return resolve();
    deadline.onEnd(resolve);
    void promise.then(resolve);
  });
}

function nowhere(): undefined {
  return undefined;
}

function ignore(): void {
  // Nobody waits.
}
