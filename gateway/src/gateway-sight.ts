import type { Backbone } from './backbone.ts';
import type { Config } from './config.ts';
import type { Core } from './core/core.ts';
import type { Gauges } from './observe/gauges.ts';
import type { Health, PartState } from './observe/health.ts';
import { LoopWatch } from './observe/loop-watch.ts';

/** Parts that are asked for numbers; none is there before it was built. */
export interface Measured {
  core?: Core;
  backbone?: Backbone;
}

/** From this part of its queue on a client counts as slow. */
const slowShare = 1 / 4;

/** Where the numbers of a node come from that are asked for at each scrape. */
export function gaugesOf(measured: Measured, config: Config, health: Health): Gauges {
  const nothing = { bytes: 0, slowClients: 0 };
  return {
    connections: () => measured.core?.registry.counts() ?? [],
    backlog: () => measured.core?.registry.backlog(config.clientQueueBytes * slowShare) ?? nothing,
    outboxClients: () => measured.core?.outboxClients ?? 0,
    fanoutWaiting: () => measured.core?.dispatch.waiting ?? 0,
    watchedTopics: () => measured.core?.watches.size ?? 0,
    outstandingBytes: () => measured.backbone?.outstandingBytes() ?? 0,
    knownNodes: () => measured.core?.nodes.known ?? 0,
    health,
    limits: {
      SIGNALBOX_MAX_CONNECTIONS: config.maxConnections,
      SIGNALBOX_CONNECT_RATE: config.connectRate,
      SIGNALBOX_CLIENT_QUEUE_BYTES: config.clientQueueBytes,
      SIGNALBOX_BACKPLANE_QUEUE_BYTES: config.backplaneQueueBytes,
      SIGNALBOX_FANOUT_QUEUE: config.fanoutQueue,
    },
  };
}

/** How often parts are asked, so that "since" is right even when nobody asks, in ms. */
const lookMs = 500;

/** The parts of a node that can be unwell, and how long that is tolerated. */
export function watchHealth(health: Health, config: Config, { bus }: Backbone, { nodes }: Core): void {
  const graceMs = config.readyGraceMs;
  const backplane = remembering(() => (bus.hearing ? undefined : 'Redis does not answer'));
  const lease = remembering(() => (nodes.leased ? undefined : 'the lease of this node could not be renewed in Redis'));
  const loop = new LoopWatch(config);
  health.register({ name: 'backplane', state: backplane, graceMs });
  health.register({ name: 'lease', state: lease, graceMs });
  health.register({ name: 'event_loop', state: () => loop.state(), graceMs });
  loop.start();
  setInterval(() => [backplane(), lease()], lookMs).unref();
}

/** A part that says only why it is unwell now. */
function remembering(why: () => string | undefined): () => PartState {
  let since: number | undefined;
  return () => {
    const reason = why();
    since = reason === undefined ? undefined : (since ?? Date.now());
    return reason === undefined || since === undefined ? { up: true } : { up: false, since, why: reason };
  };
}
