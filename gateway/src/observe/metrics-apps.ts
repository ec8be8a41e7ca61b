import type { MetricRow } from './meters.ts';
import { fast, slow } from './metrics-buckets.ts';

/** Metrics about apps: links, REST, webhooks, and what is refused to them or to clients. */
export const appMetrics = {
  signalbox_links: {
    type: 'gauge',
    labels: ['hub', 'server'],
    help: 'Links of app servers on this node, those that have not finished their handshake included, by the id of the app server. A hub whose last link is gone shows 0 with an empty server.',
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
  signalbox_acks_total: {
    type: 'counter',
    labels: ['status'],
    help: 'Acknowledgements to app servers for joins, leaves, closes and questions over links: ok, not_found, timeout, error.',
    moves:
      'timeout: a node or Redis did not answer in time, see signalbox_asks_total. error: a limit was reached, or the request was wrong.',
  },
  signalbox_ack_duration_seconds: {
    type: 'histogram',
    labels: [],
    buckets: fast,
    help: "Time from an app server's request to its acknowledgement.",
    moves: 'A question to other nodes is in it: compare signalbox_ask_duration_seconds.',
  },
  signalbox_client_results_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Calls of clients that give a result, asked for through this node by REST or a link: result, error (the client failed, left or does not exist), timeout, forgotten (its own app server has the answer).',
    moves: 'timeout: clients do not answer; the method may be missing there.',
  },
  signalbox_client_result_duration_seconds: {
    type: 'histogram',
    labels: [],
    buckets: slow,
    help: 'Time until a client that was called gave its result, or until it was given up.',
    moves: 'The time that callers wait. Mostly the time of the client itself.',
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
  signalbox_issuer_key_fetches_total: {
    type: 'counter',
    labels: ['issuer', 'outcome'],
    help: 'Fetches of the keys of an outside issuer; the outcome is ok or failed.',
    moves:
      'failed: the log says why. Known keys go on for SIGNALBOX_ISSUER_STALE_MS, then its clients are refused. ok, often: tokens come that no key of the issuer signed.',
  },
  signalbox_limits_reached_total: {
    type: 'counter',
    labels: ['limit'],
    help: 'Requests or connections that met a limit; the label is the name of the setting.',
    moves: 'Raise the setting, add a node, or find who needs so much.',
  },
  signalbox_limit: {
    type: 'gauge',
    labels: ['setting'],
    help: 'Limits of the settings, to be compared with what they bound.',
    moves: 'Changes with the settings only.',
  },
} as const satisfies Record<string, MetricRow>;
