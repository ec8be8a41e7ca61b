import { randomBytes } from 'node:crypto';
import { type HubConnection, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../../support/start-gateway.ts';
import { type RunningApp, startApp } from './start-app.ts';

let gateway: RunningGateway;
let app: RunningApp;

beforeAll(async () => {
  gateway = await startGateway(randomBytes(32).toString('base64url'));
  app = await startApp(gateway.connectionString);
});

afterAll(async () => {
  await app.close();
  await gateway.stop();
});

/** A connected client of this user, and what was sent to it. */
async function connect(user: string): Promise<{ connection: HubConnection; texts: string[] }> {
  const connection = new HubConnectionBuilder()
    .withUrl(`${app.url}/?user=${user}`)
    .configureLogging(LogLevel.None)
    .build();
  const texts: string[] = [];
  connection.on('notified', (from: string, text: string) => texts.push(`${from}: ${text}`));
  await connection.start();
  return { connection, texts };
}

function send(user: string, form: Record<string, string>): Promise<Response> {
  return fetch(`${app.url}/send?user=${user}`, { method: 'POST', body: new URLSearchParams(form) });
}

test('a notification reaches each connection of its user, and nobody else', async () => {
  const [phone, desk, carol] = await Promise.all(['bob', 'bob', 'carol'].map(connect));
  expect((await send('alice', { to: 'bob', text: 'lunch?' })).status).toBe(202);
  expect((await send('alice', { to: 'carol', text: 'hello' })).status).toBe(202);
  await expect
    .poll(() => [phone, desk, carol].map((client) => client?.texts))
    .toEqual([
      ['alice: lunch?'],
      ['alice: lunch?'],
      ['alice: hello'], // sent after what was for bob, so that would have come before
    ]);
  await Promise.all([phone, desk, carol].map((client) => client?.connection.stop()));
});

test('whoever gives no name may neither connect nor send', async () => {
  expect((await fetch(`${app.url}/negotiate`, { method: 'POST' })).status).toBe(401);
  expect((await send('', { to: 'bob', text: 'x' })).status).toBe(401);
});

test.each([
  [400, { to: '', text: 'x' }, '"to" must be 1 to 40 characters, got 0'],
  [400, { to: 'x'.repeat(41), text: 'x' }, '"to" must be 1 to 40 characters, got 41'],
  [400, { to: 'bob', text: '' }, '"text" must be 1 to 1000 characters, got 0'],
  [413, { to: 'bob', text: 'x'.repeat(17_000) }, 'The form must be at most 16384 bytes'],
])('a form out of bounds is refused with %i and the rule', async (status, form, rule) => {
  const response = await send('alice', form);
  expect([response.status, await response.text()]).toEqual([status, rule]);
});

test('the page and the official client are served, and nothing else', async () => {
  const types = ['/', '/signalr.js', '/src/app.ts'].map(async (path) => {
    const response = await fetch(app.url + path);
    return [response.status, response.headers.get('content-type'), (await response.text()).length > 10_000];
  });
  expect(await Promise.all(types)).toEqual([
    [200, 'text/html; charset=utf-8', false],
    [200, 'text/javascript', true],
    [404, 'text/plain', false],
  ]);
});

test('a send that no gateway takes is told to the sender', async () => {
  const orphan = await startApp('Endpoint=http://127.0.0.1:1;AccessKey=none;Version=1.0;');
  const body = new URLSearchParams({ to: 'bob', text: 'x' });
  const response = await fetch(`${orphan.url}/send?user=alice`, { method: 'POST', body });
  expect([response.status, await response.text()]).toEqual([502, 'Not sent: ERR_UNAVAILABLE']);
  await orphan.close();
});
