import { request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Admin, createAdmin } from '../../src/admin/admin.ts';
import { ConfigError } from '../../src/config.ts';
import { Health } from '../../src/observe/health.ts';
import { createLog } from '../../src/observe/log.ts';

const withoutPage = { hosts: ['Gateway.example'] };
let health: Health;
let scrape: () => Promise<string>;
let lines: string[];
let admin: Admin;
let port: number;
beforeEach(async () => {
  health = new Health();
  scrape = async () => 'a_metric 1\n';
  lines = [];
  const log = createLog({ level: 'info', node: 'n', label: 'l', to: { write: (line) => void lines.push(line) } });
  admin = createAdmin({
    health,
    prometheus: { scrape: () => scrape(), contentType: 'text/plain; version=0.0.4' },
    log,
    ...withoutPage,
  });
  port = await admin.listen('127.0.0.1', 0);
});
afterEach(() => admin.close());

interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function call(method: string, path: string, host = '127.0.0.1'): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers: { host }, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.on('error', reject).end();
  });
}

test('/metrics is a scrape in its own content type', async () => {
  const { status, headers, body } = await call('GET', '/metrics?x=1');
  expect([status, headers['content-type'], body]).toEqual([200, 'text/plain; version=0.0.4', 'a_metric 1\n']);
  expect(headers['access-control-allow-origin']).toBeUndefined();
});

test('/livez and /readyz say 200 or 503 and name the parts', async () => {
  health.register({ name: 'backplane', state: () => ({ up: false, since: Date.now(), why: 'no probe came back' }) });
  const [live, ready] = [await call('GET', '/livez'), await call('GET', '/readyz')];
  expect([live.status, ready.status]).toEqual([200, 503]);
  expect(JSON.parse(ready.body)).toMatchObject({
    ok: false,
    draining: false,
    parts: { backplane: { up: false, why: 'no probe came back' } },
  });
});

test('a node that drains is live and not ready', async () => {
  health.drain();
  expect([(await call('GET', '/livez')).status, (await call('GET', '/readyz')).status]).toEqual([200, 503]);
});

test('HEAD has the headers and no body', async () => {
  const { status, headers, body } = await call('HEAD', '/readyz');
  expect([status, headers['content-type'], body]).toEqual([200, 'application/json', '']);
});

test.each(['localhost', 'LOCALHOST:9090', 'gateway.example', '127.0.0.1', '10.1.2.3:9090', '[::1]:9090', '[fe80::1]'])(
  'the Host %s is answered',
  async (host) => expect((await call('GET', '/livez', host)).status).toBe(200),
);

test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:80', '[evil]', '.'])(
  'the Host %j is 403, on every path',
  async (host) => {
    for (const path of ['/livez', '/metrics', '/nothing']) {
      const { status, body } = await call('GET', path, host);
      expect([status, JSON.parse(body).code]).toEqual([403, 'Error.Request.Forbidden']);
    }
  },
);

test('other paths are 404 and other methods 405', async () => {
  for (const path of ['/nothing', '/metrics/', '/toString', '/__proto__'])
    expect((await call('GET', path)).status).toBe(404);
  for (const method of ['POST', 'DELETE', 'OPTIONS']) expect((await call(method, '/livez')).status).toBe(405);
});

test("without a token there is no operators' page, and the answer names the setting", async () => {
  for (const path of ['/', '/page/app.js', '/operators/picture']) {
    const { status, body } = await call('GET', path);
    expect([status, JSON.parse(body).error]).toEqual([403, 'admin_off']);
    expect(body).toContain('SIGNALBOX_ADMIN_TOKEN');
  }
});

test('a scrape that fails is 500 without a word about it, and logged', async () => {
  scrape = () => Promise.reject(new Error('inner words'));
  const { status, body } = await call('GET', '/metrics');
  expect([status, body.includes('inner words')]).toEqual([500, false]);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ path: '/metrics', error: { message: 'inner words' } });
});

test('a port that is taken is a ConfigError that names it', async () => {
  const second = createAdmin({
    health,
    prometheus: { scrape, contentType: '' },
    log: createLog({ level: 'silent', node: '', label: '' }),
    ...withoutPage,
  });
  await expect(second.listen('127.0.0.1', port)).rejects.toEqual(
    new ConfigError(`the admin port cannot listen on 127.0.0.1, port ${port}: EADDRINUSE`),
  );
});
