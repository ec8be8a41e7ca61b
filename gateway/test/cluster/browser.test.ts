import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Service, startService } from '../support/service.ts';

const signalr = readFileSync(createRequire(import.meta.url).resolve('@microsoft/signalr/dist/browser/signalr.min.js'));
const html = `<!doctype html><script>${signalr}</script><script>
  async function connect(url, token, transport) {
    window.heard = [];
    const options = { accessTokenFactory: () => token, transport };
    window.hub = new signalR.HubConnectionBuilder().withUrl(url, options).build();
    hub.on('news', (n) => heard.push(n));
    await hub.start();
  }
</script>`;

const program = '/usr/bin/chromium';
let service: Service;
let web: Server;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  if (!existsSync(program)) throw new Error('this test needs a Chromium: `apt-get install chromium`');
  service = await startService({ nodes: 3 });
  web = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(html));
  await new Promise<void>((listening) => web.listen(0, '127.0.0.1', listening));
  browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(web.address() as AddressInfo).port}/`);
});

afterAll(async () => {
  await browser.close();
  web.close();
  await service[Symbol.asyncDispose]();
});

const numbers = Array.from({ length: 100 }, (_, n) => n);

test.each([
  ['server-sent events', 2],
  ['long polling', 4],
])('a page of another origin talks by %s, every request at another of three nodes', async (_name, transport) => {
  const app = service.app('pages');
  const { url, accessToken } = await app.negotiate();
  await page.evaluate(`connect(${JSON.stringify(url)}, ${JSON.stringify(accessToken)}, ${transport})`);
  for (const n of numbers) await app.send({ all: true }, 'news', n);
  await page.waitForFunction(`heard.length >= ${numbers.length}`);
  expect(await page.evaluate('heard')).toEqual(numbers);
  expect(await page.evaluate(`hub.invoke('hello').catch((error) => error.message)`)).toContain("'hello'");
  await page.evaluate('hub.stop()');
});
