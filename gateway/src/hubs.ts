import { BoundClient } from './apps/bound-client.ts';
import { HandOver } from './apps/hand-over.ts';
import { NodeLinks } from './apps/link-host.ts';
import { Links } from './apps/links.ts';
import { ServiceApp } from './apps/service-app.ts';
import type { Bus } from './backplane/bus.ts';
import type { Records } from './backplane/records.ts';
import type { Wills } from './backplane/wills.ts';
import type { Config } from './config.ts';
import type { App } from './core/app.ts';
import type { Core } from './core/core.ts';
import { type Mode, Modes } from './core/mode.ts';
import type { Topics } from './core/topics.ts';
import type { Events } from './observe/events.ts';
import type { Log } from './observe/log.ts';
import type { Tracing } from './observe/tracing.ts';
import { ServerlessApp } from './upstream/serverless-app.ts';
import { Survivor } from './upstream/survivor.ts';
import { Upstream } from './upstream/upstream.ts';
import type { Template } from './upstream/url-template.ts';

/** Room in a message between nodes for what stands beside the bytes of a piece: ids, hub, claims. */
const besidePiece = 64 * 1024;

export interface HubsParts {
  readonly config: Config;
  readonly core: Core;
  readonly bus: Bus;
  readonly topics: Topics;
  readonly node: string;
  readonly label: string;
  /** The connection that a connection token stands for. */
  readonly connectionOf: (token: string, hub: string) => string | undefined;
  readonly events: Events;
  readonly upstream: UpstreamParts;
  readonly records: Pick<Records, 'nodes'>;
  readonly wills: Wills;
}

/** What serverless hubs need to post. */
export interface UpstreamParts {
  readonly templates: readonly Template[];
  /** Their texts: each signs. */
  readonly accessKeys: readonly string[];
  readonly log: Pick<Log, 'warn' | 'info'>;
  readonly tracing: Tracing;
}

/** Who runs a hub: the gateway itself, or app servers behind links. */
export class Hubs {
  readonly links: Links;
  readonly nodeLinks: NodeLinks;
  readonly handOver: HandOver;
  readonly #parts: HubsParts;
  readonly #modes: Modes;
  readonly #serverless: ServerlessApp;
  readonly #service: ServiceApp;
  readonly #survivor: Survivor | undefined;
  /** Where clients of serverless hubs are told of; undefined without any template. */
  readonly upstream: Upstream | undefined;

  constructor(parts: HubsParts) {
    const { config, core, events, node, label } = parts;
    this.#parts = parts;
    this.#modes = new Modes({
      settings: config.modes,
      forgetMs: config.autoForgetMs,
      now: () => performance.now(),
      turnedDefault: (hub) => this.#turnedDefault(hub),
    });
    const pieceBytes = Math.max(1024, config.messageBytes - besidePiece);
    this.links = new Links({
      node,
      label,
      nodes: core.nodes,
      modes: this.#modes,
      clientsPerLink: config.clientsPerLink,
      now: () => performance.now(),
    });
    const posting = createUpstream(parts);
    this.upstream = posting?.upstream;
    this.#survivor = posting?.survivor;
    this.#serverless = new ServerlessApp({
      events,
      upstream: this.upstream,
      messageBytes: config.clientMessageBytes,
      completed: (connection, invocationId, outcome) => core.invocations.completed(connection, invocationId, outcome),
    });
    this.#service = new ServiceApp({
      links: this.links,
      streams: core.streams,
      node,
      pieceBytes,
      host: {
        events,
        inOrder: (hub, act) => core.dispatch.inOrder(hub, act),
        messageBytes: config.linkMessageBytes,
        queueBytes: config.linkClientQueueBytes,
      },
    });
    this.nodeLinks = new NodeLinks({
      node,
      router: core.router,
      invocations: core.invocations,
      inquiries: core.inquiries,
      logins: core.logins,
      connectionOf: parts.connectionOf,
      links: this.links,
      streams: core.streams,
      registry: core.registry,
      app: this.#service,
      hasClients: (hub) => this.#hasClients(hub),
      pieceBytes,
      cutOffMs: config.cutOffMs,
    });
    core.nodes.listen(this.nodeLinks);
    this.handOver = new HandOver({ links: this.links, limitMs: config.handOverMs });
    core.nodes.listen(this.handOver);
    if (this.#survivor !== undefined) core.nodes.listen(this.#survivor);
  }

  /** Does what falls to this node, as long as it has a lease. */
  start(): void {
    this.#survivor?.start();
  }

  /** Leaves it to the others. */
  stop(): void {
    this.#survivor?.stop();
  }

  /** The app of a hub at this moment; a client keeps the one it got. */
  appOf(hub: string): App {
    return this.#modes.of(hub) === 'default' ? this.#service : this.#serverless;
  }

  /** Who runs a hub at this moment. */
  modeOf(hub: string): Mode {
    return this.#modes.of(hub);
  }

  /** Is somebody there to take clients of this hub? */
  serves(hub: string): boolean {
    return this.#modes.of(hub) === 'serverless' || this.links.takes(hub);
  }

  /** An app server came for a hub that the gateway ran itself: its clients come back to be carried by it. */
  #turnedDefault(hub: string): void {
    const members = this.#parts.core.registry.hub(hub)?.connections.values() ?? [];
    const clients = [...members].filter(({ app }) => !(app instanceof BoundClient));
    void this.#parts.core.waves.close(clients, 'drain');
  }

  async #hasClients(hub: string): Promise<boolean> {
    const { bus, core, topics } = this.#parts;
    if (core.registry.hub(hub) !== undefined) return true;
    return bus.remote && bus.hearing && (await bus.watchers(topics.all(hub))) > 0;
  }
}

function createUpstream(parts: HubsParts): { upstream: Upstream; survivor: Survivor } | undefined {
  const { config, core, events, records, wills } = parts;
  const { templates, accessKeys, log, tracing } = parts.upstream;
  if (templates.length === 0) return undefined;
  const survivor: Survivor = new Survivor({
    wills,
    records,
    post: (will) => upstream.postWill(will),
    close: (clients) => void core.waves.close(clients, 'node_lost'),
    log,
  });
  const upstream: Upstream = new Upstream({
    templates,
    accessKeys,
    deadlineMs: config.upstreamMs,
    bodyBytes: Math.min(config.upstreamBytes, config.clientQueueBytes),
    requests: config.upstreamRequests,
    queueBytes: config.upstreamQueueBytes,
    clientQueueBytes: config.upstreamClientQueueBytes,
    survivor,
    events,
    log,
    tracing,
  });
  return { upstream, survivor };
}
