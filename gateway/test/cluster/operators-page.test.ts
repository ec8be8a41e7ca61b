import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adminToken } from '../support/operator.ts';
import { type Service, startService } from '../support/service.ts';

const program = '/usr/bin/chromium';
let service: Service;
let browser: Browser;
/** What the browser complained of on any page of an operator with the right token. */
const complaints: string[] = [];

beforeAll(async () => {
  if (!existsSync(program)) throw new Error('this test needs a Chromium: `apt-get install chromium`');
  service = await startService({ env: { SIGNALBOX_ADMIN_TOKEN: adminToken, SIGNALBOX_ADMIN_PAYLOAD_BYTES: '200' } });
  browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'], timeout: 100_000 });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await service?.[Symbol.asyncDispose]();
});

function originOf(at: number): string {
  return `http://127.0.0.1:${service.node(at).adminPort}`;
}

/** A page of node 0, signed in by the link that a node prints. */
async function signedIn(view = '', options: BrowserContextOptions = {}): Promise<Page> {
  const page = await browser.newPage(options);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(`${originOf(0)}/#token=${adminToken}`);
  await page.getByText('Live', { exact: true }).waitFor();
  if (view !== '') await page.goto(`${originOf(0)}/#/${view}`);
  return page;
}

/** The happenings on the page, without pings: their kind and their text. */
async function story(page: Page): Promise<readonly (readonly [string, string])[]> {
  const rows = await page
    .locator('.story li')
    .evaluateAll((items) =>
      items.map((item) => [item.querySelector('.badge')?.textContent ?? '', item.textContent ?? ''] as const),
    );
  return rows.filter(([, text]) => !text.includes('ping'));
}

describe('signing in', () => {
  test('a wrong token is refused with a word about it, the right one opens the page, by keyboard alone', async () => {
    const page = await browser.newPage();
    await page.goto(originOf(0));
    await page.keyboard.type('not the token, but as long as it should be');
    await page.keyboard.press('Enter');
    await page.getByText('The token was refused.').waitFor();
    expect(await page.locator('nav').isVisible()).toBe(false);
    await page.keyboard.type(adminToken);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Nodes' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Nodes' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await page.reload();
    await page.getByLabel('Token').waitFor();
    await page.close();
  });

  test('the token of the printed link is out of the address at once', async () => {
    const page = await signedIn();
    expect(page.url()).toBe(`${originOf(0)}/#/`);
    await page.close();
  });
});

test('the overview shows both nodes, their hubs, charts and Redis', async () => {
  const client = await service.client('shown', { at: 1, userId: 'alice' });
  const page = await signedIn();
  for (const { node } of service.nodes) await page.locator('td').getByText(node, { exact: true }).waitFor();
  const hub = page.getByRole('row').filter({ hasText: 'shown' });
  await hub.getByText('WebSockets 1').waitFor();
  expect(await page.locator('.tile').filter({ hasText: 'Nodes' }).textContent()).toContain('2');
  expect(await page.locator('.tile').filter({ hasText: 'Redis' }).textContent()).toContain('up');
  expect(await page.locator('.plot canvas').count()).toBe(3);
  await client.stop();
  await page.close();
});

test('a user of the other node is looked up, followed from there, and closed after a question', async () => {
  const client = await service.client('wanted', { at: 1, userId: 'alice' });
  await service.app('wanted').groups.addToGroup(client.id, 'readers');
  const page = await signedIn('lookup');
  await page.getByLabel('Hub').fill('wanted');
  await page.getByLabel('User id').fill('alice');
  await page.keyboard.press('Enter');
  const person = page.locator('article').filter({ hasText: client.id });
  await person.waitFor();
  expect(await person.textContent()).toContain('WebSockets, json');
  expect(await person.locator('.chip').textContent()).toBe('readers');
  await person.getByRole('button', { name: 'Close…' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  expect(client.connection.state).toBe('Connected');
  await person.getByRole('button', { name: 'Close…' }).click();
  await page.getByRole('dialog').getByRole('textbox').fill('moved');
  await page.getByRole('button', { name: 'Close the connection' }).click();
  await client.closed;
  await page.getByText('Nobody is there').waitFor();
  await page.close();
});

test('who is followed is seen from handshake to end, and payloads only when asked for', async () => {
  const page = await signedIn('follow?hub=followed&kind=user&name=alice');
  await page.locator('.dot.beat').waitFor();
  const app = service.app('followed');
  const live = async (text: string): Promise<void> => {
    await page.getByText('Nothing yet').waitFor();
    const client = await service.client('followed', { at: 0, userId: 'alice' });
    await app.groups.addToGroup(client.id, 'readers');
    await app.send({ group: 'readers' }, 'news', text);
    await client.heard(text);
    await app.connections.close({ connection: client.id });
    await client.closed;
    await page.locator('.story .badge', { hasText: 'closed' }).waitFor();
  };
  await live('private words');
  const seen = await story(page);
  expect(seen.map(([event]) => event)).toEqual(['opened', 'joined', 'sent', 'written', 'written', 'closed']);
  expect(seen[1]?.[1]).toContain('group readers');
  expect(seen[3]?.[1]).toContain('invocation');
  expect(seen[5]?.[1]).toContain('closed_by_app');
  expect(await page.locator('main').textContent()).not.toContain('private words');
  await page.getByLabel('Show payloads').check();
  await live('open words');
  expect(await page.locator('.story').textContent()).toContain('open words');
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.locator('.dot.beat').waitFor({ state: 'detached' });
  await page.close();
});

test('a test message is sent after a question, not before, and what is wrong with it is said', async () => {
  const client = await service.client('told', { at: 1, userId: 'alice' });
  const page = await signedIn('send?hub=told&kind=user&name=alice');
  await page.getByLabel('Method').fill('news');
  await page.getByLabel('Arguments').fill('"not a list"');
  await page.getByRole('button', { name: 'Send…' }).click();
  await page.getByText('must be a JSON array').waitFor();
  await page.getByLabel('Arguments').fill('[42, "second"]');
  await page.getByRole('button', { name: 'Send…' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Send…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
  await page.getByText('Sent to user alice of hub told.').waitFor();
  await client.inbox.until('the message', (heard) => heard.length > 0);
  expect(client.inbox.items).toEqual([42]);
  await page.getByLabel('User id').fill('bob');
  await page.getByRole('button', { name: 'Send…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
  await page.getByText('user bob has no connection in hub told').waitFor();
  await client.stop();
  await page.close();
});

test.each(['light', 'dark'] as const)('on a phone no view is wider than the screen, %s', async (colorScheme) => {
  const client = await service.client('narrow', { at: 1, userId: 'a'.repeat(200) });
  await service.app('narrow').groups.addToGroup(client.id, 'g'.repeat(200));
  const page = await signedIn('', { viewport: { width: 375, height: 700 }, colorScheme });
  const target = `hub=narrow&kind=connection&name=${client.id}`;
  const views = ['', `lookup?${target}`, `follow?${target}`, `send?${target}`];
  for (const [at, view] of views.entries()) {
    await page.goto(`${originOf(0)}/#/${view}`);
    await page
      .locator(['table', 'article', '.dot.beat', 'textarea'][at] ?? '')
      .first()
      .waitFor();
    const { scrollWidth, background } = await page.evaluate(() => ({
      scrollWidth: document.documentElement.scrollWidth,
      background: getComputedStyle(document.body).backgroundColor,
    }));
    expect([view, scrollWidth]).toEqual([view, 375]);
    expect(background).toBe(colorScheme === 'dark' ? 'rgb(15, 20, 24)' : 'rgb(246, 247, 248)');
  }
  await client.stop();
  await page.close();
});

test('every control has a name for who does not see it', async () => {
  for (const view of ['lookup', 'follow', 'send']) {
    const page = await signedIn(view);
    await page.locator('form').waitFor();
    const nameless = await page.locator('input, select, textarea, button').evaluateAll(
      (controls) =>
        controls.filter((one) => {
          const labels = Array.from((one as HTMLInputElement).labels ?? []);
          return (
            labels.every((label) => label.textContent?.trim() === '') &&
            (one.tagName !== 'BUTTON' || one.textContent?.trim() === '')
          );
        }).length,
    );
    expect([view, nameless]).toEqual([view, 0]);
    await page.close();
  }
});

test('the browser had nothing to complain of', () => {
  expect(complaints).toEqual([]);
});

describe('when something is away', () => {
  test('Redis down is said, and the page goes on with its own node', { timeout: 60_000 }, async () => {
    const page = await signedIn();
    await page.locator('td').getByText(service.node(1).node, { exact: true }).waitFor();
    service.redis.pause();
    await page.getByText('Redis is down: you see the node that you ask').waitFor({ timeout: 30_000 });
    await page.getByText('Redis down', { exact: true }).waitFor();
    service.redis.resume();
    await page.getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });
    await page.close();
  });

  test('a node that ends is shown as gone, and one that is asked and does not answer is said', {
    timeout: 60_000,
  }, async () => {
    const page = await signedIn();
    const row = page.getByRole('row').filter({ hasText: service.node(1).node });
    await row.waitFor();
    await service.node(1).kill();
    await row.getByText(/silent|gone for/).waitFor({ timeout: 30_000 });
    await service.node(0).kill();
    await page.getByText('This node does not answer.').waitFor({ timeout: 30_000 });
    await page.locator('.stale').waitFor();
    await page.close();
  });
});
