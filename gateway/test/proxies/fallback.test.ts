import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OfficialClient } from '../support/official-client.ts';
import { proxies, proxyNames } from '../support/proxies.ts';
import { type Service, startService } from '../support/service.ts';
import { fallbacks, transportsOf } from './carried.ts';

let service: Service;
beforeAll(async () => {
  service = await startService({ nodes: 3 });
});
afterAll(() => service?.[Symbol.asyncDispose]());

describe.each(proxyNames)('behind %s', (name) => {
  test.each(fallbacks)('that refuses %s, an official client comes up by itself', async (what, refuses, used) => {
    await using proxy = await proxies[name](service.nodes, { refuses });
    const hub = `fallback_${name}_${what.replaceAll(' ', '_')}`.toLowerCase();
    const app = service.app(hub);
    const where = await app.negotiate();
    const url = proxy.origin + where.url.slice(new URL(where.url).origin.length);
    const client = await OfficialClient.connect({ ...where, url });
    expect(await transportsOf(service, hub)).toEqual([used]);
    await app.send({ connection: client.id }, 'news', 'hello');
    await client.heard('hello');
    await client.stop();
  });
});
