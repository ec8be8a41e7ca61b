import { closeReasons, dropReasons } from '../reasons.ts';
import type { Events } from './events.ts';
import { BoundedLabel, type Meters, type Tally } from './meters.ts';
import type { MetricName } from './metrics.ts';

const mostHubs = 100;
/** Room for labels whose values the code chooses; a bound all the same, should one of them ever come from outside. */
const mostOthers = 50;
const protocols = new Set(['json', 'messagepack']);

/** Labels of a client connection, bounded: a client may name any protocol in its handshake, and hubs are many. */
export class ClientLabels {
  readonly #hubs = new BoundedLabel(mostHubs);

  /** Clients and links share the names, so that one hub is never `other` here and itself there. */
  hub(name: string): string {
    return this.#hubs.of(name);
  }

  of(hub: string, transport: string, protocol: string): Record<'hub' | 'transport' | 'protocol', string> {
    return { hub: this.hub(hub), transport, protocol: protocols.has(protocol) ? protocol : 'other' };
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
const dropWords = Object.keys(dropReasons) as Word<typeof dropReasons>[];
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
    ...trafficEvents(meters),
    ...doorEvents(meters),
    ...backplaneEvents(meters, down),
  };
}

type ConnectionEvents = Pick<Events, 'connectionOpened' | 'connectionClosed' | 'connectionRefused'>;

function connectionEvents(meters: Meters<MetricName>, clients: ClientLabels): ConnectionEvents {
  const opened = meters.counter('signalbox_connections_opened_total');
  const closed = meters.counter('signalbox_connections_closed_total');
  const refused = meters.tallies('signalbox_connections_refused_total', 'reason', [...closeWords, 'bad_handshake']);
  return {
    connectionOpened: (hub, transport, protocol) => opened.inc(clients.of(hub, transport, protocol)),
    connectionClosed: (hub, transport, protocol, reason) =>
      closed.inc({ ...clients.of(hub, transport, protocol), reason }),
    connectionRefused: (reason) => add(refused[reason], 1),
  };
}

type LinkEvents = Pick<Events, 'linkOpened' | 'linkClosed'>;

/** Links are few and live long: they are counted here, by the label of their hub. */
function linkEvents(meters: Meters<MetricName>, clients: ClientLabels): LinkEvents {
  const opened = meters.counter('signalbox_links_opened_total');
  const closed = meters.counter('signalbox_links_closed_total');
  const links = new Map<string, number>();
  const count = (hub: string, change: 1 | -1): void => void links.set(hub, (links.get(hub) ?? 0) + change);
  meters.asked('signalbox_links', (set) => {
    for (const [hub, value] of links) set(value, { hub });
  });
  return {
    linkOpened(name) {
      const hub = clients.hub(name);
      count(hub, 1);
      opened.inc({ hub });
    },
    linkClosed(name, reason) {
      const hub = clients.hub(name);
      count(hub, -1);
      closed.inc({ hub, reason });
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

type DoorEvents = Pick<Events, 'rest' | 'webhook' | 'tokenRefused' | 'limitReached'>;

function doorEvents(meters: Meters<MetricName>): DoorEvents {
  const requests = meters.counter('signalbox_rest_requests_total');
  const durations = meters.histogram('signalbox_rest_request_duration_seconds');
  const duration = lookup((operation) => durations.labels({ operation }));
  const webhooks = meters.counter('signalbox_webhooks_total');
  const webhookDurations = meters.histogram('signalbox_webhook_duration_seconds');
  const statusOf = new BoundedLabel(mostOthers);
  const tokens = meters.counter('signalbox_tokens_refused_total');
  const token = lookup((reason) => tokens.labels({ reason }));
  const limits = meters.counter('signalbox_limits_reached_total');
  const limitOf = lookup((limit) => limits.labels({ limit }));
  return {
    rest(operation, status, seconds) {
      requests.inc({ operation, status: String(status) });
      duration(operation).observe(seconds);
    },
    webhook(event, status, seconds) {
      webhooks.inc({ event, status: statusOf.of(status) });
      if (status !== 'dropped') webhookDurations.observe({ event }, seconds);
    },
    tokenRefused: (reason) => token(reason).inc(),
    limitReached: (limit) => limitOf(limit).inc(),
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
    hearing: (seconds) => down.end(seconds),
    asked(verdict, ms) {
      add(asks[verdictWords.find((word) => word === verdict) ?? 'other'], 1);
      asked.add(ms / 1000);
    },
  };
}
