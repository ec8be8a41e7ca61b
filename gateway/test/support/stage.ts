import type { NegotiateOptions } from '@signalbox/app-sdk';
import { AppProcess } from './app-process.ts';
import { OfficialClient, type OfficialOptions } from './official-client.ts';
import { everyNodeCarries, wayBy } from './served.ts';
import { connectionString, type Service, type ServiceOptions, startService } from './service.ts';
import type { WhereAmI } from './stage-hub.ts';

/** Where an app server's links go: to one node, to an origin, or over the balancer. */
export interface AppPlan {
  readonly at?: number;
  readonly origin?: string;
  readonly links?: number;
  /** How often its hub pings clients, in ms; it gives up none for its silence then. As the SDK has both unless said. */
  readonly keepAliveMs?: number | undefined;
}

/** Who connects, and where. */
export interface StageClientOptions extends OfficialOptions, NegotiateOptions {
  /** A node by its number; the balancer unless said. */
  readonly at?: number;
  /** The app server that must run its hub, or should with `stickiness`; any unless said. */
  readonly app?: AppProcess;
}

/** A service, app servers that run the same hub, and clients of it. */
export class Stage {
  readonly service: Service;
  readonly hub: string;
  readonly #apps: AppProcess[] = [];
  readonly #clients: OfficialClient[] = [];

  constructor(service: Service, hub: string) {
    this.service = service;
    this.hub = hub;
  }

  /** Starts three nodes, whose hubs wait for app servers unless the settings say otherwise. */
  static async open(options: ServiceOptions = {}, hub = 'stage'): Promise<Stage> {
    const env = { SIGNALBOX_MODES: '*=default', ...options.env };
    return new Stage(await startService({ nodes: 3, ...options, env }), hub);
  }

  /** Starts an app server, which any node sends clients to when this resolves. */
  async app(
    name: string,
    { at, origin = this.#origin(at), links = 2, keepAliveMs }: AppPlan = {},
  ): Promise<AppProcess> {
    const settings = { connectionString: connectionString(origin), hub: this.hub, app: name, links, keepAliveMs };
    const app = await AppProcess.start(settings);
    this.#apps.push(app);
    await this.ready(app);
    return app;
  }

  /** Resolves when every node sends clients to it. */
  async ready(app: AppProcess): Promise<void> {
    await everyNodeCarries(this.service.nodes, {
      negotiate: (options) => app.negotiate(options),
      call: (client) => this.where(client),
    });
  }

  #origin(at: number | undefined): string {
    return at === undefined ? this.service.balancer.origin : this.service.node(at).origin;
  }

  async #connect({ at, app, protocol, reconnect, ...negotiate }: StageClientOptions): Promise<OfficialClient> {
    const any = this.service.app(this.hub);
    const where = await (app?.negotiate({ stickiness: 'required', ...negotiate }) ?? any.negotiate(negotiate));
    const options = { ...(protocol && { protocol }), ...(reconnect && { reconnect }) };
    return await OfficialClient.connect(wayBy(this.#origin(at), where), options);
  }

  /** A connected client. Stopped with the stage. */
  async client(options: StageClientOptions = {}): Promise<OfficialClient> {
    const client = await this.#connect(options);
    this.#clients.push(client);
    return client;
  }

  /** Number of the node that holds a client, and the name of the app server that runs its hub. */
  async where(client: OfficialClient): Promise<{ at: number; app: string }> {
    const { app, node } = await client.connection.invoke<WhereAmI>('where');
    return { at: this.service.nodes.findIndex((one) => one.node === node), app };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()));
    await Promise.all(this.#apps.map((app) => app.kill()));
    await this.service[Symbol.asyncDispose]();
  }
}
