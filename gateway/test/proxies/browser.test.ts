import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpTransportType } from '@microsoft/signalr';
import { AppServer, defineHub } from '@signalbox/app-sdk';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from '../support/launch-browser.ts';
import { proxies, proxyNames } from '../support/proxies.ts';
import type { ProxyProcess } from '../support/proxy-process.ts';
import { freePort } from '../support/redis.ts';
import { everyNodeServes } from '../support/served.ts';
import { connectionString, type Service, startService } from '../support/service.ts';
import { until } from '../support/until.ts';
import { fallbacks, transportsOf } from './carried.ts';
import { callEach, connect, heard, html } from './page.ts';

interface Talk {
  server: { say(n: number): void };
  client: { news(n: number): void };
}

const talk = defineHub<Talk>({ name: 'talk', methods: { say: (hub, n) => hub.clients.caller.news(n) } });
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

const { WebSockets, ServerSentEvents, LongPolling } = HttpTransportType;
const ways: readonly Way[] = [
  ['WebSockets', WebSockets, 'json'],
  ['WebSockets', WebSockets, 'messagepack'],
  ['ServerSentEvents', ServerSentEvents, 'json'],
  ['LongPolling', LongPolling, 'json'],
  ['LongPolling', LongPolling, 'messagepack'],
];
type Way = readonly [name: string, transport: HttpTransportType, protocol: 'json' | 'messagepack'];

/** Where the page is: another origin than the proxy's, and one that may not connect. */
let [other, foreign]: readonly Web[] = [];
let browser: Browser;

interface Web {
  readonly origin: string;
  readonly server: Server;
}

async function startWeb(): Promise<Web> {
  const server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(html));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

beforeAll(async () => {
  [other, foreign] = [await startWeb(), await startWeb()];
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  other?.server.close();
  foreign?.server.close();
});

describe.each(proxyNames)('in Chromium, behind %s, round-robin over three nodes,', (name) => {
  let service: Service;
  let proxy: ProxyProcess;
  let server: AppServer;

  beforeAll(async () => {
    const port = await freePort();
    const origins = [other?.origin, `http://127.0.0.1:${port}`].join(',');
    service = await startService({
      nodes: 3,
      env: { SIGNALBOX_CORS_ORIGINS: origins, SIGNALBOX_MODES: 'talk=default' },
    });
    proxy = await proxies[name](service.nodes, { port });
    server = new AppServer(connectionString(proxy.origin), { hubs: [talk], links: 3, logger: silent });
    await server.start();
    await until('all links are up', () => server.health().hubs['talk']?.links === 3);
    await everyNodeServes(service.nodes, () => server.hub(talk).negotiate());
  });

  afterAll(async () => {
    await server?.stop({ graceMs: 1000 });
    await proxy?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
  });

  /** A page of this origin. What is of the proxy's origin comes past it: it passes on no pages. */
  async function open(origin = ''): Promise<Page> {
    const page = await browser.newPage();
    await page.route(`${proxy.origin}/page`, (route) => route.fulfill({ contentType: 'text/html', body: html }));
    await page.goto(`${origin}/page`);
    return page;
  }

  async function talks(page: Page, [, transport, protocol]: Way, numbers: readonly number[]): Promise<void> {
    await connect(page, { ...(await server.hub(talk).negotiate()), transport, protocol });
    await callEach(page, 'say', numbers);
    expect(await heard(page, numbers.length)).toEqual(numbers);
    await page.evaluate('hub.stop()');
  }

  test.each(ways)(
    'a page of another origin talks by %s, %i, in %s: nothing is lost, doubled or out of order',
    async (...way) => {
      const page = await open(other?.origin);
      await talks(
        page,
        way,
        Array.from({ length: 50 }, (_, n) => n),
      );
      await page.close();
    },
  );

  test('a page of its own origin talks by all of them, one after the other', async () => {
    const page = await open(proxy.origin);
    for (const way of ways) await talks(page, way, [1, 2, 3]);
    await page.close();
  });

  test('a page of an origin that is not allowed cannot connect, by none of them', async () => {
    const page = await open(foreign?.origin);
    for (const [, transport, protocol] of ways) {
      const where = await server.hub(talk).negotiate();
      await expect(connect(page, { ...where, transport, protocol })).rejects.toThrow('Failed to complete negotiation');
    }
    await page.close();
  });

  test.each(fallbacks)('that refuses %s, the client of a page comes up by itself', async (what, refuses, used) => {
    await using refusing = await proxies[name](service.nodes, { refuses });
    const hub = `fallback_${name}_${what.replaceAll(' ', '_')}`.toLowerCase();
    const app = service.app(hub);
    const where = await app.negotiate();
    const page = await open(other?.origin);
    await connect(page, { ...where, url: refusing.origin + where.url.slice(new URL(where.url).origin.length) });
    expect(await transportsOf(service, hub)).toEqual([used]);
    await app.send({ all: true }, 'news', 7);
    expect(await heard(page, 1)).toEqual([7]);
    await page.close();
  });
});
