/** One line or several of one picture. */
export interface Query {
  /** PromQL. `$instance` and `$hub` are regular expressions, `$__rate_interval` a duration; Grafana fills them in. */
  readonly expr: string;
  /** Name of each line, with `{{label}}`. */
  readonly legend: string;
  /** It shows nothing before this. */
  readonly needs?: string;
}

/** One picture. */
export interface Panel {
  readonly title: string;
  /** A unit of Grafana: `short`, `s`, `bytes`, `Bps`, `ops`, `percentunit`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** `stat` shows the last value. Default: over time. */
  readonly kind?: 'stat';
}

/** A row of pictures under one title. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const here = 'instance=~"$instance"';
const ofHub = `${here}, hub=~"$hub"`;

/** The sum of a counter's rates, by some of its labels. */
function rate(metric: string, by: string, only = here): string {
  return `sum by (${by}) (rate(${metric}{${only}}[$__rate_interval]))`;
}

/** What all but one in a hundred stayed below, by some labels. */
function p99(metric: string, by = ''): string {
  const labels = by === '' ? 'le' : `${by}, le`;
  return `histogram_quantile(0.99, sum by (${labels}) (rate(${metric}_bucket{${here}}[$__rate_interval])))`;
}

function panel(title: string, unit: string, expr: string, legend: string): Panel {
  return { title, unit, queries: [{ expr, legend }] };
}

const health: Row = {
  title: 'Health',
  panels: [
    { ...panel('Nodes ready', 'short', `sum(signalbox_ready{${here}})`, 'ready'), kind: 'stat' },
    {
      ...panel('Versions', 'short', `count by (version) (signalbox_build_info{${here}})`, '{{version}}'),
      kind: 'stat',
    },
    { ...panel('Clients', 'short', `sum(signalbox_connections{${ofHub}})`, 'clients'), kind: 'stat' },
    panel('Lost messages', 'ops', rate('signalbox_dropped_total', 'reason'), '{{reason}}'),
    panel(
      'Parts that are well',
      'short',
      `min by (instance, part) (signalbox_part_up{${here}})`,
      '{{instance}} {{part}}',
    ),
    panel(
      'Core in use',
      'percentunit',
      `${rate('signalbox_event_loop_busy_seconds_total', 'instance')} / count by (instance) (signalbox_build_info{${here}})`,
      '{{instance}}',
    ),
    panel('Worst timer', 's', `signalbox_event_loop_delay_seconds{${here}, stat="max"}`, '{{instance}}'),
    panel('Memory', 'bytes', `signalbox_process_memory_bytes{${here}, kind="rss"}`, '{{instance}}'),
    panel(
      'Processor, kernel included',
      'percentunit',
      rate('signalbox_process_cpu_seconds_total', 'instance'),
      '{{instance}}',
    ),
    panel('Spans of traces', 'ops', rate('signalbox_spans_total', 'outcome'), '{{outcome}}'),
    panel('Running for', 's', `time() - signalbox_process_start_time_seconds{${here}}`, '{{instance}}'),
  ],
};

const traffic: Row = {
  title: 'Traffic',
  panels: [
    panel('Clients by hub', 'short', `sum by (hub, mode) (signalbox_connections{${ofHub}})`, '{{hub}} {{mode}}'),
    panel(
      'Clients by transport',
      'short',
      `sum by (transport, protocol) (signalbox_connections{${ofHub}})`,
      '{{transport}} {{protocol}}',
    ),
    panel('Clients by node', 'short', `sum by (instance) (signalbox_connections{${ofHub}})`, '{{instance}}'),
    panel('Clients that came', 'ops', rate('signalbox_connections_opened_total', 'hub', ofHub), '{{hub}}'),
    panel(
      'Clients that ended, by reason',
      'ops',
      rate('signalbox_connections_closed_total', 'reason', ofHub),
      '{{reason}}',
    ),
    {
      title: 'Clients that did not get in',
      unit: 'ops',
      queries: [
        { expr: rate('signalbox_client_requests_refused_total', 'code'), legend: '{{code}}' },
        { expr: rate('signalbox_connections_refused_total', 'reason'), legend: 'handshake: {{reason}}' },
      ],
    },
    {
      title: 'Messages',
      unit: 'ops',
      queries: [
        { expr: rate('signalbox_delivered_frames_total', 'instance'), legend: 'to clients, {{instance}}' },
        { expr: rate('signalbox_received_messages_total', 'instance'), legend: 'from clients, {{instance}}' },
      ],
    },
    {
      title: 'Bytes',
      unit: 'Bps',
      queries: [
        { expr: rate('signalbox_delivered_bytes_total', 'instance'), legend: 'to clients, {{instance}}' },
        { expr: rate('signalbox_received_bytes_total', 'instance'), legend: 'from clients, {{instance}}' },
      ],
    },
    panel('Receivers of a send, 99 %', 'short', p99('signalbox_fanout_receivers'), 'receivers'),
    panel('REST', 'ops', rate('signalbox_rest_requests_total', 'operation, status'), '{{operation}} {{status}}'),
    panel('Webhooks', 'ops', rate('signalbox_webhooks_total', 'event, status'), '{{event}} {{status}}'),
  ],
};

const latency: Row = {
  title: 'Latency, 99 %',
  panels: [
    panel('Handshakes', 's', p99('signalbox_handshake_duration_seconds'), 'handshake'),
    panel('REST', 's', p99('signalbox_rest_request_duration_seconds', 'operation'), '{{operation}}'),
    panel('Webhooks', 's', p99('signalbox_webhook_duration_seconds', 'event'), '{{event}}'),
    {
      title: 'App servers and clients',
      unit: 's',
      queries: [
        { expr: p99('signalbox_ack_duration_seconds'), legend: 'acknowledgement' },
        { expr: p99('signalbox_client_result_duration_seconds'), legend: 'result of a client' },
      ],
    },
    {
      title: 'Between nodes',
      unit: 's',
      queries: [
        { expr: p99('signalbox_backplane_latency_seconds', 'instance'), legend: 'from another node, {{instance}}' },
        { expr: p99('signalbox_backplane_probe_seconds', 'instance'), legend: 'to Redis and back, {{instance}}' },
        { expr: p99('signalbox_ask_duration_seconds', 'instance'), legend: 'question, {{instance}}' },
      ],
    },
  ],
};

const links: Row = {
  title: 'Links',
  panels: [
    panel('Links by hub', 'short', `sum by (hub) (signalbox_links{${ofHub}})`, '{{hub}}'),
    panel('Links by app server', 'short', `sum by (server) (signalbox_links{${ofHub}})`, '{{server}}'),
    {
      title: 'Links that came and ended',
      unit: 'ops',
      queries: [
        { expr: rate('signalbox_links_opened_total', 'hub', ofHub), legend: 'opened, {{hub}}' },
        { expr: rate('signalbox_links_closed_total', 'reason', ofHub), legend: 'ended: {{reason}}' },
      ],
    },
    panel('Acknowledgements', 'ops', rate('signalbox_acks_total', 'status'), '{{status}}'),
    panel('Results of clients', 'ops', rate('signalbox_client_results_total', 'outcome'), '{{outcome}}'),
  ],
};

const backplane: Row = {
  title: 'Backplane',
  panels: [
    panel('Redis is down', 'short', `signalbox_backplane_down{${here}}`, '{{instance}}'),
    {
      title: 'Lost and found',
      unit: 'short',
      queries: [
        { expr: rate('signalbox_backplane_deaf_seconds_total', 'instance'), legend: 'deaf, {{instance}}' },
        { expr: `signalbox_backplane_reconnects_total{${here}}`, legend: 'reconnects, {{instance}}' },
      ],
    },
    panel('Nodes known', 'short', `signalbox_known_nodes{${here}}`, '{{instance}}'),
    {
      title: 'Envelopes',
      unit: 'ops',
      queries: [
        { expr: rate('signalbox_backplane_published_envelopes_total', 'instance'), legend: 'published, {{instance}}' },
        { expr: rate('signalbox_backplane_arrived_envelopes_total', 'instance'), legend: 'arrived, {{instance}}' },
      ],
    },
    {
      title: 'Commands in them',
      unit: 'ops',
      queries: [
        { expr: rate('signalbox_backplane_published_commands_total', 'instance'), legend: 'published, {{instance}}' },
        { expr: rate('signalbox_backplane_arrived_commands_total', 'instance'), legend: 'arrived, {{instance}}' },
      ],
    },
    {
      title: 'Bytes of them',
      unit: 'Bps',
      queries: [
        { expr: rate('signalbox_backplane_published_bytes_total', 'instance'), legend: 'published, {{instance}}' },
        { expr: rate('signalbox_backplane_arrived_bytes_total', 'instance'), legend: 'arrived, {{instance}}' },
      ],
    },
    panel('Topics watched', 'short', `signalbox_watched_topics{${here}}`, '{{instance}}'),
    panel('Questions to other nodes', 'ops', rate('signalbox_asks_total', 'verdict'), '{{verdict}}'),
  ],
};

/** How much of a limit is in use on each node. */
function share(used: string, setting: string): string {
  return `${used} / on (instance) signalbox_limit{${here}, setting="${setting}"}`;
}

const limits: Row = {
  title: 'Limits',
  panels: [
    panel(
      'Share of SIGNALBOX_MAX_CONNECTIONS',
      'percentunit',
      share(`sum by (instance) (signalbox_connections{${here}})`, 'SIGNALBOX_MAX_CONNECTIONS'),
      '{{instance}}',
    ),
    panel('Limits that refused somebody', 'ops', rate('signalbox_limits_reached_total', 'limit'), '{{limit}}'),
    panel('Tokens refused', 'ops', rate('signalbox_tokens_refused_total', 'reason'), '{{reason}}'),
    {
      title: 'Keys of outside issuers',
      unit: 'ops',
      queries: [
        {
          expr: rate('signalbox_issuer_key_fetches_total', 'issuer, outcome'),
          legend: '{{issuer}} {{outcome}}',
          needs: 'an outside issuer',
        },
      ],
    },
    {
      title: 'TLS certificate expires in',
      unit: 's',
      queries: [
        {
          expr: `(signalbox_tls_certificate_expires_seconds{${here}} > 0) - time()`,
          legend: '{{instance}}',
          needs: 'TLS in the gateway',
        },
      ],
    },
    panel('TLS certificates read', 'short', `signalbox_tls_certificates_total{${here}}`, '{{instance}} {{outcome}}'),
    panel('Unread by clients', 'bytes', `signalbox_send_queue_bytes{${here}}`, '{{instance}}'),
    panel('Slow clients', 'short', `signalbox_slow_clients{${here}}`, '{{instance}}'),
    panel('Clients to be written to', 'short', `signalbox_outbox_clients{${here}}`, '{{instance}}'),
    panel(
      'Share of SIGNALBOX_FANOUT_QUEUE',
      'percentunit',
      share(`signalbox_fanout_waiting_commands{${here}}`, 'SIGNALBOX_FANOUT_QUEUE'),
      '{{instance}}',
    ),
    panel(
      'Share of SIGNALBOX_BACKPLANE_QUEUE_BYTES',
      'percentunit',
      share(`signalbox_backplane_outstanding_bytes{${here}}`, 'SIGNALBOX_BACKPLANE_QUEUE_BYTES'),
      '{{instance}}',
    ),
  ],
};

/** The dashboard, from top to bottom. */
export const rows: readonly Row[] = [health, traffic, latency, links, backplane, limits];
