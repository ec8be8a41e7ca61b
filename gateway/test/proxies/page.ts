import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const resolve = (path: string): string => createRequire(import.meta.url).resolve(`@microsoft/${path}`);
const scripts = [
  'signalr/dist/browser/signalr.min.js',
  'signalr-protocol-msgpack/dist/browser/signalr-protocol-msgpack.min.js',
];
const official = scripts.map((path) => `<script>${readFileSync(resolve(path))}</script>`).join('');

/** A page with the official client in its browser build. */
export const html = `<!doctype html>${official}<script>
  async function connect({ url, accessToken, transport, protocol }) {
    window.heard = [];
    const options = { accessTokenFactory: () => accessToken, ...(transport && { transport }) };
    const builder = new signalR.HubConnectionBuilder().withUrl(url, options).configureLogging(signalR.LogLevel.None);
    if (protocol === 'messagepack') builder.withHubProtocol(new signalR.protocols.msgpack.MessagePackHubProtocol());
    window.hub = builder.build();
    hub.on('news', (n) => heard.push(n));
    await hub.start();
  }
</script>`;

/** How the client of a page connects; any transport unless said, and JSON. */
export interface PageConnect {
  readonly url: string;
  readonly accessToken: string;
  readonly transport?: number;
  readonly protocol?: string;
}

/** The client of the page connects. Rejects with what the official client says. */
export async function connect(page: Page, how: PageConnect): Promise<void> {
  await page.evaluate(`connect(${JSON.stringify(how)})`);
}

/** Calls a method of the hub with each of these numbers, one after the other's answer. */
export async function callEach(page: Page, method: string, numbers: readonly number[]): Promise<void> {
  await page.evaluate(
    `(async () => { for (const n of ${JSON.stringify(numbers)}) await hub.invoke('${method}', n); })()`,
  );
}

/** What the page heard, once it is so much. */
export async function heard(page: Page, count: number): Promise<unknown> {
  await page.waitForFunction(`heard.length >= ${count}`);
  return await page.evaluate('heard');
}
