import { Agent } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { routes } from '../../src/apps/rest-routes.ts';
import { errors } from '../../src/errors.ts';
import { type RestServer, startRest } from './rest-server.ts';

let rest: RestServer;
beforeAll(async () => {
  rest = await startRest({ messageBytes: 4096 });
});
afterAll(() => rest.close());

/** Characters that may stand in a request line: what else a client could send is refused before any route. */
const lineText = fc.string({ unit: fc.constantFrom(...'/%:?&=+.,;@{}[]~aZ09"\'\\|'), maxLength: 30 });
const badSegment = fc.constantFrom('%', '%zz', '%ff', '%C3%28', '%00', '..', '', '{hub}', '%2F', 'a'.repeat(3000));
const template = fc.constantFrom(...routes.flatMap(({ paths }) => paths));
const prefix = fc.constantFrom('/api/', '/api/v1/', '/API/', '/api//', '/api/v2/', '/api/v1-preview/');

/** A path of the table with some of its names, literals or slashes spoilt. */
const path = fc.oneof(
  fc.tuple(prefix, lineText).map(([start, text]) => start + text.replaceAll('?', '')),
  fc.tuple(prefix, template, badSegment).map(([start, form, bad]) => start + form.replaceAll(/\{\w+\}/g, bad)),
  fc.tuple(prefix, template).map(([start, form]) => start + form.replaceAll(/\{(\w+)\}/g, '$1')),
);
const query = fc.oneof(
  fc.constantFrom('', 'filter=x', 'ttl=x', 'api-version=9', 'application=1', 'excluded=%', 'ttl=1&ttl=1'),
  fc
    .tuple(
      fc.constantFrom('top', 'maxpagesize', 'continuationToken', 'minutesToExpire', 'completed', 'userId', 'reason'),
      fc.constantFrom('', '0', '1', '-1', '1.5', '1e9', '99999999999', 'true', 'YQ', '%00', '%ff', 'x'.repeat(2000)),
    )
    .map(([name, value]) => `${name}=${value}`),
  lineText,
);
const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS');
const type = fc.constantFrom(
  'application/json',
  'application/octet-stream',
  'application/x-ndjson',
  'text/plain',
  'application/json;charset=x',
  '',
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.json().map((text) => Buffer.from(text)),
  fc.string().map((text) => Buffer.from(`{"target":${text}`)),
  fc.constant(Buffer.alloc(5000, 0x20)),
);
const chunk = fc.option(fc.integer({ min: 1, max: 64 }), { nil: undefined });
const authorization = fc.constantFrom('Bearer good-token', 'Bearer good-token', 'Bearer x', '', 'Basic a:b');

/** Where only type and body may be wrong, so that some requests get as far as these. */
const plainSend = fc.record({
  method: fc.constant('POST'),
  path: fc.constantFrom(
    '/api/hubs/chat/:send',
    '/api/hubs/chat/connections/c/:invoke',
    '/api/hubs/chat/connections/c/streams/s/:send',
    '/api/signalbox/hubs/chat/:sendMany',
  ),
  query: fc.constant(''),
  authorization: fc.constant('Bearer good-token'),
});

const documented = new Set<string>(Object.values(errors).map(({ rest: code }) => code));

const anything = fc.record({ method, path, query, type, body, chunk, authorization });
const goodButForItsBody = fc.tuple(anything, plainSend).map(([given, plain]) => ({ ...given, ...plain }));
const request = fc.oneof({ arbitrary: anything, weight: 3 }, { arbitrary: goodButForItsBody, weight: 1 });
type Given = typeof request extends fc.Arbitrary<infer T> ? T : never;

const atATime = 20;
const agent = new Agent({ keepAlive: true, maxSockets: atATime });
const seen = new Map<number, number>();

async function check(given: Given): Promise<void> {
  const headers = { authorization: given.authorization, ...(given.type && { 'content-type': given.type }) };
  const sent = given.chunk === undefined ? {} : { chunk: given.chunk };
  const target = given.query === '' ? given.path : `${given.path}?${given.query}`;
  const answer = await rest.call(given.method, target, { headers, body: given.body, agent, ...sent });
  seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
  expect(answer.headers['x-signalbox']).toBe('1.2.3');
  if (answer.headers['content-type'] === 'application/x-ndjson') checkLines(answer.body);
  if (answer.status < 300) return;
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  const code = answer.headers['x-ms-error-code'];
  expect(documented).toContain(code);
  if (given.method === 'HEAD') expect(answer.body).toBe('');
  else expect(JSON.parse(answer.body)).toEqual({ code, message: expect.any(String) });
}

/** Each line of a batch is taken, or refused with a documented 4xx. */
function checkLines(text: string): void {
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const { status, code } = JSON.parse(line) as { status: number; code?: string };
    expect([202, 400, 413]).toContain(status);
    if (status !== 202) expect(documented).toContain(code);
  }
}

test('10,000 malformed requests end in a documented 4xx, or in success where nothing was wrong after all', async () => {
  const some = fc.array(request, { minLength: atATime, maxLength: atATime });
  await fc.assert(
    fc.asyncProperty(some, async (given) => {
      await Promise.all(given.map(check));
    }),
    { numRuns: 10_000 / atATime },
  );
  agent.destroy();
  expect([rest.logged, rest.defects]).toEqual([[], []]);
  for (const status of [200, 202, 400, 401, 404, 405, 413, 415])
    expect(seen.get(status), `some were ${status}`).toBeGreaterThan(0);
}, 300_000);
