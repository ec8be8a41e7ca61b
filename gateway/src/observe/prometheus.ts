import { performance } from 'node:perf_hooks';
import { Registry } from 'prom-client';
import type { ClientKind, Events } from './events.ts';
import type { ConnectionCount, Gauges } from './gauges.ts';
import { LoopDelay } from './loop-delay.ts';
import { Meters } from './meters.ts';
import { ClientLabels, createEvents, DownTime } from './metric-events.ts';
import { type MetricName, metrics } from './metrics.ts';

/** Who reports: labels of `signalbox_build_info`. */
export interface BuildInfo {
  readonly version: string;
  readonly node: string;
  readonly label: string;
}

/** Events in, Prometheus out. */
export interface Prometheus {
  readonly events: Events;
  /** Content type of {@link scrape}. */
  readonly contentType: string;
  /** All metrics in the text format. */
  scrape(): Promise<string>;
  /** Stops watching the event loop. */
  close(): void;
}

/** Content type of the text format. */
export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

/** Makes the metrics of one node, in a registry of their own. */
export function createPrometheus(build: BuildInfo, gauges: Gauges): Prometheus {
  const registry = new Registry();
  const meters = new Meters<MetricName>(metrics, registry);
  const labels = new ClientLabels();
  const down = new DownTime();
  declareGauges(meters, build, gauges, labels, down);
  declareHealth(meters, gauges.health);
  const stopWatching = declareProcess(meters);
  return {
    events: createEvents(meters, labels, down),
    contentType: metricsContentType,
    scrape: () => registry.metrics(),
    close: stopWatching,
  };
}

function declareGauges(
  meters: Meters<MetricName>,
  build: BuildInfo,
  gauges: Gauges,
  clients: ClientLabels,
  down: DownTime,
): void {
  const info = { version: build.version, node_version: process.version, node: build.node, label: build.label };
  meters.asked('signalbox_build_info', (set) => set(1, info));
  meters.asked('signalbox_connections', (set) => {
    for (const { kind, count } of countConnections(gauges.connections(), clients)) set(count, { ...kind });
  });
  let backlog = { bytes: 0, slowClients: 0 };
  meters.asked('signalbox_send_queue_bytes', (set) => {
    backlog = gauges.backlog(); // looks at every client: once for both, which are asked in this order
    set(backlog.bytes);
  });
  meters.asked('signalbox_slow_clients', (set) => set(backlog.slowClients));
  meters.asked('signalbox_outbox_clients', (set) => set(gauges.outboxClients()));
  meters.asked('signalbox_fanout_waiting_commands', (set) => set(gauges.fanoutWaiting()));
  meters.asked('signalbox_watched_topics', (set) => set(gauges.watchedTopics()));
  meters.asked('signalbox_backplane_outstanding_bytes', (set) => set(gauges.outstandingBytes()));
  meters.asked('signalbox_known_nodes', (set) => set(gauges.knownNodes()));
  meters.asked('signalbox_backplane_down', (set) => set(down.down ? 1 : 0));
  meters.counted('signalbox_backplane_deaf_seconds_total', () => down.seconds);
  meters.asked('signalbox_limit', (set) => {
    for (const [setting, value] of Object.entries(gauges.limits)) set(value, { setting });
  });
}

function declareHealth(meters: Meters<MetricName>, health: Gauges['health']): void {
  meters.asked('signalbox_ready', (set) => set(health.ready().ok ? 1 : 0));
  meters.asked('signalbox_part_up', (set) => {
    for (const [part, { up }] of Object.entries(health.ready().parts)) set(up ? 1 : 0, { part });
  });
}

/** Kinds beyond the limits of labels are added up; those that were there once stay, as 0: a series that ends says nothing. */
function countConnections(rows: Iterable<ConnectionCount>, clients: ClientLabels): readonly ConnectionCount[] {
  const counts = new Map<ClientKind, number>();
  for (const { kind, count } of rows) {
    const bounded = clients.of(kind);
    counts.set(bounded, (counts.get(bounded) ?? 0) + count);
  }
  return [...clients.kinds].map((kind) => ({ kind, count: counts.get(kind) ?? 0 }));
}

function declareProcess(meters: Meters<MetricName>): () => void {
  const delay = new LoopDelay();
  delay.start();
  meters.asked('signalbox_event_loop_delay_seconds', (set) => {
    for (const [stat, percentile] of Object.entries({ p50: 50, p99: 99, max: 100 }))
      set(delay.late(percentile), { stat });
  });
  meters.counted('signalbox_event_loop_busy_seconds_total', () => performance.eventLoopUtilization().active / 1000);
  meters.counted('signalbox_process_cpu_seconds_total', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  meters.asked('signalbox_process_memory_bytes', (set) => {
    const memory = process.memoryUsage();
    set(memory.rss, { kind: 'rss' });
    set(memory.heapUsed, { kind: 'heap_used' });
    set(memory.heapTotal, { kind: 'heap_total' });
    set(memory.external, { kind: 'external' });
    set(memory.arrayBuffers, { kind: 'array_buffers' });
  });
  meters.asked('signalbox_process_start_time_seconds', (set) => set(performance.timeOrigin / 1000));
  return () => delay.close();
}
