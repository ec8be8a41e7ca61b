import type { MetricRow } from './meters.ts';
import { fast } from './metrics-buckets.ts';

/** Metrics about the way between nodes. */
export const backplaneMetrics = {
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
    together: 'most',
    help: '1 while Redis is known down, else 0.',
    moves: '1: sends reach this node only. Look at Redis and the way to it. On one node only: that node is cut off.',
  },
  signalbox_backplane_deaf_seconds_total: {
    type: 'counter',
    labels: [],
    help: 'Seconds in which messages of other nodes could not be heard.',
    moves: 'What other nodes sent in these seconds did not reach the clients here.',
  },
  signalbox_backplane_reconnects_total: {
    type: 'counter',
    labels: [],
    help: 'Times that Redis was lost and is back with all topics watched.',
    moves:
      'More than once without a restart of Redis: the network, or Redis cuts this node off (client-output-buffer-limit pubsub).',
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
    together: 'least',
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
} as const satisfies Record<string, MetricRow>;
