import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OfficialClient } from '../support/official-client.ts';
import { proxies, proxyNames } from '../support/proxies.ts';
import type { ProxyOptions } from '../support/proxy-process.ts';
import { type Service, startService } from '../support/service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService({ nodes: 3 });
});
afterAll(() => service?.[Symbol.asyncDispose]());

/** Transports of the clients of a hub, over all nodes. */
async function transportsOf(hub: string): Promise<readonly string[]> {
  const held = async (transport: string): Promise<boolean> => {
    const counts = service.nodes.map((node) => node.metric('signalbox_connections', { hub, transport }));
    return (await Promise.all(counts)).some((count) => count > 0);
  };
  const names = ['WebSockets', 'ServerSentEvents', 'LongPolling'];
  const there = await Promise.all(names.map(held));
  return names.filter((_, at) => there[at]);
}

const rows: readonly (readonly [what: string, refuses: NonNullable<ProxyOptions['refuses']>, used: string])[] = [
  ['nothing', [], 'WebSockets'],
  ['upgrades', ['upgrades'], 'ServerSentEvents'],
  ['upgrades and event streams', ['upgrades', 'events'], 'LongPolling'],
];

describe.each(proxyNames)('behind %s', (name) => {
  test.each(rows)('that refuses %s, an official client comes up by itself', async (what, refuses, used) => {
    await using proxy = await proxies[name](service.nodes, { refuses });
    const hub = `fallback_${name}_${what.replaceAll(' ', '_')}`.toLowerCase();
    const app = service.app(hub);
    const where = await app.negotiate();
    const url = proxy.origin + where.url.slice(new URL(where.url).origin.length);
    const client = await OfficialClient.connect({ ...where, url });
    expect(await transportsOf(hub)).toEqual([used]);
    await app.send({ connection: client.id }, 'news', 'hello');
    await client.heard('hello');
    await client.stop();
  });
});
