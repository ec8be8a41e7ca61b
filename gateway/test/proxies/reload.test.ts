import { HttpTransportType } from '@microsoft/signalr';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OfficialClient, type ProtocolName } from '../support/official-client.ts';
import { proxies } from '../support/proxies.ts';
import { type Service, startService } from '../support/service.ts';

const { WebSockets, ServerSentEvents, LongPolling } = HttpTransportType;

type Way = readonly [transport: HttpTransportType, protocol: ProtocolName];
const streams: readonly Way[] = [
  [WebSockets, 'json'],
  [WebSockets, 'messagepack'],
  [ServerSentEvents, 'json'],
];
const polls: readonly Way[] = [
  [LongPolling, 'json'],
  [LongPolling, 'messagepack'],
];

/** This nginx closes idle connections of clients at once, which may meet the next poll; HAProxy with their next answer. */
const rows = [
  ['nginx', 'clients on WebSockets and event streams', streams],
  ['HAProxy', 'clients on all transports', [...streams, ...polls]],
] as const;

let service: Service;
beforeAll(async () => {
  service = await startService({ nodes: 3 });
});
afterAll(() => service?.[Symbol.asyncDispose]());

test.each(rows)(
  '%s is reloaded three times while it carries traffic: %s keep their connections and miss nothing',
  async (name, _who, ways) => {
    await using proxy = await proxies[name](service.nodes);
    const hub = `reload_${name}`.toLowerCase();
    const app = service.app(hub);
    const connect = async ([transport, protocol]: Way): Promise<OfficialClient> => {
      const where = await app.negotiate();
      const url = proxy.origin + where.url.slice(new URL(where.url).origin.length);
      return OfficialClient.connect({ ...where, url }, { transport, protocol });
    };
    const clients = await Promise.all(ways.map(connect));
    const ids = clients.map(({ id }) => id);

    let [sent, going] = [0, true];
    const sending = (async () => {
      while (going) await app.send({ all: true }, 'news', sent++);
    })();
    sending.catch(() => undefined); // awaited below
    for (const _ of [1, 2, 3]) {
      const before = sent;
      await proxy.reload();
      await clients[0]?.inbox.until('more came', (items) => items.length > before);
    }
    const later = await connect([WebSockets, 'json']);
    going = false;
    await sending;

    const all = Array.from({ length: sent }, (_, n) => n);
    for (const { inbox } of clients) {
      await inbox.until('all came', (items) => items.length >= sent);
      expect(inbox.items).toEqual(all);
    }
    expect(clients.map(({ connection }) => connection.connectionId)).toEqual(ids);
    await app.send({ connection: later.id }, 'news', 'here');
    await later.heard('here');
    await Promise.all([...clients, later].map((client) => client.stop()));
  },
);
