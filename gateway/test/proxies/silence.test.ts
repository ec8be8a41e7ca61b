import { HttpTransportType } from '@microsoft/signalr';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OfficialClient } from '../support/official-client.ts';
import { proxies, proxyNames } from '../support/proxies.ts';
import { type Service, startService } from '../support/service.ts';
import { until } from '../support/until.ts';

const { WebSockets, ServerSentEvents, LongPolling } = HttpTransportType;

let service: Service;
beforeAll(async () => {
  service = await startService({ nodes: 3, env: { SIGNALBOX_PING_MS: '500', SIGNALBOX_POLL_MS: '500' } });
});
afterAll(() => service?.[Symbol.asyncDispose]());

// As with 30 s at the proxy, and 15 and 25 s at the nodes: much less, so that the test sees several of them pass.
test.each(proxyNames)(
  '%s that cuts off what is silent for 3 s leaves alone who is pinged or polls more often',
  async (name) => {
    await using proxy = await proxies[name](service.nodes, { silence: '3s' });
    const app = service.app(`silence_${name}`.toLowerCase());
    const connect = async (transport: HttpTransportType): Promise<OfficialClient> => {
      const where = await app.negotiate();
      const url = proxy.origin + where.url.slice(new URL(where.url).origin.length);
      return OfficialClient.connect({ ...where, url }, { transport });
    };
    const clients = await Promise.all([WebSockets, ServerSentEvents, LongPolling].map(connect));
    const ids = clients.map(({ id }) => id);
    const polls = (): number =>
      proxy.requests.filter(({ method, status }) => method === 'GET' && status === 200).length;
    const before = polls();
    await until('twelve polls came and went: twice the patience of the proxy', () => polls() >= before + 12, 30_000);
    await app.send({ all: true }, 'news', 'still here');
    for (const client of clients) await client.heard('still here');
    expect(clients.map(({ connection }) => connection.connectionId)).toEqual(ids);
    await Promise.all(clients.map((client) => client.stop()));
  },
  60_000,
);
