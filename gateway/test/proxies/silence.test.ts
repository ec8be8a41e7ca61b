import { HttpTransportType } from '@microsoft/signalr';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OfficialClient } from '../support/official-client.ts';
import { proxies, proxyNames } from '../support/proxies.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Service, startService } from '../support/service.ts';
import { within } from '../support/until.ts';

const { WebSockets, ServerSentEvents, LongPolling } = HttpTransportType;

let service: Service;
beforeAll(async () => {
  const env = { SIGNALBOX_PING_MS: '500', SIGNALBOX_POLL_MS: '500', SIGNALBOX_HANDSHAKE_MS: '60000' };
  service = await startService({ nodes: 3, env });
});
afterAll(() => service?.[Symbol.asyncDispose]());

// As with 120 s at the proxy, and 15 and 25 s at the nodes: less, so that a test can see it, and more than a busy machine stands still.
test.concurrent.each(proxyNames)(
  '%s that cuts off what is silent for 8 s leaves alone who is pinged or polls more often',
  async (name) => {
    await using proxy = await proxies[name](service.nodes, { silence: '8s' });
    const hub = `silence_${name}`.toLowerCase();
    const app = service.app(hub);
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
    const silent = await RawClient.open(proxy.port, { hub }); // nobody pings who shook no hands
    await within('the proxy cuts off who is silent', silent.closed, 30_000);
    expect(polls()).toBeGreaterThan(before + 1);
    await app.send({ all: true }, 'news', 'still here');
    for (const client of clients) await client.heard('still here');
    expect(clients.map(({ connection }) => connection.connectionId)).toEqual(ids);
    await Promise.all(clients.map((client) => client.stop()));
  },
  60_000,
);
