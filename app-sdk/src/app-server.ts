import { describe } from './address.ts';
import { requireConnectionString } from './connection-string.ts';
import type { HubContract } from './contract.ts';
import { checkTimeout, Deadline } from './deadline.ts';
import { SignalboxError } from './errors.ts';
import type { HubDefinition, HubFilter } from './hub.ts';
import type { CallOptions, HubContext } from './hub-context.ts';
import { type HubHealth, HubHost } from './hub-host.ts';
import { LinkDoor, newServerId } from './link-door.ts';
import { createNegotiator } from './negotiate.ts';
import { stderrLogger, teller } from './observe.ts';
import type { ShutdownStage } from './protocol/service-ping.ts';
import type { CommonOptions } from './signalbox-client.ts';
import { createSigner } from './token.ts';

/** Defaults: `links` 5 per hub, `maxLinks` 10, `linkWaitMs` 5 000, `maxQueuedBytes` 16 MiB per link, `ackTimeoutMs` 10 000. */
export interface AppServerOptions extends CommonOptions {
  hubs: readonly HubDefinition[];
  /** They run before those of a hub. */
  filters?: readonly HubFilter[];
  /** Links kept up for each hub; 1 to 100. */
  links?: number;
  /** With those that the service asks for; `links` to 1000. */
  maxLinks?: number;
  /** How long a send waits while no link is up. */
  linkWaitMs?: number;
  /** What may wait to be written; 1 MiB to 1 GiB. */
  maxQueuedBytes?: number;
  ackTimeoutMs?: number;
}

/** How an app server is, and its hubs by full name. `degraded`: some hub has no link. */
export interface Health {
  state: 'new' | 'starting' | 'ready' | 'degraded' | 'stopping' | 'stopped';
  hubs: Record<string, HubHealth>;
}

/** How an app server stops. */
export interface StopOptions {
  /** How long clients and calls may go on; default 30 000. */
  graceMs?: number;
  /** `migrate` (default): to other servers, where the service can. `wait`: until they leave. `drop`: at once. */
  clients?: 'migrate' | 'wait' | 'drop';
}

const startMs = 30_000;
const graceMs = 30_000;
const stages: Readonly<Record<string, ShutdownStage>> = { migrate: 'fin:1', wait: 'fin:2', drop: 'fin:0' };
const mebibyte = 1024 * 1024;

function wholeNumber(value: number | undefined, name: string, least: number, most: number, fallback: number): number {
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new TypeError(`"${name}" must be a whole number from ${least} to ${most}, got ${describe(value)}`);
  }
  return value;
}

function milliseconds(value: number | undefined, name: string, fallback: number): number {
  return wholeNumber(value, name, 1, 2 ** 31 - 1, fallback);
}

/** The numbers of the options, checked. */
function limits({ links, maxLinks, linkWaitMs, maxQueuedBytes, ackTimeoutMs }: AppServerOptions) {
  const kept = wholeNumber(links, 'links', 1, 100, 5);
  return {
    links: kept,
    maxLinks: wholeNumber(maxLinks, 'maxLinks', kept, 1000, Math.max(10, kept)),
    linkWaitMs: milliseconds(linkWaitMs, 'linkWaitMs', 5000),
    maxQueuedBytes: wholeNumber(maxQueuedBytes, 'maxQueuedBytes', mebibyte, 1024 * mebibyte, 16 * mebibyte),
    ackTimeoutMs: milliseconds(ackTimeoutMs, 'ackTimeoutMs', 10_000),
  };
}

/**
 * Runs hubs over links to the service. Throws ERR_CONNECTION_STRING without a connection string, naming the variable, and
 * `TypeError` for options out of range.
 */
export class AppServer implements AsyncDisposable {
  readonly #hosts = new Map<HubDefinition, HubHost>();
  readonly #door: LinkDoor;
  #state: 'new' | 'starting' | 'started' | 'stopping' | 'stopped' = 'new';
  readonly #giveUp = new AbortController();
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(connectionString: string | undefined, options: AppServerOptions) {
    const { application, filters = [], logger = stderrLogger, observe, dispatcher, hubs } = options;
    const parsed = requireConnectionString(connectionString);
    const signer = createSigner(parsed.accessKey);
    const serverId = newServerId();
    this.#door = new LinkDoor({ connectionString: parsed, signer, serverId, dispatcher });
    const parts = {
      application,
      filters,
      logger,
      tell: teller(observe, logger),
      door: this.#door,
      serverId,
      ...limits(options),
    };
    const negotiator = (hub: string) => createNegotiator({ connectionString: parsed, signer, hub, serverId });
    if (!Array.isArray(hubs)) throw new TypeError(`"hubs" must be an array, got ${describe(hubs)}`);
    for (const definition of hubs) this.#add(definition, new HubHost({ ...parts, definition, negotiator }));
  }

  /**
   * Resolves when each hub has a link; from then on links are re-made for ever. Rejects at once with ERR_LINK_REFUSED when
   * the service refuses one (key, hub, version), and with ERR_TIMEOUT after 30 s; it may be called again then. ERR_STOPPED
   * after `stop`.
   */
  start(options: CallOptions = {}): Promise<void> {
    if (this.#stopping !== undefined) return Promise.reject(stopped());
    this.#starting ??= this.#start(options);
    return this.#starting;
  }

  /**
   * Negotiate answers 503; the service is told; clients and calls go on until the grace ends, then calls are aborted and
   * get 1 s, and `onDisconnected` runs (`drain`); what waits is written and links are closed. Later sends reject with
   * ERR_STOPPED. Idempotent; never rejects but for options out of range.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    const { clients = 'migrate' } = options;
    const stage = Object.hasOwn(stages, clients) ? stages[clients] : undefined;
    if (stage === undefined) throw new TypeError(`"clients" must be migrate, wait or drop, got ${describe(clients)}`);
    const grace = wholeNumber(options.graceMs, 'graceMs', 0, 2 ** 31 - 1, graceMs);
    this.#stopping ??= this.#stop(stage, grace);
    await this.#stopping;
  }

  /** The hub from outside its calls. Throws `TypeError` for one that this server was not given. */
  hub<C extends HubContract>(definition: HubDefinition<C>): HubContext<C> {
    const host = this.#hosts.get(definition);
    if (host === undefined)
      throw new TypeError(`hub ${describe(definition?.name)} is not among the "hubs" of this server`);
    return host.context as unknown as HubContext<C>;
  }

  health(): Health {
    const hubs: Health['hubs'] = {};
    for (const host of this.#hosts.values()) hubs[host.name] = host.health;
    const whole = Object.values(hubs).every(({ links }) => links > 0);
    const state = this.#state === 'started' ? (whole ? 'ready' : 'degraded') : this.#state;
    return { state, hubs };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #add(definition: HubDefinition, host: HubHost): void {
    for (const { name } of this.#hosts.values()) {
      if (name === host.name) throw new TypeError(`"hubs" must differ in their names, got "${name}" twice`);
    }
    this.#hosts.set(definition, host);
  }

  async #start({ timeoutMs, signal }: CallOptions): Promise<void> {
    const deadline = new Deadline(checkTimeout(timeoutMs, startMs), signal);
    this.#state = 'starting';
    try {
      await this.#orStopped(Promise.all(this.#all((host) => host.start(deadline))));
      this.#state = 'started';
    } catch (error) {
      // Nobody waits for the ends of links that came up meanwhile: a refusal is told at once.
      void Promise.all(this.#all((host) => host.abandon()));
      if (this.#stopping === undefined) this.#state = 'new';
      this.#starting = undefined;
      throw error;
    } finally {
      deadline.clear();
    }
  }

  /** Who starts need not wait any more when the server is stopped. */
  #orStopped(starting: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#giveUp.signal.addEventListener('abort', () => reject(stopped()), { once: true });
      starting.then(resolve, reject);
    });
  }

  async #stop(stage: ShutdownStage, grace: number): Promise<void> {
    this.#state = 'stopping';
    this.#giveUp.abort();
    for (const host of this.#hosts.values()) host.refuse();
    const deadline = new Deadline(Math.max(1, grace), grace === 0 ? AbortSignal.abort() : undefined);
    await Promise.all(this.#all((host) => host.stop({ stage, deadline })));
    deadline.clear();
    await this.#door.close();
    this.#state = 'stopped';
  }

  #all(act: (host: HubHost) => Promise<void>): Promise<void>[] {
    return [...this.#hosts.values()].map(act);
  }
}

function stopped(): SignalboxError {
  return new SignalboxError('ERR_STOPPED', 'the app server was stopped');
}
