import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CollectedSpan, Collector } from '../support/collector.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Service, startService } from '../support/service.ts';
import { signToken } from '../support/tokens.ts';
import { until } from '../support/until.ts';
import { WebhookServer } from '../upstream/webhook-server.ts';

let collector: Collector;
let upstream: WebhookServer;
let service: Service;

beforeAll(async () => {
  collector = await Collector.start();
  upstream = await WebhookServer.start();
  service = await startService({
    env: {
      SIGNALBOX_MODES: '*=serverless',
      SIGNALBOX_UPSTREAM: upstream.url,
      SIGNALBOX_LOG_LEVEL: 'debug',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_SERVICE_NAME: 'chat of the tests',
      OTEL_BSP_SCHEDULE_DELAY: '1',
      OTEL_TRACES_SAMPLER_ARG: '0',
    },
  });
});

afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
  await collector?.[Symbol.asyncDispose]();
});

/** A REST request of a caller that has begun a trace. */
async function rest(method: string, at: number, path: string, headers: Record<string, string>, body?: string) {
  const { origin } = service.node(at);
  const authorization = `Bearer ${await signToken(`${origin}${path}`)}`;
  const all = { authorization, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers };
  const answer = await fetch(`${origin}${path}`, { method, headers: all, ...(body !== undefined && { body }) });
  return answer.status;
}

const traceId = (n: number): string => `0af7651916cd43dd8448eb211c80${String(n).padStart(4, '0')}`;
const caller = 'b7ad6b7169203331';
const traceparent = (n: number, flags = '01'): string => `00-${traceId(n)}-${caller}-${flags}`;
const hello = JSON.stringify({ target: 'news', arguments: ['hello'] });

/** The span of this name in this trace, when it came. */
async function spanOf(trace: string, name: string): Promise<CollectedSpan> {
  const matches = (span: CollectedSpan): boolean => span.traceId === trace && span.name === name;
  await collector.spans.one(`${name} of ${trace}`, matches);
  return collector.spans.items.find(matches)!;
}

/** Lines of this trace in the log of a node. */
const linesOf = (node: GatewayProcess, trace: string): Record<string, unknown>[] =>
  node.lines.filter((line) => line['trace'] === trace);

describe('a REST request with a traceparent', () => {
  test('is followed from its node to the write on the node of the client, in spans and in both logs', async () => {
    const client = await RawClient.connect(service.node(1).port, { hub: 'chat', user: 'alice' });
    const headers = { traceparent: traceparent(1), 'x-ms-client-request-id': 'request 7' };
    expect(await rest('POST', 0, '/api/v1/hubs/chat/users/alice', headers, hello)).toBe(202);
    const [asked, written] = [await spanOf(traceId(1), 'rest send_to_user'), await spanOf(traceId(1), 'deliver')];
    const [a, b] = [service.node(0), service.node(1)];
    expect(asked).toMatchObject({ parentSpanId: caller, kind: 2 });
    expect(asked.facts).toEqual({ 'signalbox.status': '202', 'signalbox.request': 'request 7' });
    expect(asked.resource).toMatchObject({ 'service.name': 'chat of the tests', 'service.instance.id': a.node });
    expect(written).toMatchObject({ parentSpanId: asked.spanId, kind: 5 });
    expect(written.resource).toMatchObject({ 'service.instance.id': b.node });
    expect(written.facts).toMatchObject({
      'signalbox.hub': 'chat',
      'signalbox.to': 'user',
      'signalbox.receivers': '1',
    });
    await until('both logs have it', () => linesOf(a, traceId(1)).length > 0 && linesOf(b, traceId(1)).length > 0);
    expect(linesOf(a, traceId(1))).toMatchObject([
      { level: 'debug', msg: 'traced', name: 'rest send_to_user', status: 202 },
    ]);
    const id = String(linesOf(b, traceId(1))[0]?.['connections']);
    expect(id).toMatch(/^[\w-]{34}$/);
    expect(linesOf(b, traceId(1))).toMatchObject([
      { name: 'deliver', parent: asked.spanId, hub: 'chat', receivers: 1 },
    ]);
    client.socket.terminate();
  });

  test('that closes a client elsewhere is followed to the webhook about its end', async () => {
    const client = await service.client('chat', { at: 1, userId: 'bob' });
    const path = `/api/v1/hubs/chat/connections/${client.id}`;
    expect(await rest('DELETE', 0, path, { traceparent: traceparent(2) })).toBe(202);
    const asked = await spanOf(traceId(2), 'rest close_connection');
    const closed = await spanOf(traceId(2), 'close');
    const posted = await spanOf(traceId(2), 'webhook disconnected');
    expect([closed.parentSpanId, posted.parentSpanId]).toEqual([asked.spanId, closed.spanId]);
    expect(posted.resource).toMatchObject({ 'service.instance.id': service.node(1).node });
    const post = upstream.posts.items.find(({ headers }) => headers['traceparent']?.includes(traceId(2)));
    expect(post?.headers).toMatchObject({
      'x-asrs-event': 'disconnected',
      traceparent: `00-${traceId(2)}-${posted.spanId}-01`,
    });
  });

  test('that is not to be recorded is followed in the logs, and not exported', async () => {
    expect(await rest('POST', 0, '/api/v1/hubs/chat', { traceparent: traceparent(3, '00') }, hello)).toBe(202);
    await until('the log has it', () =>
      linesOf(service.node(0), traceId(3)).some(({ name }) => name === 'rest broadcast'),
    );
    await rest('POST', 0, '/api/v1/hubs/chat', { traceparent: traceparent(4) }, hello);
    await spanOf(traceId(4), 'rest broadcast');
    expect(collector.spans.items.filter((span) => span.traceId === traceId(3))).toEqual([]);
  });
});

test('a REST request with a message tracing id is followed to the other node by it', async () => {
  const client = await service.client('chat', { at: 1, userId: 'carol' });
  const headers = { 'x-asrs-message-tracing-id': '888' };
  expect(await rest('POST', 0, '/api/v1/hubs/chat/users/carol', headers, hello)).toBe(202);
  await client.heard('hello');
  const trace = '00000000000000000000000000000378';
  await until('the write is in the log', () => linesOf(service.node(1), trace).some(({ name }) => name === 'deliver'));
});

test('the traceparent of an invocation goes on with its webhook', async () => {
  const client = await RawClient.connect(service.node(1).port, { hub: 'chat', user: 'dave' });
  client.say({ type: 1, target: 'ask', arguments: [], headers: { traceparent: traceparent(5) } });
  const posted = await spanOf(traceId(5), 'webhook message');
  expect(posted).toMatchObject({ parentSpanId: caller, kind: 3, facts: { 'signalbox.status': '204' } });
  client.socket.terminate();
});

test('what comes without a trace begins none with a share of 0: its webhooks have no traceparent', async () => {
  const before = upstream.posts.items.length;
  const client = await service.client('chat', { at: 0, userId: 'erin' });
  await client.stop();
  const ofErin = () => upstream.posts.items.slice(before).filter(({ headers }) => headers['x-asrs-user-id'] === 'erin');
  await until('both ends were posted', () => ofErin().length === 2);
  for (const { headers } of ofErin()) expect(headers['traceparent']).toBeUndefined();
});
