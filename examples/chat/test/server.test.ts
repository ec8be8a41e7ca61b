import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../../support/start-gateway.ts';
import { type RunningProcess, startProcess } from '../../support/start-process.ts';
import { startChatApp } from '../src/server.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

let gateway: RunningGateway;
let app: RunningProcess;
let url: string;

beforeAll(async () => {
  gateway = await startGateway(randomBytes(32).toString('base64url'));
  const env = { PORT: '0', SIGNALBOX_CONNECTION_STRING: gateway.connectionString };
  app = await startProcess(process.execPath, ['--import', 'tsx', main], { ready: /Open (http:\S+)\//, env });
  url = app.said[1] ?? '';
});

afterAll(async () => {
  await app?.stop();
  await gateway?.stop();
});

const negotiate = (query: string): Promise<Response> => fetch(`${url}/chat/negotiate${query}`, { method: 'POST' });

test.each([
  ['', 401],
  ['?user=%20', 401],
  [`?user=${'x'.repeat(41)}`, 401],
  ['?user=alice', 200],
])('negotiate lets in who gives a name of 1 to 40 characters: "%s" is answered %i', async (query, status) => {
  expect((await negotiate(query)).status).toBe(status);
});

test('the page and the official client are served, and nothing else', async () => {
  const paths = ['/', '/chat.css', '/chat.js', '/page.js', '/signalr.js', '/rules.ts'];
  const answers = paths.map(async (path) => {
    const response = await fetch(url + path);
    return [response.status, response.headers.get('content-type')?.split(';')[0]];
  });
  expect(await Promise.all(answers)).toEqual([
    [200, 'text/html'],
    [200, 'text/css'],
    [200, 'text/javascript'],
    [200, 'text/javascript'],
    [200, 'text/javascript'],
    [404, 'text/plain'],
  ]);
});

test('an app server with another key is refused, and leaves nothing behind', async () => {
  const other = gateway.connectionString.replace(/AccessKey=[^;]+/, `AccessKey=${'x'.repeat(43)}`);
  await expect(startChatApp(other, 0)).rejects.toMatchObject({ code: 'ERR_LINK_REFUSED' });
});

test('an app server is ready while it has links, and ends by itself on SIGTERM', async () => {
  const ready = await fetch(`${url}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([200, 'ready\n']);
  expect(await app.stop('SIGTERM')).toBe(0);
});
