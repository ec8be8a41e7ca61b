import { errors } from '../errors.ts';
import { closeReasons, countedLimits, dropReasons, linkReasons, tokenRefusals } from '../reasons.ts';
import type { AckStatus, ClientKind, Events, ResultOutcome } from './events.ts';
import { LinkCounts } from './link-counts.ts';
import { BoundedLabel, type Meters, type Tally } from './meters.ts';
import type { MetricName } from './metrics.ts';

const mostHubs = 100;
/** Room for labels whose values the code chooses; a bound all the same, should one of them ever come from outside. */
const mostOthers = 100;
const protocols = new Set(['json', 'messagepack']);

/** Labels of a client connection, bounded: a client may name any protocol in its handshake, and hubs are many. */
export class ClientLabels {
  readonly #hubs = new BoundedLabel(mostHubs);
  readonly #kinds = new Map<string, ClientKind>();

  /** Every kind that there was. */
  get kinds(): Iterable<ClientKind> {
    return this.#kinds.values();
  }

  /** Clients and links share the names, so that one hub is never `other` here and itself there. */
  hub(name: string): string {
    return this.#hubs.of(name);
  }

  /** The kind with bounded labels; the same object whenever they are the same. */
  of(kind: ClientKind): ClientKind {
    const hub = this.hub(kind.hub);
    const protocol = protocols.has(kind.protocol) ? kind.protocol : 'other';
    const key = `${hub} ${kind.transport} ${protocol} ${kind.mode}`;
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    const bounded = { hub, transport: kind.transport, protocol, mode: kind.mode };
    this.#kinds.set(key, bounded);
    return bounded;
  }
}

/** How long Redis was known down, growing while it is. */
export class DownTime {
  #seconds = 0;
  #since: number | undefined;

  get down(): boolean {
    return this.#since !== undefined;
  }

  get seconds(): number {
    return this.#seconds + (this.#since === undefined ? 0 : (performance.now() - this.#since) / 1000);
  }

  begin(): void {
    this.#since ??= performance.now();
  }

  /** Takes the longer of our time and the one reported: a counter must not step back. */
  end(reported: number): void {
    const { seconds } = this;
    this.#seconds = Math.max(seconds, this.#seconds + reported);
    this.#since = undefined;
  }
}

type Word<Table> = keyof Table & string;

const closeWords = Object.keys(closeReasons) as Word<typeof closeReasons>[];
const linkWords = Object.keys(linkReasons) as Word<typeof linkReasons>[];
const dropWords = Object.keys(dropReasons) as Word<typeof dropReasons>[];
const tokenWords = Object.keys(tokenRefusals) as Word<typeof tokenRefusals>[];
const codeWords = Object.keys(errors) as Word<typeof errors>[];
const ackWords: readonly AckStatus[] = ['ok', 'not_found', 'timeout', 'error'];
const resultWords: readonly ResultOutcome[] = ['result', 'error', 'timeout', 'forgotten'];
const verdictWords = ['yes', 'no', 'limit', 'failed', 'timeout', 'other'] as const;

/** Children of a label whose values are not known at the start. */
function lookup<Child>(make: (value: string) => Child): (value: string) => Child {
  const label = new BoundedLabel(mostOthers);
  const made = new Map<string, Child>();
  return (given) => {
    const value = label.of(given);
    const known = made.get(value);
    if (known !== undefined) return known;
    const child = make(value);
    made.set(value, child);
    return child;
  };
}

/** Turns events into the metrics of the table. */
export function createEvents(meters: Meters<MetricName>, clients: ClientLabels, down: DownTime): Events {
  return {
    ...connectionEvents(meters, clients),
    ...linkEvents(meters, clients),
    ...appEvents(meters),
    ...trafficEvents(meters),
    ...doorEvents(meters),
    ...certificateEvents(meters),
    ...backplaneEvents(meters, down),
  };
}

type ConnectionEvents = Pick<Events, 'connectionOpened' | 'connectionClosed' | 'connectionRefused' | 'clientRefused'>;

function connectionEvents(meters: Meters<MetricName>, clients: ClientLabels): ConnectionEvents {
  const opened = meters.children('signalbox_connections_opened_total');
  const closed = meters.children('signalbox_connections_closed_total');
  const handshakes = meters.plainHistogram('signalbox_handshake_duration_seconds');
  const ended = meters.tallies('signalbox_connections_refused_total', 'reason', [...closeWords, 'bad_handshake']);
  const refused = meters.tallies('signalbox_client_requests_refused_total', 'code', codeWords);
  return {
    connectionOpened(kind, seconds) {
      const labels = valuesOf(clients.of(kind));
      const tally = opened(...labels);
      // The ends show as 0 from then on: a counter that begins at 1 has no increase that Prometheus could see.
      if (tally.value === 0) for (const reason of closeWords) closed(...labels, reason);
      add(tally, 1);
      handshakes.add(seconds);
    },
    connectionClosed: (kind, reason) => add(closed(...valuesOf(clients.of(kind)), reason), 1),
    connectionRefused: (reason) => add(ended[reason], 1),
    clientRefused: (code) => add(refused[code], 1),
  };
}

/** In the order of the labels of the table. */
function valuesOf({ hub, transport, protocol, mode }: ClientKind): readonly string[] {
  return [hub, transport, protocol, mode];
}

type LinkEvents = Pick<Events, 'linkOpened' | 'linkClosed'>;

function linkEvents(meters: Meters<MetricName>, clients: ClientLabels): LinkEvents {
  const opened = meters.children('signalbox_links_opened_total');
  const closed = meters.children('signalbox_links_closed_total');
  const links = new LinkCounts();
  meters.asked('signalbox_links', (set) => {
    for (const { hub, server, count } of links.rows()) set(count, { hub, server });
  });
  return {
    linkOpened(name, server) {
      const hub = clients.hub(name);
      links.change(hub, server, 1);
      const tally = opened(hub);
      if (tally.value === 0) for (const reason of linkWords) closed(hub, reason);
      add(tally, 1);
    },
    linkClosed(name, server, reason) {
      const hub = clients.hub(name);
      links.change(hub, server, -1);
      add(closed(hub, reason), 1);
    },
  };
}

type AppEvents = Pick<Events, 'acknowledged' | 'clientResult'>;

function appEvents(meters: Meters<MetricName>): AppEvents {
  const acks = meters.tallies('signalbox_acks_total', 'status', ackWords);
  const ackTimes = meters.plainHistogram('signalbox_ack_duration_seconds');
  const results = meters.tallies('signalbox_client_results_total', 'outcome', resultWords);
  const resultTimes = meters.plainHistogram('signalbox_client_result_duration_seconds');
  return {
    acknowledged(status, seconds) {
      add(acks[status], 1);
      ackTimes.add(seconds);
    },
    clientResult(outcome, seconds) {
      add(results[outcome], 1);
      resultTimes.add(seconds);
    },
  };
}

type TrafficEvents = Pick<Events, 'delivered' | 'received' | 'fanout' | 'dropped'>;

function trafficEvents(meters: Meters<MetricName>): TrafficEvents {
  const frames = meters.tally('signalbox_delivered_frames_total');
  const frameBytes = meters.tally('signalbox_delivered_bytes_total');
  const messages = meters.tally('signalbox_received_messages_total');
  const messageBytes = meters.tally('signalbox_received_bytes_total');
  const receivers = meters.plainHistogram('signalbox_fanout_receivers');
  const drops = meters.tallies('signalbox_dropped_total', 'reason', dropWords);
  return {
    delivered: both(frames, frameBytes),
    received: both(messages, messageBytes),
    fanout: (count) => receivers.add(count),
    dropped: (reason, count) => add(drops[reason], count),
  };
}

function add(tally: Tally, count: number): void {
  tally.value += count;
}

function both(first: Tally, second: Tally): (one: number, two: number) => void {
  return (one, two) => {
    first.value += one;
    second.value += two;
  };
}

type DoorEvents = Pick<Events, 'spans' | 'rest' | 'webhook' | 'tokenRefused' | 'issuerKeysFetched' | 'limitReached'>;

function doorEvents(meters: Meters<MetricName>): DoorEvents {
  const requests = meters.children('signalbox_rest_requests_total');
  const durations = meters.histogram('signalbox_rest_request_duration_seconds');
  const duration = lookup((operation) => durations.labels({ operation }));
  const webhooks = meters.children('signalbox_webhooks_total');
  const webhookDurations = meters.histogram('signalbox_webhook_duration_seconds');
  const webhookDuration = lookup((event) => webhookDurations.labels({ event }));
  const statusOf = new BoundedLabel(mostOthers);
  const tokens = meters.tallies('signalbox_tokens_refused_total', 'reason', tokenWords);
  const spans = meters.tallies('signalbox_spans_total', 'outcome', ['exported', 'dropped']);
  const limits = meters.tallies('signalbox_limits_reached_total', 'limit', countedLimits);
  const issuerKeys = meters.children('signalbox_issuer_key_fetches_total');
  return {
    rest(operation, status, seconds) {
      add(requests(operation, String(status)), 1);
      duration(operation).observe(seconds);
    },
    webhook(event, status, seconds) {
      add(webhooks(event, statusOf.of(status)), 1);
      if (status !== 'dropped') webhookDuration(event).observe(seconds);
    },
    tokenRefused: (reason) => add(tokens[reason], 1),
    spans: (outcome, count) => add(spans[outcome], count),
    limitReached: (limit) => add(limits[limit], 1),
    issuerKeysFetched: (issuer, outcome) => add(issuerKeys(issuer, outcome), 1),
  };
}

function certificateEvents(meters: Meters<MetricName>): Pick<Events, 'certificate'> {
  const loads = meters.tallies('signalbox_tls_certificates_total', 'outcome', ['used', 'refused']);
  let until: number | undefined;
  meters.asked('signalbox_tls_certificate_expires_seconds', (set) => {
    if (until !== undefined) set(until);
  });
  return {
    certificate(outcome, expires) {
      add(loads[outcome], 1);
      until = expires ?? until;
    },
  };
}

type BackplaneEvents = Pick<Events, 'published' | 'arrived' | 'latency' | 'probe' | 'deaf' | 'hearing' | 'asked'>;

function backplaneEvents(meters: Meters<MetricName>, down: DownTime): BackplaneEvents {
  const published = meters.tally('signalbox_backplane_published_envelopes_total');
  const arrived = meters.tally('signalbox_backplane_arrived_envelopes_total');
  const publishedMore = both(
    meters.tally('signalbox_backplane_published_commands_total'),
    meters.tally('signalbox_backplane_published_bytes_total'),
  );
  const arrivedMore = both(
    meters.tally('signalbox_backplane_arrived_commands_total'),
    meters.tally('signalbox_backplane_arrived_bytes_total'),
  );
  const reconnects = meters.tally('signalbox_backplane_reconnects_total');
  const latency = meters.plainHistogram('signalbox_backplane_latency_seconds');
  const probe = meters.plainHistogram('signalbox_backplane_probe_seconds');
  const asks = meters.tallies('signalbox_asks_total', 'verdict', verdictWords);
  const asked = meters.plainHistogram('signalbox_ask_duration_seconds');
  return {
    published(commands, bytes) {
      published.value++;
      publishedMore(commands, bytes);
    },
    arrived(commands, bytes) {
      arrived.value++;
      arrivedMore(commands, bytes);
    },
    // Two clocks: what seems to arrive before it was sent took no time.
    latency: (ms) => latency.add(Math.max(0, ms) / 1000),
    probe: (ms) => probe.add(ms / 1000),
    deaf: () => down.begin(),
    hearing(seconds) {
      reconnects.value++;
      down.end(seconds);
    },
    asked(verdict, ms) {
      add(asks[verdictWords.find((word) => word === verdict) ?? 'other'], 1);
      asked.add(ms / 1000);
    },
  };
}
