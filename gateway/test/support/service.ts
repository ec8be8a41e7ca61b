import { type NegotiateOptions, SignalboxClient } from '@signalbox/app-sdk';
import { Balancer } from './balancer.ts';
import { type Env, GatewayProcess } from './gateway-process.ts';
import { OfficialClient, type OfficialOptions } from './official-client.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { everyNodeServes } from './served.ts';
import { accessKey } from './tokens.ts';

/** What a service is started with. */
export interface ServiceOptions {
  /** Nodes; two unless said. */
  readonly nodes?: number;
  /** Settings of every node. */
  readonly env?: Env;
  /** More settings of single nodes, by number. */
  readonly envOf?: Readonly<Record<number, Env>>;
  /** One that is there already; it is not stopped with the service. */
  readonly redis?: TestRedis;
}

/** A service as it is run: nodes behind a balancer that draws one for every request, joined by a Redis. */
export class Service {
  readonly redis: TestRedis;
  readonly nodes: readonly GatewayProcess[];
  readonly balancer: Balancer;
  readonly #ownsRedis: boolean;
  readonly #apps: SignalboxClient[] = [];
  readonly #clients: OfficialClient[] = [];

  constructor(redis: TestRedis, nodes: readonly GatewayProcess[], balancer: Balancer, ownsRedis: boolean) {
    this.redis = redis;
    this.nodes = nodes;
    this.balancer = balancer;
    this.#ownsRedis = ownsRedis;
  }

  /** A node by its number. */
  node(at: number): GatewayProcess {
    const node = this.nodes[at];
    if (node === undefined) throw new RangeError(`"node" must be below ${this.nodes.length}, got ${at}`);
    return node;
  }

  /** An app of the hub that speaks to the balancer, or to one node. Closed with the service. */
  app(hub: string, at?: number): SignalboxClient {
    const origin = at === undefined ? this.balancer.origin : this.node(at).origin;
    const app = new SignalboxClient(connectionString(origin), { hub, retries: 0 });
    this.#apps.push(app);
    return app;
  }

  /** An official client, at the balancer or at one node. Stopped with the service. */
  async client(
    hub: string,
    options: OfficialOptions & NegotiateOptions & { readonly at?: number } = {},
  ): Promise<OfficialClient> {
    const { at, protocol, reconnect, ...negotiate } = options;
    const where = await this.app(hub, at).negotiate(negotiate);
    const client = await OfficialClient.connect(where, {
      ...(protocol && { protocol }),
      ...(reconnect && { reconnect }),
    });
    this.#clients.push(client);
    return client;
  }

  /** Resolves when every node takes clients of this hub: one that waits for app servers must have heard of a link. */
  async serves(hub: string): Promise<void> {
    const app = this.app(hub);
    await everyNodeServes(this.nodes, () => app.negotiate());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()));
    await Promise.all(this.#apps.map((app) => app.close()));
    await this.balancer.close();
    await Promise.all(this.nodes.map((node) => node.kill()));
    if (this.#ownsRedis) await this.redis.stop();
  }
}

/** A machine that runs tests may stand still for seconds. Nodes take that for no fault, unless a test says otherwise. */
export const patience: Env = {
  SIGNALBOX_ASK_MS: '10000',
  SIGNALBOX_LATE_MS: '60000',
  SIGNALBOX_BACKPLANE_QUEUE_MS: '60000',
};

/** Starts all of it; resolves when every node listens. */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const redis = options.redis ?? (await startRedis());
  const env = { ...patience, SIGNALBOX_ACCESS_KEY: accessKey, REDIS_URL: redis.url(), ...options.env };
  const starting = Array.from({ length: options.nodes ?? 2 }, (_, at) =>
    GatewayProcess.start({ ...env, ...options.envOf?.[at] }),
  );
  const nodes = await Promise.all(starting);
  const balancer = await Balancer.start(nodes.map((node) => node.port));
  return new Service(redis, nodes, balancer, options.redis === undefined);
}

/** What an app reads from `SIGNALBOX_CONNECTION_STRING`. */
export function connectionString(origin: string, key = accessKey): string {
  return `Endpoint=${origin};AccessKey=${key};Version=1.0;`;
}
