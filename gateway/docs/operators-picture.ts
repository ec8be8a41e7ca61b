/** Makes the picture in README.md from a real cluster: `npm run build`, then `npx tsx gateway/docs/operators-picture.ts`. */
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { AppProcess } from '../test/support/app-process.ts';
import { Balancer } from '../test/support/balancer.ts';
import { GatewayProcess } from '../test/support/gateway-process.ts';
import { adminToken } from '../test/support/operator.ts';
import { startRedis } from '../test/support/redis.ts';
import { connectionString, Service } from '../test/support/service.ts';
import { accessKey } from '../test/support/tokens.ts';

const file = fileURLToPath(new URL('operators-page.png', import.meta.url));
/** Long enough for the charts to have a shape. */
const watchedMs = 60_000;

const redis = await startRedis();
const env = { SIGNALBOX_ACCESS_KEY: accessKey, REDIS_URL: redis.url(), SIGNALBOX_ADMIN_TOKEN: adminToken };
const labels = ['gateway-a', 'gateway-b', 'gateway-c'];
const nodes = await Promise.all(labels.map((label) => GatewayProcess.start({ ...env, SIGNALBOX_LABEL: label })));
const balancer = await Balancer.start(nodes.map(({ port }) => port));
const service = new Service(redis, nodes, balancer, true);
const app = await AppProcess.start({
  connectionString: connectionString(balancer.origin),
  hub: 'orders',
  app: 'shop',
  links: 3,
});
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
await page.goto(`http://127.0.0.1:${nodes[0]?.adminPort}/#token=${adminToken}`);

const hubs = ['chat', 'chat', 'chat', 'prices'] as const;
let ended = false;
const traffic = Promise.all([come(), send()]);
await page.waitForTimeout(watchedMs);
await page.screenshot({ path: file });
ended = true;
await traffic;
await browser.close();
await app.kill();
await service[Symbol.asyncDispose]();

/** Clients come one by one, by all transports and protocols. */
async function come(): Promise<void> {
  for (let n = 0; n < 60 && !ended; n++) {
    const protocol = n % 5 === 0 ? 'messagepack' : 'json';
    await service.client(hubs[n % hubs.length] ?? 'chat', { userId: `user-${n % 23}`, protocol });
    await page.waitForTimeout(watchedMs / 80);
  }
}

/** An app sends, more at some times than at others. */
async function send(): Promise<void> {
  const [chat, prices] = [service.app('chat'), service.app('prices')];
  for (let n = 0; !ended; n++) {
    const many = 2 + Math.round(2 * Math.sin(n / 40));
    for (let k = 0; k < many; k++) await chat.send({ all: true }, 'news', n);
    await prices.send({ user: `user-${n % 23}` }, 'news', n);
    await page.waitForTimeout(100);
  }
}
