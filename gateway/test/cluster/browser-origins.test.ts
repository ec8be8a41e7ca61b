import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';
import { launchBrowser } from '../support/launch-browser.ts';
import { accessKey, clientToken } from '../support/tokens.ts';

const signalr = readFileSync(createRequire(import.meta.url).resolve('@microsoft/signalr/dist/browser/signalr.min.js'));
const html = `<!doctype html><script>${signalr}</script><script>
  /** 'connected', or why not. */
  async function connect(url, token, transport, skipNegotiation) {
    const options = { accessTokenFactory: () => token, transport, skipNegotiation };
    const hub = new signalR.HubConnectionBuilder().withUrl(url, options).configureLogging('none').build();
    try {
      await hub.start();
      await hub.stop();
      return 'connected';
    } catch (error) {
      return error.message;
    }
  }
  async function status(url) {
    try {
      return (await fetch(url, { method: 'POST', credentials: 'include' })).status;
    } catch {
      return 'hidden';
    }
  }
</script>`;

/** Two web servers: the origin of the first is allowed, that of the second is not. */
const webs: Server[] = [];
let gateway: GatewayProcess;
let browser: Browser;
let allowed: Page;
let foreign: Page;
let token: string;

const originOf = (web: Server): string => `http://127.0.0.1:${(web.address() as AddressInfo).port}`;

beforeAll(async () => {
  for (let i = 0; i < 2; i++) {
    const web = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(html));
    await new Promise<void>((listening) => web.listen(0, '127.0.0.1', listening));
    webs.push(web);
  }
  const [first, second] = webs.map(originOf);
  gateway = await GatewayProcess.start({
    SIGNALBOX_ACCESS_KEY: accessKey,
    SIGNALBOX_CORS_ORIGINS: `https://page.example,${first}`,
    SIGNALBOX_POLL_MS: '2000',
  });
  token = await clientToken('pages', 'ann');
  browser = await launchBrowser();
  [allowed, foreign] = await Promise.all([browser.newPage(), browser.newPage()]);
  await Promise.all([allowed.goto(`${first}/`), foreign.goto(`${second}/`)]);
}, 120_000);

afterAll(async () => {
  await browser.close();
  for (const web of webs) web.close();
  await gateway.kill();
});

/** Has a page connect. `transport`: 1 WebSockets, 2 server-sent events, 4 long polling, as the client numbers them. */
function connect(page: Page, transport: number, skipNegotiation = false): Promise<unknown> {
  const given = [`${gateway.origin}/client/?hub=pages`, token, transport, skipNegotiation];
  return page.evaluate(`connect(${given.map((one) => JSON.stringify(one)).join(', ')})`);
}

describe.each([
  ['WebSockets', 1],
  ['server-sent events', 2],
  ['long polling', 4],
] as const)('a page in Chromium, by %s', (_name, transport) => {
  test('connects from an origin that is listed, with credentials', async () => {
    expect(await connect(allowed, transport)).toBe('connected');
  });

  test('does not connect from another one, though its token is good', async () => {
    expect(await connect(foreign, transport)).toContain('Failed to fetch');
  });
});

test('a WebSocket without negotiation, which no CORS stops, is refused to a page of another origin', async () => {
  expect(await connect(allowed, 1, true)).toBe('connected');
  expect(await connect(foreign, 1, true)).toContain('WebSocket failed to connect');
});

test('a page of a listed origin can tell one refusal from another; one of another origin cannot', async () => {
  const status = (page: Page, path: string): Promise<unknown> =>
    page.evaluate(`status(${JSON.stringify(gateway.origin + path)})`);
  expect(await status(allowed, '/client/negotiate?hub=pages')).toBe(401);
  expect(await status(allowed, '/client/negotiate')).toBe(400);
  expect(await status(allowed, `/client/?hub=pages&id=unknown&access_token=${token}`)).toBe(401);
  expect(await status(foreign, '/client/negotiate?hub=pages')).toBe('hidden');
});
