import { expect, test } from 'vitest';
import { createPrometheus } from '../../src/observe/prometheus.ts';
import { quietGauges } from '../support/quiet-gauges.ts';

test('webhooks are counted by event and status, and timed when they were posted', async () => {
  const prometheus = createPrometheus({ version: '1', node: 'n', label: 'l' }, quietGauges());
  const { events } = prometheus;
  events.webhook('connected', '204', 0.02);
  events.webhook('message', '200', 0.2);
  events.webhook('message', '200', 3);
  events.webhook('message', 'dropped', 0);
  const text = await prometheus.scrape();
  prometheus.close();
  for (const line of [
    'signalbox_webhooks_total{event="connected",status="204"} 1',
    'signalbox_webhooks_total{event="message",status="200"} 2',
    'signalbox_webhooks_total{event="message",status="dropped"} 1',
    'signalbox_webhook_duration_seconds_bucket{le="0.25",event="message"} 1',
    'signalbox_webhook_duration_seconds_count{event="message"} 2',
    'signalbox_webhook_duration_seconds_sum{event="connected"} 0.02',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
});
