import { describe } from './address.ts';
import { requireConnectionString } from './connection-string.ts';
import type { HubContract } from './contract.ts';
import { Activity } from './hub/activity.ts';
import { planOf } from './hub/plan.ts';
import type { HubDefinition, HubFilter } from './hub.ts';
import type { HubContext } from './hub-context.ts';
import type { NodeHandler } from './negotiate-handler.ts';
import { stderrLogger, teller } from './observe.ts';
import { type CommonOptions, SignalboxClient } from './signalbox-client.ts';
import { WebhookDoor } from './webhook-door.ts';
import { type FastifyPlugin, fastifyPlugin, fetchHandler, nodeHandler } from './webhook-handlers.ts';
import { WebhookHost } from './webhook-host.ts';

/** `maxBodyBytes` 1 MiB. */
export interface WebhookAppOptions extends CommonOptions {
  hubs: readonly HubDefinition[];
  /** They run before those of a hub. */
  filters?: readonly HubFilter[];
  /** Keys that may still have signed a webhook, besides that of the connection string. */
  previousKeys?: readonly string[];
  /** Of one webhook; 64 to 1 GiB. */
  maxBodyBytes?: number;
}

const mebibyte = 1024 * 1024;

function bodyLimit(value: number = mebibyte): number {
  if (Number.isInteger(value) && value >= 64 && value <= 1024 * mebibyte) return value;
  throw new TypeError(`"maxBodyBytes" must be a whole number from 64 to ${1024 * mebibyte}, got ${describe(value)}`);
}

function checkKeys(value: readonly string[] = []): readonly string[] {
  if (Array.isArray(value) && value.every((key) => typeof key === 'string' && key !== '')) return value;
  throw new TypeError('"previousKeys" must be an array of access keys, none of them empty'); // never shown
}

/**
 * Serverless hubs: the service posts what clients do, and the app sends by REST. Answers 200 with a framed completion
 * (exceptions and unknown methods too), 204, 400, 401 (signature), 403 (`onConnected` does not want the client), 404
 * (unknown hub), 405, 413, 415, 500 (`onDisconnected` failed), 503 (closed). Throws ERR_CONNECTION_STRING without a
 * connection string, naming the variable, and `TypeError` for options out of range and for a hub with an `items` maker: a
 * webhook sees one event at a time.
 */
export class WebhookApp implements AsyncDisposable {
  /** For node:http, Express and Connect. Reads the raw body, or takes `req.body` where a parser came first. */
  readonly node: NodeHandler;
  /** For Hono, Next, anything on Request/Response. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** A plugin, which brings its own body parser: `app.register(webhooks.fastify, { prefix: '/upstream' })`. */
  readonly fastify: FastifyPlugin;
  readonly #hosts = new Map<string, WebhookHost>();
  readonly #byDefinition = new Map<HubDefinition, WebhookHost>();
  readonly #door: WebhookDoor;
  readonly #activity = new Activity();

  constructor(connectionString: string | undefined, options: WebhookAppOptions) {
    const { accessKey } = requireConnectionString(connectionString);
    const { hubs, logger = stderrLogger } = options;
    const maxBodyBytes = bodyLimit(options.maxBodyBytes);
    const accessKeys = [accessKey, ...checkKeys(options.previousKeys)];
    if (!Array.isArray(hubs)) throw new TypeError(`"hubs" must be an array, got ${describe(hubs)}`);
    for (const definition of hubs as readonly HubDefinition[]) this.#add(connectionString, definition, options);
    this.#door = new WebhookDoor({ hosts: this.#hosts, accessKeys, maxBodyBytes, activity: this.#activity });
    this.node = nodeHandler(this.#door, logger);
    this.fetch = fetchHandler(this.#door);
    this.fastify = fastifyPlugin(this.#door);
  }

  /** The hub from outside its calls, by REST. Throws `TypeError` for one that this app was not given. */
  hub<C extends HubContract>(definition: HubDefinition<C>): HubContext<C> {
    const host = this.#byDefinition.get(definition);
    if (host === undefined) {
      throw new TypeError(`hub ${describe(definition?.name)} is not among the "hubs" of this app`);
    }
    return host.client as unknown as HubContext<C>;
  }

  /** Answers 503 from now on, lets what is under way end, then closes the way to the service. Idempotent. */
  async close(): Promise<void> {
    this.#door.closed = true;
    await this.#activity.idle();
    await Promise.all([...this.#hosts.values()].map(({ client }) => client.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #add(connectionString: string | undefined, definition: HubDefinition, options: WebhookAppOptions): void {
    const { hubs: _hubs, filters = [], previousKeys: _keys, maxBodyBytes: _bytes, ...common } = options;
    const { logger = stderrLogger, observe } = common;
    const client = new SignalboxClient(connectionString, { ...common, hub: planOf(definition).name });
    const host = new WebhookHost({ definition, filters, logger, tell: teller(observe, logger), client });
    if (this.#hosts.has(host.name)) throw new TypeError(`"hubs" must differ in their names, got "${host.name}" twice`);
    this.#hosts.set(host.name, host);
    this.#byDefinition.set(definition, host);
  }
}
