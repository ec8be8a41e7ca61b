import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConnectionCount } from '../../src/observe/gauges.ts';
import { Health } from '../../src/observe/health.ts';
import { metrics } from '../../src/observe/metrics.ts';
import { createPrometheus, type Prometheus } from '../../src/observe/prometheus.ts';
import { countedLimits, dropReasons, tokenRefusals } from '../../src/reasons.ts';
import { promtool } from '../support/promtool.ts';
import { quietGauges } from '../support/quiet-gauges.ts';

let connections: ConnectionCount[];
let health: Health;
let prometheus: Prometheus;
beforeEach(() => {
  connections = [];
  health = new Health();
  prometheus = createPrometheus(
    { version: '1.2.3', node: 'n1', label: 'here' },
    quietGauges({
      connections: () => connections,
      backlog: () => ({ bytes: 900, slowClients: 2 }),
      outboxClients: () => 4,
      fanoutWaiting: () => 5,
      watchedTopics: () => 7,
      outstandingBytes: () => 8,
      knownNodes: () => 3,
      health,
      limits: { SIGNALBOX_MAX_CONNECTIONS: 1000 },
    }),
  );
});
afterEach(() => prometheus.close());

const kind = { hub: 'chat', transport: 'websocket', protocol: 'messagepack', mode: 'default' };

/** The value of one line; `undefined` when there is none. */
async function shown(series: string): Promise<number | undefined> {
  const line = (await prometheus.scrape()).split('\n').find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test('a scrape shows exactly the metrics of the table, with their type', async () => {
  const types = [...(await prometheus.scrape()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [
    name,
    type,
  ]);
  const declared = Object.entries(metrics).map(([name, { type }]) => [name, type]);
  expect(types.sort()).toEqual(declared.sort());
  expect(prometheus.contentType).toContain('text/plain');
});

test('promtool has nothing to say about a scrape in which something happened', async () => {
  connections = [{ kind: { ...kind, hub: 'a' }, count: 1 }];
  prometheus.events.connectionOpened(kind, 0.1);
  prometheus.events.rest('broadcast', 202, 0.1);
  prometheus.events.linkOpened('chat', 'server "1"\\');
  expect(promtool(['check', 'metrics'], await prometheus.scrape())).toBe('');
});

test('names begin with signalbox_, counters end with _total, and times are seconds', () => {
  for (const [name, row] of Object.entries(metrics)) {
    expect(name).toMatch(/^signalbox_[a-z_]+$/);
    expect(name.endsWith('_total'), name).toBe(row.type === 'counter');
    expect(name).not.toMatch(/_(ms|milliseconds|kilobytes)/);
  }
});

describe('gauges', () => {
  test('are asked at each scrape', async () => {
    expect(await shown('signalbox_watched_topics')).toBe(7);
    expect(await shown('signalbox_backplane_outstanding_bytes')).toBe(8);
    expect(await shown('signalbox_known_nodes')).toBe(3);
    expect(await shown('signalbox_send_queue_bytes')).toBe(900);
    expect(await shown('signalbox_slow_clients')).toBe(2);
    expect(await shown('signalbox_outbox_clients')).toBe(4);
    expect(await shown('signalbox_fanout_waiting_commands')).toBe(5);
    expect(await shown('signalbox_limit{setting="SIGNALBOX_MAX_CONNECTIONS"}')).toBe(1000);
    const build = `signalbox_build_info{version="1.2.3",node_version="${process.version}",node="n1",label="here"}`;
    expect(await shown(build)).toBe(1);
  });

  test('connections of a kind that was there once are shown as 0 when the last one left', async () => {
    const series = 'signalbox_connections{hub="chat",transport="websocket",protocol="messagepack",mode="default"}';
    connections = [{ kind, count: 2 }];
    expect(await shown(series)).toBe(2);
    connections = [];
    expect(await shown(series)).toBe(0);
  });

  test('hubs beyond the first hundred and unusual protocols are added up as other', async () => {
    const count = (hub: string, protocol: string) => ({
      kind: { hub, transport: 'sse', protocol, mode: 'serverless' },
      count: 1,
    });
    const of = (hub: string, protocol: string) =>
      shown(`signalbox_connections{hub="${hub}",transport="sse",protocol="${protocol}",mode="serverless"}`);
    connections = Array.from({ length: 103 }, (_, index) => count(`hub${index}`, 'json'));
    connections.push(count('hub0', 'mine'), count('hub0', 'yours'));
    expect(await of('hub99', 'json')).toBe(1);
    expect(await of('hub100', 'json')).toBeUndefined();
    expect(await of('other', 'json')).toBe(3);
    expect(await of('hub0', 'other')).toBe(2);
  });

  test('the health of the node is told by part, also while it is tolerated', async () => {
    health.register({ name: 'backplane', state: () => ({ up: false, since: Date.now(), why: '' }), graceMs: 15_000 });
    health.register({ name: 'event_loop', state: () => ({ up: true }) });
    const told = async () => [
      await shown('signalbox_ready'),
      await shown('signalbox_part_up{part="backplane"}'),
      await shown('signalbox_part_up{part="event_loop"}'),
    ];
    expect(await told()).toEqual([1, 0, 1]);
    health.drain();
    expect(await told()).toEqual([0, 0, 1]);
  });

  test('the process tells its memory, processor time and delay', async () => {
    expect(await shown('signalbox_process_memory_bytes{kind="rss"}')).toBeGreaterThan(1e6);
    expect(await shown('signalbox_process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(await shown('signalbox_event_loop_busy_seconds_total')).toBeGreaterThan(0);
    expect(await shown('signalbox_event_loop_delay_seconds{stat="max"}')).toBeGreaterThanOrEqual(0);
    expect(await shown('signalbox_process_start_time_seconds')).toBeLessThan(Date.now() / 1000);
  });
});

describe('events', () => {
  test('of connections are counted by hub, transport, protocol, mode and reason, and their handshakes timed', async () => {
    prometheus.events.connectionOpened(kind, 0.2);
    const slow = `signalbox_connections_closed_total{hub="chat",transport="websocket",protocol="messagepack",mode="default",reason="slow"}`;
    expect(await shown(slow), 'before the first one').toBe(0);
    prometheus.events.connectionClosed(kind, 'slow');
    prometheus.events.connectionRefused('bad_handshake');
    prometheus.events.clientRefused('no_link');
    const labels = 'hub="chat",transport="websocket",protocol="messagepack",mode="default"';
    expect(await shown('signalbox_handshake_duration_seconds_sum')).toBe(0.2);
    expect(await shown('signalbox_client_requests_refused_total{code="no_link"}')).toBe(1);
    expect(await shown('signalbox_client_requests_refused_total{code="unauthorized"}')).toBe(0);
    expect(await shown(`signalbox_connections_opened_total{${labels}}`)).toBe(1);
    expect(await shown(`signalbox_connections_closed_total{${labels},reason="slow"}`)).toBe(1);
    expect(await shown('signalbox_connections_refused_total{reason="bad_handshake"}')).toBe(1);
  });

  test('of links are counted by hub and app server, those that are up and why others ended', async () => {
    for (const hub of ['chat', 'chat', 'news']) prometheus.events.linkOpened(hub, 's1');
    prometheus.events.linkClosed('chat', 's1', 'silent');
    expect(await shown('signalbox_links{hub="chat",server="s1"}')).toBe(1);
    expect(await shown('signalbox_links{hub="news",server="s1"}')).toBe(1);
    expect(await shown('signalbox_links_opened_total{hub="chat"}')).toBe(2);
    expect(await shown('signalbox_links_closed_total{hub="chat",reason="silent"}')).toBe(1);
  });

  test('of app servers that come and go leave no series behind, and the loss of the last one shows as 0', async () => {
    for (let server = 0; server < 300; server++) {
      prometheus.events.linkOpened('chat', `s${server}`);
      prometheus.events.linkClosed('chat', `s${server}`, 'app_left');
    }
    const series = (await prometheus.scrape()).match(/^signalbox_links\{.*/gm);
    expect(series).toEqual(['signalbox_links{hub="chat",server=""} 0']);
  });

  test('of more than a hundred app servers at once are added up as other', async () => {
    for (let server = 0; server < 103; server++) prometheus.events.linkOpened('chat', `s${server}`);
    expect(await shown('signalbox_links{hub="chat",server="s99"}')).toBe(1);
    expect(await shown('signalbox_links{hub="chat",server="other"}')).toBe(3);
  });

  test('of acknowledgements and client results are counted by outcome and timed', async () => {
    prometheus.events.acknowledged('not_found', 0.25);
    prometheus.events.clientResult('timeout', 10);
    expect(await shown('signalbox_acks_total{status="not_found"}')).toBe(1);
    expect(await shown('signalbox_ack_duration_seconds_sum')).toBe(0.25);
    expect(await shown('signalbox_client_results_total{outcome="timeout"}')).toBe(1);
    expect(await shown('signalbox_client_result_duration_seconds_count')).toBe(1);
  });

  test('of traffic are added up, and stay when they are scraped twice', async () => {
    prometheus.events.delivered(10, 1000);
    prometheus.events.delivered(5, 500);
    prometheus.events.received(2, 30);
    await prometheus.scrape();
    expect(await shown('signalbox_delivered_frames_total')).toBe(15);
    expect(await shown('signalbox_delivered_bytes_total')).toBe(1500);
    expect(await shown('signalbox_received_messages_total')).toBe(2);
    expect(await shown('signalbox_received_bytes_total')).toBe(30);
  });

  test('of losses show every reason before the first loss', async () => {
    for (const reason of Object.keys(dropReasons)) {
      expect(await shown(`signalbox_dropped_total{reason="${reason}"}`)).toBe(0);
    }
    prometheus.events.dropped('hole', 3);
    expect(await shown('signalbox_dropped_total{reason="hole"}')).toBe(3);
  });

  test('of fan-outs fall into their buckets, the bound included', async () => {
    for (const receivers of [0, 1, 2, 10, 1e9]) prometheus.events.fanout(receivers);
    const bucket = (le: string) => shown(`signalbox_fanout_receivers_bucket{le="${le}"}`);
    expect([await bucket('0'), await bucket('1'), await bucket('10'), await bucket('+Inf')]).toEqual([1, 2, 4, 5]);
    expect(await shown('signalbox_fanout_receivers_count')).toBe(5);
    expect(await shown('signalbox_fanout_receivers_sum')).toBe(1_000_000_013);
  });

  test('of the doors are counted by operation, status, reason and limit', async () => {
    prometheus.events.rest('broadcast', 202, 0.002);
    prometheus.events.tokenRefused('expired');
    prometheus.events.limitReached('SIGNALBOX_MAX_CONNECTIONS');
    expect(await shown('signalbox_rest_requests_total{operation="broadcast",status="202"}')).toBe(1);
    const bucket = (le: string) =>
      shown(`signalbox_rest_request_duration_seconds_bucket{le="${le}",operation="broadcast"}`);
    expect([await bucket('0.001'), await bucket('0.0025')]).toEqual([0, 1]);
    expect(await shown('signalbox_tokens_refused_total{reason="expired"}')).toBe(1);
    expect(await shown('signalbox_limits_reached_total{limit="SIGNALBOX_MAX_CONNECTIONS"}')).toBe(1);
    for (const limit of countedLimits.slice(1)) {
      expect(await shown(`signalbox_limits_reached_total{limit="${limit}"}`), limit).toBe(0);
    }
    for (const reason of Object.keys(tokenRefusals).filter((one) => one !== 'expired')) {
      expect(await shown(`signalbox_tokens_refused_total{reason="${reason}"}`), reason).toBe(0);
    }
  });

  test('of the backplane: milliseconds become seconds, and no clock makes a sum step back', async () => {
    prometheus.events.published(4, 400);
    prometheus.events.arrived(2, 200);
    prometheus.events.latency(20);
    prometheus.events.latency(-5000);
    prometheus.events.probe(1);
    prometheus.events.asked('timeout', 2000);
    expect(await shown('signalbox_backplane_published_envelopes_total')).toBe(1);
    expect(await shown('signalbox_backplane_published_commands_total')).toBe(4);
    expect(await shown('signalbox_backplane_arrived_bytes_total')).toBe(200);
    expect(await shown('signalbox_backplane_latency_seconds_sum')).toBe(0.02);
    expect(await shown('signalbox_backplane_latency_seconds_count')).toBe(2);
    expect(await shown('signalbox_backplane_probe_seconds_bucket{le="0.001"}')).toBe(1);
    expect(await shown('signalbox_asks_total{verdict="timeout"}')).toBe(1);
    expect(await shown('signalbox_ask_duration_seconds_sum')).toBe(2);
  });

  test('of a lost Redis: seconds grow while it is away, and never step back', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const seconds = () => shown('signalbox_backplane_deaf_seconds_total');
      prometheus.events.deaf();
      vi.advanceTimersByTime(3000);
      expect([await shown('signalbox_backplane_down'), await seconds()]).toEqual([1, 3]);
      prometheus.events.hearing(2.5);
      expect([await shown('signalbox_backplane_down'), await seconds()]).toEqual([0, 3]);
      vi.advanceTimersByTime(1000);
      prometheus.events.deaf();
      prometheus.events.hearing(4);
      expect(await seconds()).toBe(7);
      expect(await shown('signalbox_backplane_reconnects_total')).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });
});
