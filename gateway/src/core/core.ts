import { type Bus, type BusHandlers, controlLane } from '../backplane/bus.ts';
import type { NodeRecord, Records } from '../backplane/records.ts';
import type { Config } from '../config.ts';
import { awakeNow } from '../observe/awake.ts';
import type { Events } from '../observe/events.ts';
import type { Tracing } from '../observe/tracing.ts';
import type { Asker, Verdict } from '../protocol/command.ts';
import { encodeCommand } from '../protocol/command-codec.ts';
import type { CloseReason } from '../reasons.ts';
import type { App } from './app.ts';
import { Arrivals } from './arrivals.ts';
import { type AskOutcome, Asks } from './ask.ts';
import { ClientRequests } from './client-requests.ts';
import type { Connection, ConnectionOwner } from './connection.ts';
import { Dispatch } from './dispatch.ts';
import { Follows } from './follows.ts';
import { Heartbeat } from './heartbeat.ts';
import { Incoming } from './incoming.ts';
import { Inquiries } from './inquiries.ts';
import { Invocations, type InvocationsOptions } from './invocations.ts';
import { clientBatchBytes, Limits } from './limits.ts';
import { Logins } from './logins.ts';
import { Membership } from './membership.ts';
import { Nodes } from './nodes.ts';
import { Operators } from './operators.ts';
import { Outbox } from './outbox.ts';
import { cachedPings, closeFrame } from './own-frames.ts';
import { Registry } from './registry.ts';
import { createRouter, type Router } from './router.ts';
import { Standing } from './standing.ts';
import { Streams } from './streams.ts';
import type { Topics } from './topics.ts';
import { Watches } from './watches.ts';
import { Waves } from './waves.ts';

/** What the core is built from. */
export interface CoreOptions {
  /** Id of this node, random at each start. */
  readonly node: string;
  readonly config: Config;
  readonly bus: Bus;
  readonly records: Records;
  readonly topics: Topics;
  readonly events: Events;
  readonly tracing?: Tracing;
  /** Whoever ends the hub protocol of a hub now. */
  readonly appOf: (hub: string) => App;
  /** Is somebody there to take clients of this hub? */
  readonly serves: (hub: string) => boolean;
  /** A client was told that it is connected, or ended. */
  readonly told?: (what: 'opened' | 'ended', client: Connection, reason?: CloseReason) => void;
  /** Something an operator should know; never a secret or a message. */
  readonly warn: (text: string, error?: unknown) => void;
}

/** How often questions are looked at, as a part of their deadline. */
const sweepsPerDeadline = 4;

/** The core of one node: who is connected, and the two paths of a message. Knows no sockets, no HTTP and no Redis. */
export class Core {
  readonly registry = new Registry();
  readonly limits: Limits;
  readonly watches: Watches;
  readonly arrivals: Arrivals;
  readonly router: Router;
  readonly nodes: Nodes;
  readonly streams: Streams;
  readonly dispatch: Dispatch;
  readonly inquiries: Inquiries;
  readonly invocations: Invocations;
  readonly logins: Logins;
  readonly waves: Waves;
  /** What operators see of the connections here. */
  readonly follows: Follows;
  readonly operators: Operators;
  /** Requests of clients that met another node than their own. */
  readonly clientRequests: ClientRequests;
  readonly #options: CoreOptions;
  readonly #asks: Asks;
  readonly #incoming: Incoming;
  readonly #heartbeat: Heartbeat;
  readonly #outbox: Outbox;
  #sweeper: NodeJS.Timeout | undefined;
  #deafSince = 0;

  constructor(options: CoreOptions) {
    const { bus, config, events, node, records, topics, tracing, warn } = options;
    const { registry } = this;
    const now = (): number => performance.now();
    this.#options = options;
    this.#outbox = new Outbox({
      queueBytes: config.clientQueueBytes,
      welcomeBytes: config.welcomeQueueBytes,
      sliceMs: config.fanoutSliceMs,
    });
    this.limits = new Limits(registry, config);
    this.waves = new Waves(config.drainRate);
    this.watches = new Watches(bus, config.lingerMs, now);
    this.follows = new Follows({
      node,
      registry,
      now,
      queue: config.adminFollowQueue,
      payloadBytes: config.adminPayloadBytes,
      tell: (follow, followed) => this.operators.tell(follow, followed),
    });
    const { follows } = this;
    const membership = new Membership({
      registry,
      watches: this.watches,
      topics,
      maxGroups: config.maxGroupsPerConnection,
      limitReached: () => events.limitReached('SIGNALBOX_MAX_GROUPS_PER_CONNECTION'),
      follows,
    });
    const standing = new Standing(records);
    const asked = (outcome: AskOutcome, ms: number): void => events.asked(outcome, ms);
    const asks = new Asks({ node, deadlineMs: config.askMs, now, awake: awakeNow, asked });
    this.#asks = asks;
    const answer = (asker: Asker, verdict: Verdict, detail?: Uint8Array): void => this.#answer(asker, verdict, detail);
    const dispatch = new Dispatch({
      registry,
      membership,
      waves: this.waves,
      follows,
      events,
      tracing,
      answer,
      sliceMs: config.fanoutSliceMs,
      queue: config.fanoutQueue,
    });
    this.dispatch = dispatch;
    this.nodes = new Nodes({ bus, records, topics, node, now, warn });
    this.streams = new Streams({ bus, node, topics, watches: this.watches, asks, answer });
    const settled = (): Promise<boolean> => this.nodes.settled();
    this.inquiries = new Inquiries({ bus, asks, topics, registry, now, answer, settled });
    this.logins = new Logins({ bus, asks, topics, registry, answer, settled });
    const ended: InvocationsOptions['ended'] = (outcome, ms) => events.clientResult(outcome, ms / 1000);
    this.invocations = new Invocations({ bus, node, asks, topics, registry, dispatch, now, answer, settled, ended });
    const { watches } = this;
    const { messageBytes } = config;
    const postBytes = clientBatchBytes(config.clientMessageBytes);
    const clientParts = { bus, node, asks, topics, watches, answer, settled, messageBytes, postBytes };
    this.clientRequests = new ClientRequests({ ...clientParts, now: awakeNow });
    const { nodes } = this;
    this.operators = new Operators({ bus, node, asks, topics, registry, nodes, follows, now, answer });
    this.nodes.listen(this.clientRequests);
    this.nodes.listen(this.operators);
    this.router = createRouter({ bus, dispatch, asks, topics, standing, events, settled, messageBytes });
    this.#incoming = new Incoming({
      dispatch,
      asks: this.#asks,
      events,
      streams: this.streams,
      nodes: this.nodes,
      inquiries: this.inquiries,
      invocations: this.invocations,
      logins: this.logins,
      clientRequests: this.clientRequests,
      operators: this.operators,
      malformed: (from, error) => warn(`node ${from} sent bytes that are no command`, error),
    });
    const owner = this.#owner();
    follows.attach(owner);
    this.arrivals = new Arrivals(
      {
        registry,
        membership,
        watches: this.watches,
        topics,
        standing,
        limits: this.limits,
        follows,
        appOf: options.appOf,
        serves: options.serves,
        hearing: () => bus.hearing,
        handshakeBytes: config.handshakeBytes,
        earlyBytes: config.clientMessageBytes,
      },
      owner,
    );
    this.#heartbeat = new Heartbeat({
      opening: () => this.arrivals.opening,
      connections: () => registry.all(),
      pingMs: config.pingMs,
      clientTimeoutMs: config.clientTimeoutMs,
      idleMs: config.idleMs,
      pingFrame: cachedPings(),
      handshakeOver: (connection) => this.arrivals.cancel(connection),
      also: () => this.watches.sweep(),
    });
  }

  /** Clients that are owed a frame within this turn. */
  get outboxClients(): number {
    return this.#outbox.clients;
  }

  #owner(): ConnectionOwner {
    const { events, told } = this.#options;
    return {
      outbox: this.#outbox,
      now: () => this.#heartbeat.now(),
      closeFrame,
      opened: (connection) => {
        events.connectionOpened(connection.kind, (performance.now() - connection.since) / 1000);
        told?.('opened', connection);
        if (this.follows.on) this.follows.opened(connection);
        this.arrivals.accepted(connection);
      },
      ended: (connection, reason) => {
        if (connection.state === 'open') events.connectionClosed(connection.kind, reason);
        else events.connectionRefused(reason);
        told?.('ended', connection, reason);
        if (this.follows.on) this.follows.ended(connection, reason);
        this.invocations.ended(connection.id);
        this.arrivals.ended(connection);
      },
    };
  }

  #answer(asker: Asker, verdict: Verdict, detail?: Uint8Array): void {
    const { bus, node, topics, warn } = this.#options;
    if (asker.node === node) {
      this.#asks.answer(asker.id, verdict, detail);
      return;
    }
    const bytes = encodeCommand({ kind: 'answer', id: asker.id, verdict, detail });
    bus.send(controlLane, topics.node(asker.node), bytes, false).catch((error: unknown) => {
      warn('an answer could not be sent: its asker will time out', error);
    });
  }

  /** What the bus tells. The bus was started before: the routing secret, and so every topic, may come from Redis. */
  readonly handlers: BusHandlers = {
    commands: (_topic, from, commands) => this.#incoming.commands(from, commands),
    deaf: () => this.#deaf(),
    hearing: () => this.#hearing(),
  };

  /**
   * Joins the other nodes: from now on this node hears them.
   * @throws StartRefused when it does not fit to the living nodes; GatewayError `backplane_down` without Redis.
   */
  async start(record: NodeRecord): Promise<void> {
    const { bus, topics, node, config } = this.#options;
    await bus.watch(topics.node(node));
    await this.nodes.start(record);
    this.#heartbeat.start();
    this.#sweeper = setInterval(() => this.#sweep(), config.askMs / sweepsPerDeadline);
  }

  #sweep(): void {
    this.#asks.sweep();
    this.invocations.sweep();
    this.clientRequests.sweep();
    this.operators.sweep();
  }

  #deaf(): void {
    this.#deafSince = performance.now();
    this.#options.events.deaf();
    this.nodes.deaf();
  }

  #hearing(): void {
    this.#options.events.hearing((performance.now() - this.#deafSince) / 1000);
    void this.#comeBack();
  }

  async #comeBack(): Promise<void> {
    try {
      await this.arrivals.readMissed();
      await this.nodes.hearing();
    } catch (error) {
      this.#options.warn('coming back to Redis failed: it will be tried again at its next return', error);
    }
  }

  /** Closes every client, in waves. Resolves when the last was closed. */
  closeClients(): Promise<void> {
    const { registry, arrivals } = this;
    return this.waves.close([...registry.all(), ...arrivals.opening], 'drain');
  }

  /** Leaves the other nodes. */
  async stop(): Promise<void> {
    this.#heartbeat.stop();
    clearInterval(this.#sweeper);
    this.#outbox.flush();
    await this.nodes.close();
    await this.#options.bus.close();
  }
}
