import type { MetricRow } from './meters.ts';
import { audience, slow } from './metrics-buckets.ts';

/** Metrics about clients and what passes between them and the gateway. */
export const clientMetrics = {
  signalbox_connections: {
    type: 'gauge',
    labels: ['hub', 'transport', 'protocol', 'mode'],
    help: 'Client connections on this node whose handshake is done. The mode tells who runs the hub for them: default (an app server) or serverless (the gateway).',
    moves:
      'A sudden fall: look at signalbox_connections_closed_total for the reason. Uneven between nodes: the balancer does not spread.',
  },
  signalbox_connections_opened_total: {
    type: 'counter',
    labels: ['hub', 'transport', 'protocol', 'mode'],
    help: 'Client connections whose handshake was done.',
    moves: 'High while signalbox_connections stays level: clients reconnect in a loop; see the reasons of their ends.',
  },
  signalbox_connections_closed_total: {
    type: 'counter',
    labels: ['hub', 'transport', 'protocol', 'mode', 'reason'],
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
  signalbox_handshake_duration_seconds: {
    type: 'histogram',
    labels: [],
    buckets: slow,
    help: "Time from a client's transport being up to the answer to its handshake; its count is that of the handshakes.",
    moves:
      'Long: clients that speak late, app servers that are slow to accept (default hubs), or Redis that is slow to watch a topic.',
  },
  signalbox_client_requests_refused_total: {
    type: 'counter',
    labels: ['code'],
    help: 'Requests under /client/ that were refused, by error code: negotiations, connects, polls and posts.',
    moves:
      'no_link: no app server is connected. unauthorized: see signalbox_tokens_refused_total. limit_reached: see signalbox_limits_reached_total. draining: the balancer still sends clients to a node that stops.',
  },
  signalbox_delivered_frames_total: {
    type: 'counter',
    labels: [],
    help: 'Frames written to clients: sends, and what their app server says to each; pings and closes of the gateway left out.',
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
    help: 'Hub messages that came from clients, pings included. Those of hubs in app servers are carried unread: there it counts what came at once, a WebSocket message or a POST.',
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
  signalbox_fanout_waiting_commands: {
    type: 'gauge',
    labels: [],
    help: 'Commands of apps that wait on this node behind long fan-outs of their hub.',
    moves:
      'Near SIGNALBOX_FANOUT_QUEUE broadcasts and group sends are shed, behind: audiences are too large for one core.',
  },
  signalbox_outbox_clients: {
    type: 'gauge',
    labels: [],
    help: 'Clients that are owed a frame within this turn of the event loop and were not written to yet.',
    moves: 'Above 0 at many scrapes: writing does not keep up with sending; the core is busy.',
  },
  signalbox_send_queue_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Bytes written for clients that they have not read yet.',
    moves:
      'The memory that slow clients cost. One client may have SIGNALBOX_CLIENT_QUEUE_BYTES, then it is closed, slow.',
  },
  signalbox_slow_clients: {
    type: 'gauge',
    labels: [],
    help: 'Clients that have not read more than a quarter of SIGNALBOX_CLIENT_QUEUE_BYTES.',
    moves: 'A few are bad networks. Many at once: more is sent than clients or the network can take.',
  },
  signalbox_dropped_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Messages, or parts of one, that were not delivered, by reason.',
    moves: 'Should stand still. Each step is a loss; the table of reasons says of what.',
  },
} as const satisfies Record<string, MetricRow>;
