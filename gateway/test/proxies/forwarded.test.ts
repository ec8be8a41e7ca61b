import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { AppServer, defineHub } from '@signalbox/app-sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { proxies, proxyNames } from '../support/proxies.ts';
import { everyNodeServes } from '../support/served.ts';
import { connectionString, type Service, startService } from '../support/service.ts';

interface Mirror {
  server: { address(): string };
  client: Record<never, never>;
}

/** Each test has a hub of its own, whose links no node knows from the one before. */
const mirrorOf = (name: string) =>
  defineHub<Mirror>({ name, methods: { address: (hub) => hub.context.headers.get('x-forwarded-for') ?? '' } });
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

let service: Service;
beforeAll(async () => {
  const env = { SIGNALBOX_MODES: '*=default', SIGNALBOX_TRUSTED_PROXIES: '127.0.0.1' };
  service = await startService({ nodes: 3, env });
});
afterAll(() => service?.[Symbol.asyncDispose]());

test.each(proxyNames)(
  'behind %s an app is told the address of a client, and not what the client wrote',
  async (name) => {
    await using proxy = await proxies[name](service.nodes);
    const mirror = mirrorOf(`mirror_${name}`.toLowerCase());
    const server = new AppServer(connectionString(proxy.origin), { hubs: [mirror], links: 1, logger: silent });
    await server.start();
    await everyNodeServes(service.nodes, () => server.hub(mirror).negotiate());
    for (const transport of [HttpTransportType.WebSockets, HttpTransportType.LongPolling]) {
      const { url, accessToken } = await server.hub(mirror).negotiate();
      const headers = { 'X-Forwarded-For': '203.0.113.7' };
      const options = { transport, headers, accessTokenFactory: () => accessToken };
      const connection = new HubConnectionBuilder().withUrl(url, options).configureLogging(LogLevel.None).build();
      await connection.start();
      expect(await connection.invoke('address')).toBe('127.0.0.1');
      await connection.stop();
    }
    await server.stop({ graceMs: 1000 });
  },
);
