import { randomBytes } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../../../gateway/test/support/launch-browser.ts';
import { type RunningGateway, startGateway } from '../../support/start-gateway.ts';
import { type RunningRedis, startRedis } from '../../support/start-redis.ts';
import { type RunningApp, startApp } from './start-app.ts';

/** How long one step of a page may take, so that the one that hangs is named. */
const stepMs = 30_000;
const phone = { width: 390, height: 844 };

let redis: RunningRedis;
let gateways: RunningGateway[];
let apps: RunningApp[];
let browser: Browser;

beforeAll(async () => {
  redis = await startRedis();
  const key = randomBytes(32).toString('base64url');
  gateways = await Promise.all([1, 2].map(() => startGateway(key, { REDIS_URL: redis.url })));
  apps = await Promise.all(gateways.map(({ connectionString }) => startApp(connectionString)));
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await Promise.all(apps?.map((app) => app.close()) ?? []);
  await Promise.all(gateways?.map((gateway) => gateway.stop()) ?? []);
  await redis?.stop();
});

/** A page on a phone, whose user came in through the form of the app that belongs to this gateway. */
async function comeIn(user: string, app: RunningApp | undefined): Promise<Page> {
  const page = await browser.newPage({ viewport: phone });
  page.setDefaultTimeout(stepMs);
  await page.goto(`${app?.url}/`);
  await page.getByLabel('Your name').fill(user);
  await page.getByRole('button', { name: 'Come in' }).click();
  await page.getByText(`connected as ${user}`, { exact: true }).waitFor();
  return page;
}

async function send(page: Page, to: string, text: string): Promise<void> {
  await page.getByLabel('To').fill(to);
  await page.getByLabel('Text').fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
  await expect.poll(() => page.getByLabel('Text').inputValue()).toBe('');
}

const received = (page: Page): Promise<string[]> => page.getByRole('listitem').allTextContents();

test('a text sent in one browser shows in that of its receiver on another node, and in no other', async () => {
  const [first, second] = apps;
  const [alice, bob, carol] = await Promise.all([
    comeIn('alice', first),
    comeIn('bob', second),
    comeIn('carol', second),
  ]);
  await send(alice, 'bob', 'lunch <b>now</b>?');
  await send(alice, 'carol', 'hello');
  await send(bob, 'alice', 'yes');
  await expect
    .poll(() => Promise.all([alice, bob, carol].map(received)))
    .toEqual([['bob: yes'], ['alice: lunch <b>now</b>?'], ['alice: hello']]);
  await Promise.all([alice, bob, carol].map((page) => page.close()));
});

test('the page fits a phone, with long words too', async () => {
  const page = await comeIn('dora', apps[0]);
  await send(page, 'dora', 'x'.repeat(500));
  await page.getByRole('listitem').waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(phone.width);
  if (process.env['SIGNALBOX_SCREENSHOT']) await page.screenshot({ path: process.env['SIGNALBOX_SCREENSHOT'] });
  await page.close();
});
