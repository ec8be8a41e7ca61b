import { afterEach, beforeEach, expect, test } from 'vitest';
import { OtlpExporter, type OtlpOptions } from '../../src/observe/otlp.ts';
import type { SpanRecord } from '../../src/observe/tracing.ts';
import { Collector } from '../support/collector.ts';
import { EventLog } from '../support/event-log.ts';

let collector: Collector;
let log: EventLog;
let warnings: string[];
let exporter: OtlpExporter;
beforeEach(async () => {
  collector = await Collector.start();
  log = new EventLog();
  warnings = [];
  exporter = make({});
});
afterEach(async () => {
  await exporter.close();
  await collector[Symbol.asyncDispose]();
});

function make(options: Partial<OtlpOptions>): OtlpExporter {
  return new OtlpExporter({
    endpoint: collector.url,
    headers: { 'x-key': 'k' },
    resource: { 'service.name': 'chat' },
    queue: 2048,
    delayMs: 1,
    events: log.events,
    log: { warn: (text, facts) => void warnings.push(`${text}: ${String(facts?.['error'])}`) },
    ...options,
  });
}

const id = '0af7651916cd43dd8448eb211c80319c';
const record = (name: string, more: Partial<SpanRecord> = {}): SpanRecord => ({
  trace: { id, span: 'b7ad6b7169203331', sampled: true },
  parent: undefined,
  name,
  kind: 'server',
  startedAt: 1_700_000_000_123,
  ms: 1.5,
  facts: {},
  failed: false,
  ...more,
});
const counted = (outcome: string): number =>
  log.of('spans').reduce((sum, [what, count]) => sum + (what === outcome ? Number(count) : 0), 0);

test('a span arrives at /v1/traces with its times, facts and resource', async () => {
  const facts = { hub: 'chat', status: 503, share: 0.5, big: 2n ** 60n, ok: false, none: undefined };
  exporter.add(record('rest send_many', { parent: '00f067aa0ba902b7', facts, failed: true }));
  await collector.spans.one('a span', () => true);
  expect(collector.spans.items).toEqual([
    {
      traceId: id,
      spanId: 'b7ad6b7169203331',
      parentSpanId: '00f067aa0ba902b7',
      name: 'rest send_many',
      kind: 2,
      startTimeUnixNano: '1700000000123000000',
      endTimeUnixNano: '1700000000124500000',
      status: { code: 2 },
      facts: {
        'signalbox.hub': 'chat',
        'signalbox.status': '503',
        'signalbox.share': 0.5,
        'signalbox.big': '1152921504606846976',
        'signalbox.ok': false,
      },
      resource: { 'service.name': 'chat' },
    },
  ]);
  expect(collector.requests).toMatchObject([
    { path: '/v1/traces', headers: { 'content-type': 'application/json', 'x-key': 'k' } },
  ]);
});

test('a base path of the endpoint is kept', async () => {
  await exporter.close();
  exporter = make({ endpoint: `${collector.url}/otlp/` });
  exporter.add(record('a'));
  await collector.spans.one('a span', () => true);
  expect(collector.requests[0]?.path).toBe('/otlp/v1/traces');
});

test('many leave in few requests, and all of them are counted', async () => {
  for (let n = 0; n < 1200; n++) exporter.add(record(`span ${n}`));
  await log.until(() => counted('exported') === 1200);
  expect(collector.spans.items.map(({ name }) => name)).toEqual(Array.from({ length: 1200 }, (_, n) => `span ${n}`));
  expect(collector.requests).toHaveLength(3);
});

test('above the queue spans are dropped and counted, and what waits is sent at the end', async () => {
  await exporter.close();
  exporter = make({ queue: 3, delayMs: 600_000 });
  for (let n = 0; n < 10; n++) exporter.add(record(`span ${n}`));
  expect(counted('dropped')).toBe(7);
  await exporter.close();
  expect(collector.spans.items.map(({ name }) => name)).toEqual(['span 0', 'span 1', 'span 2']);
});

test('a collector that refuses costs the spans, which are counted, and one line', async () => {
  collector.status = 500;
  for (const n of [1, 2, 3]) {
    exporter.add(record('lost'));
    await log.until(() => counted('dropped') === n);
  }
  expect(warnings).toEqual(['traces could not be exported: Error: the collector answered 500']);
  collector.status = 200;
  exporter.add(record('kept'));
  await log.until(() => counted('exported') === 1);
});

test('a collector that is not there costs the spans, and nobody waits for it', async () => {
  await exporter.close();
  const nowhere = await Collector.start();
  const endpoint = nowhere.url;
  await nowhere[Symbol.asyncDispose]();
  exporter = make({ endpoint });
  exporter.add(record('lost'));
  await log.until(() => counted('dropped') === 1);
  expect(warnings).toHaveLength(1);
});
