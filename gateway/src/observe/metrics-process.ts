import type { MetricRow } from './meters.ts';

/** Metrics about the process, and about its health. */
export const processMetrics = {
  signalbox_build_info: {
    type: 'gauge',
    labels: ['version', 'node_version', 'node', 'label'],
    help: 'Always 1; its labels tell which build and node this is.',
    moves: 'More than one version outside a rolling update: a node was forgotten.',
  },
  signalbox_ready: {
    type: 'gauge',
    labels: [],
    together: 'least',
    help: '1 while /readyz says yes, else 0.',
    moves: '0: no new clients come to this node. It is stopping, or a part of it is not well: see signalbox_part_up.',
  },
  signalbox_part_up: {
    type: 'gauge',
    labels: ['part'],
    together: 'least',
    help: '1 while a part of the health of this node is well, else 0: backplane, lease, event_loop.',
    moves: '0 is told at once, also while /readyz still tolerates it. The body of /readyz says why.',
  },
  signalbox_tls_certificates_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'TLS certificates that were read: used for new sockets from then on, or refused, so that the one before stays.',
    moves:
      'refused: the log says why. A certificate and its key that were not written at once are refused and then used.',
  },
  signalbox_tls_certificate_expires_seconds: {
    type: 'gauge',
    labels: [],
    together: 'least',
    help: 'When the TLS certificate in use expires, in seconds since 1970; 0 without TLS.',
    moves: 'Less than a week ahead: whatever renews it has failed. Replace the files of SIGNALBOX_TLS_CERT and _KEY.',
  },
  signalbox_event_loop_delay_seconds: {
    type: 'gauge',
    labels: ['stat'],
    together: 'most',
    help: 'By how much timers were late within the last 15 to 30 s: the median (p50), p99 and the worst (max).',
    moves: 'Over 0.1 s: the core is busy. Spread the load over more nodes or workers.',
  },
  signalbox_event_loop_busy_seconds_total: {
    type: 'counter',
    labels: [],
    help: 'Seconds in which the event loop was not waiting.',
    moves: 'Its rate is the share of one core in use; above 0.8 add nodes or workers.',
  },
  signalbox_process_cpu_seconds_total: {
    type: 'counter',
    labels: [],
    help: 'Processor time of the process, kernel included.',
    moves: 'Most of it is system calls: one write per client and turn.',
  },
  signalbox_process_memory_bytes: {
    type: 'gauge',
    labels: ['kind'],
    help: 'Memory of the process: rss, heap_used, heap_total, external, array_buffers.',
    moves: 'rss growing while connections stay level: slow clients with full queues, or a leak.',
  },
  signalbox_spans_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Spans of traces, by what became of them: exported to the collector, or dropped.',
    moves: 'dropped: the collector does not take them (the log says why), or OTEL_BSP_MAX_QUEUE_SIZE was reached.',
  },
  signalbox_process_start_time_seconds: {
    type: 'gauge',
    labels: [],
    together: 'most',
    help: 'When the process started, in seconds since 1970.',
    moves: 'A step: the process was started again. A client that reconnects then is no surprise.',
  },
} as const satisfies Record<string, MetricRow>;
