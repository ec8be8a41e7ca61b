import { expect, test } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };

test.each([
  ['key=value,alone', 'OTEL_EXPORTER_OTLP_HEADERS must be name=value, between commas'],
  ['key=%zz', 'OTEL_EXPORTER_OTLP_HEADERS must be percent-encoded, the value of key is not'],
])('the headers %j end the start with one line, without the values', async (headers, line) => {
  const { code, stderr } = await GatewayProcess.run({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers });
  expect([code, stderr]).toEqual([2, `signalbox-gateway: ${line}\n`]);
});

test('a collector that is not there keeps no node from stopping', async () => {
  const gateway = await GatewayProcess.start(endpoint);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  expect((await fetch(`${gateway.origin}/api/v1/health`, { headers: { traceparent } })).ok).toBe(true);
  gateway.signal('SIGTERM');
  const { code, stdout } = await gateway.ended;
  expect(code).toBe(0);
  expect(stdout).toContain('traces could not be exported');
});
