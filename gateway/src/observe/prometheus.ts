import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { Registry } from 'prom-client';
import type { Events } from './events.ts';
import { Meters } from './meters.ts';
import { ClientLabels, createEvents, DownTime } from './metric-events.ts';
import { type MetricName, metrics } from './metrics.ts';

/** Connections of one hub, transport and protocol. */
export interface ConnectionCount {
  readonly hub: string;
  readonly transport: string;
  readonly protocol: string;
  readonly count: number;
}

/** What is asked each time somebody scrapes. None may throw. */
export interface Gauges {
  connections(): Iterable<ConnectionCount>;
  watchedTopics(): number;
  /** Bytes published that Redis has not answered. */
  outstandingBytes(): number;
  /** This node included. */
  knownNodes(): number;
}

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

const delayResolutionMs = 20;

/** Makes the metrics of one node, in a registry of their own. */
export function createPrometheus(build: BuildInfo, gauges: Gauges): Prometheus {
  const registry = new Registry();
  const meters = new Meters<MetricName>(metrics, registry);
  const labels = new ClientLabels();
  const down = new DownTime();
  declareGauges(meters, build, gauges, labels, down);
  const stopWatching = declareProcess(meters);
  return {
    events: createEvents(meters, labels, down),
    contentType: registry.contentType,
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
    for (const row of sumByLabels(gauges.connections(), clients).values()) set(row.count, row.labels);
  });
  meters.asked('signalbox_watched_topics', (set) => set(gauges.watchedTopics()));
  meters.asked('signalbox_backplane_outstanding_bytes', (set) => set(gauges.outstandingBytes()));
  meters.asked('signalbox_known_nodes', (set) => set(gauges.knownNodes()));
  meters.asked('signalbox_backplane_down', (set) => set(down.down ? 1 : 0));
  meters.counted('signalbox_backplane_deaf_seconds_total', () => down.seconds);
}

interface LabelledCount {
  readonly labels: Record<string, string>;
  count: number;
}

/** Hubs beyond the limit of the label share one child, and so do unusual protocols: their counts are added up. */
function sumByLabels(rows: Iterable<ConnectionCount>, clients: ClientLabels): Map<string, LabelledCount> {
  const sums = new Map<string, LabelledCount>();
  for (const { hub, transport, protocol, count } of rows) {
    const labels = clients.of(hub, transport, protocol);
    const key = JSON.stringify(labels);
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { labels, count });
    else sum.count += count;
  }
  return sums;
}

function declareProcess(meters: Meters<MetricName>): () => void {
  const delay = monitorEventLoopDelay({ resolution: delayResolutionMs });
  delay.enable();
  meters.asked('signalbox_event_loop_delay_seconds', (set) => {
    // The histogram holds whole intervals between two timers; what is above the interval is the delay.
    for (const quantile of [0.5, 0.99, 1]) {
      const late = delay.percentile(quantile * 100) / 1e9 - delayResolutionMs / 1000;
      set(Math.max(0, late), { quantile: String(quantile) });
    }
    delay.reset();
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
  return () => delay.disable();
}
