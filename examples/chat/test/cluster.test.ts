import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../../../gateway/test/support/launch-browser.ts';
import { startRedis } from '../../support/start-redis.ts';
import { type Stop, stopAll } from '../../support/stops.ts';
import { type Cluster, startCluster } from '../src/cluster.ts';

/** How long one step of a page may take, so that the one that hangs is named. */
const stepMs = 30_000;
const phone = { width: 390, height: 844 };
const desk = { width: 1200, height: 800 };

const stops: Stop[] = [];
const pages: Page[] = [];
let node: number | undefined; // where the next client goes
let cluster: Cluster;
let browser: Browser;

beforeAll(async () => {
  const redis = await startRedis();
  stops.push(() => redis.stop());
  const pickNode = (nodes: number): number => node ?? Math.floor(Math.random() * nodes);
  cluster = await startCluster({ redisUrl: redis.url, port: 0, stops, pickNode });
  browser = await launchBrowser();
  stops.push(() => browser.close());
});

afterEach(() => Promise.all(pages.splice(0).map((page) => page.close())));
afterAll(() => stopAll(stops));

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const connected = (page: Page, user: string) => page.getByText(`connected as ${user}`, { exact: true }).waitFor();

/** A page whose user came in through the form, connected to this node. Each test has users of its own: that they left may be told late. */
async function comeIn(user: string, nodeIndex: number, viewport = phone): Promise<Page> {
  node = nodeIndex;
  const page = await browser.newPage({ viewport });
  pages.push(page);
  page.setDefaultTimeout(stepMs);
  await page.goto(cluster.url);
  await page.getByLabel('Your name').fill(user);
  await button(page, 'Come in').click();
  await connected(page, user);
  node = undefined;
  return page;
}

async function open(page: Page, place: string): Promise<void> {
  await page.getByLabel('Room or person').fill(place);
  await button(page, 'Open').click();
  await page.getByPlaceholder(`Message to ${place}`).waitFor();
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await button(page, 'Send').click();
}

/** The line with exactly this in it; it is waited for. */
const line = (page: Page, text: string) => page.getByRole('listitem').filter({ hasText: text }).waitFor();
const lines = (page: Page): Promise<string[]> => page.getByRole('listitem').allTextContents();

/** The app server that runs the hub of this page's connection. */
async function appOf(page: Page): Promise<number> {
  await button(page, 'Who am I?').click();
  const said = page.getByText(/at app server process \d+$/).last();
  return Number(/\d+$/.exec((await said.textContent()) ?? '')?.[0]);
}

/** Every text that this element gets from now on, however short it is to be seen. */
const textsOf = (element: Locator) =>
  element.evaluateHandle((node) => {
    const texts: (string | null)[] = [];
    const add = ({ addedNodes }: MutationRecord) => addedNodes.forEach((added) => void texts.push(added.textContent));
    new MutationObserver((changes) => changes.forEach(add)).observe(node, { childList: true });
    return texts;
  });

/** How many clients this gateway node holds. */
async function clientsOf(nodeIndex: number): Promise<number> {
  const metrics = await (await fetch(`${cluster.gateways[nodeIndex]?.process.adminEndpoint}/metrics`)).text();
  const counts = [...metrics.matchAll(/^signalbox_connections\{.*\} (\d+)$/gm)].map((match) => Number(match[1]));
  return counts.reduce((sum, count) => sum + count, 0);
}

test('two tabs on two nodes share messages, rooms, who is typing, and private messages', async () => {
  const alice = await comeIn('alice', 0);
  expect(await clientsOf(1)).toBe(0);
  const bob = await comeIn('bob', 1, desk);
  expect(await clientsOf(1)).toBeGreaterThan(0);
  await line(alice, 'bob came in');
  await say(alice, 'lunch <b>now</b>?');
  await line(bob, 'lunch <b>now</b>?');
  await say(bob, 'x'.repeat(500));
  await line(alice, 'x'.repeat(500));

  await open(alice, '#kitchen');
  await open(bob, '#kitchen');
  await line(alice, 'bob joined');
  const typing = await textsOf(alice.locator('#typing'));
  await bob.getByLabel('Message', { exact: true }).fill('wh');
  await expect.poll(() => typing.jsonValue()).toContain('bob is typing …');
  await say(bob, 'who cooks?');
  await line(alice, 'who cooks?');
  await say(alice, 'you do');
  await line(bob, 'you do');
  expect(await lines(bob)).toEqual(['bobwho cooks?', 'aliceyou do']);

  await open(alice, '@bob');
  await say(alice, 'psst');
  await button(bob, /^@alice/).click();
  await line(bob, 'psst');
  await say(bob, 'yes?');
  await line(alice, 'yes?');
  expect(await lines(alice)).toEqual(['alicepsst', 'bobyes?']);
});

test('who leaves a room hears it no more, and who leaves the chat is told to the others', async () => {
  const [anna, ben] = [await comeIn('anna', 0), await comeIn('ben', 1)];
  await open(anna, '#attic');
  await open(ben, '#attic');
  await button(ben, 'Leave room').click();
  await line(anna, 'ben left');
  await say(anna, 'alone');
  await line(anna, 'alone');
  await button(anna, 'Everybody').click();
  await say(anna, 'to all');
  await line(ben, 'to all');
  expect(await button(ben, '#attic').count()).toBe(0);
  await ben.close();
  await line(anna, 'ben left');
});

test('the counter is streamed to the end, and then counts again', async () => {
  const carol = await comeIn('carol', 0);
  const counted = await textsOf(carol.locator('#counted'));
  await button(carol, 'Count to 10').click();
  await expect.poll(() => counted.jsonValue()).toEqual(Array.from({ length: 10 }, (_, n) => String(n + 1)));
  await button(carol, 'Count to 10').click();
  await expect.poll(async () => (await counted.jsonValue())[10]).toBe('1');
});

test.each([
  ['phone', phone],
  ['desk', desk],
])('the page fits a %s, with long words too', async (name, viewport) => {
  const page = await comeIn('dora', 0, viewport);
  await comeIn('emil', 1);
  await line(page, 'emil came in');
  await say(page, 'x'.repeat(500));
  await line(page, 'x'.repeat(500));
  for (const place of ['#kitchen', '#garden', '@emil', '#attic']) await open(page, place);
  await button(page, 'Everybody').click();
  const size = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]);
  expect(size).toEqual([viewport.width, viewport.height]);
  const folder = process.env['SIGNALBOX_SCREENSHOTS'];
  if (folder) await page.screenshot({ path: `${folder}/chat-${name}.png` });
});

test('clients of an app server that is killed come back by themselves, and the chat goes on', async () => {
  const [amy, bill] = [await comeIn('amy', 0), await comeIn('bill', 1)];
  await open(amy, '#kitchen');
  await open(bill, '#kitchen');
  const [killed] = [await appOf(amy), await appOf(bill)];
  expect(cluster.apps.map((app) => app.process.pid)).toContain(killed);
  const states = await textsOf(amy.getByRole('status').first());
  process.kill(killed, 'SIGKILL');
  await expect.poll(() => states.jsonValue()).toContain('reconnecting …');
  await Promise.all([connected(amy, 'amy'), connected(bill, 'bill')]);
  // Bill may have been there too. Who is answered at another one is in its room again, for a page asks for that first.
  for (const page of [amy, bill]) await expect.poll(() => appOf(page)).not.toBe(killed);
  await say(bill, 'still here?');
  await line(amy, 'still here?');
  await say(amy, 'yes');
  await line(bill, 'yes');
});
