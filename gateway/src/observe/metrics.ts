import type { MetricRow } from './meters.ts';

const fast = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const slow = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const audience = [0, 1, 10, 100, 1000, 10_000, 100_000];

/** Every metric there is. `docs/metrics.md` is made from this table. */
export const metrics = {
  signalbox_build_info: {
    type: 'gauge',
    labels: ['version', 'node_version', 'node', 'label'],
    help: 'Always 1; its labels tell which build and node this is.',
    moves: 'More than one version outside a rolling update: a node was forgotten.',
  },
  signalbox_connections: {
    type: 'gauge',
    labels: ['hub', 'transport', 'protocol'],
    help: 'Client connections on this node whose handshake is done.',
    moves:
      'A sudden fall: look at signalbox_connections_closed_total for the reason. Uneven between nodes: the balancer does not spread.',
  },
  signalbox_connections_opened_total: {
    type: 'counter',
    labels: ['hub', 'transport', 'protocol'],
    help: 'Client connections whose handshake was done.',
    moves: 'High while signalbox_connections stays level: clients reconnect in a loop; see the reasons of their ends.',
  },
  signalbox_connections_closed_total: {
    type: 'counter',
    labels: ['hub', 'transport', 'protocol', 'reason'],
    help: 'Client connections that ended, by reason.',
    moves:
      'Any reason but client_left, closed_by_app and drain deserves a look; the table of reasons says what each means.',
  },
  signalbox_connections_refused_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Clients that ended before their handshake was done, by reason.',
    moves:
      'handshake_timeout: clients that never speak, or a proxy that holds frames back. bad_handshake: no SignalR clients.',
  },
  signalbox_links: {
    type: 'gauge',
    labels: ['hub'],
    help: 'Links of app servers on this node, those that have not finished their handshake included.',
    moves:
      '0 on all nodes: the clients of a default hub are refused. Uneven between nodes: the balancer does not spread.',
  },
  signalbox_links_opened_total: {
    type: 'counter',
    labels: ['hub'],
    help: 'Links that app servers opened.',
    moves: 'High while signalbox_links stays level: app servers reconnect in a loop; see the reasons of their ends.',
  },
  signalbox_links_closed_total: {
    type: 'counter',
    labels: ['hub', 'reason'],
    help: 'Links that ended, by reason. Each takes its clients with it.',
    moves: 'slow or silent: an app server hangs. malformed or refused: it is no app server that this gateway knows.',
  },
  signalbox_delivered_frames_total: {
    type: 'counter',
    labels: [],
    help: 'Frames written to clients.',
    moves: 'The work of this node. Compare the nodes: one that does more owns a hot hub or group.',
  },
  signalbox_delivered_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Bytes of the frames written to clients.',
    moves: 'Against signalbox_delivered_frames_total it gives the mean size of a message.',
  },
  signalbox_received_messages_total: {
    type: 'counter',
    labels: [],
    help: 'Hub messages that came from clients, pings included.',
    moves: 'A rise without a rise of connections: one client may be flooding.',
  },
  signalbox_received_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Bytes that came from clients.',
    moves: 'As signalbox_received_messages_total.',
  },
  signalbox_fanout_receivers: {
    type: 'histogram',
    labels: [],
    buckets: audience,
    help: 'Members on this node that one send went through.',
    moves:
      'Large audiences are gone through in slices (SIGNALBOX_FANOUT_SLICE_MS); commands of the hub wait behind them.',
  },
  signalbox_dropped_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Messages, or parts of one, that were not delivered, by reason.',
    moves: 'Should stand still. Each step is a loss; the table of reasons says of what.',
  },
  signalbox_rest_requests_total: {
    type: 'counter',
    labels: ['operation', 'status'],
    help: 'REST requests that were answered, by operation and HTTP status.',
    moves: '401: wrong keys or clocks. 429: a limit. 503: Redis or a node is away; see signalbox_backplane_down.',
  },
  signalbox_rest_request_duration_seconds: {
    type: 'histogram',
    labels: ['operation'],
    buckets: fast,
    help: 'Time from the head of a REST request to its answer.',
    moves:
      'Sends wait for Redis, questions for other nodes: compare signalbox_backplane_probe_seconds and signalbox_ask_duration_seconds.',
  },
  signalbox_webhooks_total: {
    type: 'counter',
    labels: ['event', 'status'],
    help: 'Webhooks of serverless hubs, by event (connected, disconnected, message) and by HTTP status, or by what took its place: unreachable, timeout, cut (the answer broke off), too_large (the answer), dropped (its client had left or was closed, app_slow).',
    moves:
      '401: the app checks with another key. 404: it does not know the hub or the event. timeout, dropped: it is too slow.',
  },
  signalbox_webhook_duration_seconds: {
    type: 'histogram',
    labels: ['event'],
    buckets: slow,
    help: 'Time of a webhook that was posted, repeats included, until its answer was whole.',
    moves: 'A client has one webhook under way at a time: its next one waits so long, and so does its caller.',
  },
  signalbox_tokens_refused_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Tokens that were refused, by reason.',
    moves: 'After a key rotation: somebody still signs with the old key. expired: clocks differ.',
  },
  signalbox_limits_reached_total: {
    type: 'counter',
    labels: ['limit'],
    help: 'Requests or connections that met a limit; the label is the name of the setting.',
    moves: 'Raise the setting, add a node, or find who needs so much.',
  },
  signalbox_backplane_published_envelopes_total: {
    type: 'counter',
    labels: [],
    help: 'Envelopes that left for Redis.',
    moves: 'The load that this node puts on Redis.',
  },
  signalbox_backplane_published_commands_total: {
    type: 'counter',
    labels: [],
    help: 'Commands in the envelopes that left for Redis.',
    moves: 'Against the envelopes it gives the mean batch; 1 under load means that nothing is batched.',
  },
  signalbox_backplane_published_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Bytes of the envelopes that left for Redis.',
    moves: 'Redis sends each byte once to every node that watches the topic.',
  },
  signalbox_backplane_arrived_envelopes_total: {
    type: 'counter',
    labels: [],
    help: 'Envelopes of other nodes that came from Redis.',
    moves: 'Much more than other nodes get: this node watches topics that the others do not.',
  },
  signalbox_backplane_arrived_commands_total: {
    type: 'counter',
    labels: [],
    help: 'Commands in the envelopes of other nodes.',
    moves: 'As signalbox_backplane_arrived_envelopes_total.',
  },
  signalbox_backplane_arrived_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Bytes of the envelopes of other nodes.',
    moves: 'As signalbox_backplane_arrived_envelopes_total.',
  },
  signalbox_backplane_latency_seconds: {
    type: 'histogram',
    labels: [],
    buckets: fast,
    help: 'Time between the sending of an envelope by another node and its arrival here.',
    moves: 'Contains the difference of the clocks. Rising with the load: Redis or this node is at its end.',
  },
  signalbox_backplane_probe_seconds: {
    type: 'histogram',
    labels: [],
    buckets: fast,
    help: 'Round trip of the probe that this node sends itself through Redis.',
    moves: 'Rising: Redis is slow, or this node reads late (see signalbox_event_loop_delay_seconds).',
  },
  signalbox_backplane_down: {
    type: 'gauge',
    labels: [],
    help: '1 while Redis is known down, else 0.',
    moves: '1: sends reach this node only. Look at Redis and the way to it. On one node only: that node is cut off.',
  },
  signalbox_backplane_deaf_seconds_total: {
    type: 'counter',
    labels: [],
    help: 'Seconds in which messages of other nodes could not be heard.',
    moves: 'What other nodes sent in these seconds did not reach the clients here.',
  },
  signalbox_backplane_outstanding_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Bytes published that Redis has not answered.',
    moves: 'Near SIGNALBOX_BACKPLANE_QUEUE_BYTES sends are refused: Redis or the network is too slow.',
  },
  signalbox_watched_topics: {
    type: 'gauge',
    labels: [],
    help: 'Topics that this node watches.',
    moves: 'About connections plus groups. Growing alone: groups that nobody leaves.',
  },
  signalbox_known_nodes: {
    type: 'gauge',
    labels: [],
    help: 'Nodes that this node knows, itself included.',
    moves: 'Below the number you started: a node is away, or has another SIGNALBOX_PREFIX or database.',
  },
  signalbox_asks_total: {
    type: 'counter',
    labels: ['verdict'],
    help: 'Questions to other nodes, by how they were answered.',
    moves: 'timeout: a node did not answer within SIGNALBOX_ASK_MS; it is overloaded or cut off.',
  },
  signalbox_ask_duration_seconds: {
    type: 'histogram',
    labels: [],
    buckets: fast,
    help: 'Time until a question to other nodes was answered, or given up.',
    moves: 'Rising together with signalbox_backplane_probe_seconds: Redis. Alone: another node is slow.',
  },
  signalbox_event_loop_delay_seconds: {
    type: 'gauge',
    labels: ['quantile'],
    help: 'By how much timers were late since the last scrape; quantile 1 is the worst.',
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
  signalbox_process_start_time_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the process started, in seconds since 1970.',
    moves: 'A step: the process was started again. A client that reconnects then is no surprise.',
  },
} as const satisfies Record<string, MetricRow>;

/** The name of a metric: one key of {@link metrics}. */
export type MetricName = keyof typeof metrics;
