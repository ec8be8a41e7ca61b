import { HttpTransportType } from '@microsoft/signalr';
import { AppServer, defineHub, SignalboxClient } from '@signalbox/app-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OfficialClient, type ProtocolName } from '../support/official-client.ts';
import { proxies, proxyNames } from '../support/proxies.ts';
import type { ProxyProcess } from '../support/proxy-process.ts';
import { everyNodeServes } from '../support/served.ts';
import { connectionString, type Service, startService } from '../support/service.ts';
import { until, within } from '../support/until.ts';

/*
 * Half an hour of chat, as fast as it goes: ten people who each say something every six seconds would say 3,000 things.
 * Here each says the next one as soon as the last one was taken. Everybody must hear everything once, and of each speaker
 * in the order in which it was said.
 */

/** One thing that was said: who, and the how manieth of theirs. */
type Said = readonly [who: string, n: number];

interface Chat {
  server: { say(who: string, n: number): void };
  client: { news(said: Said): void };
}

/** Each test has a hub of its own, whose links no node knows from the one before. */
const chatOf = (name: string) =>
  defineHub<Chat>({ name, methods: { say: (hub, who, n) => hub.clients.all.news([who, n]) } });

const { WebSockets, ServerSentEvents, LongPolling } = HttpTransportType;
const ways: readonly { name: string; transport: HttpTransportType; protocol: ProtocolName }[] = [
  { name: 'WebSockets', transport: WebSockets, protocol: 'json' },
  { name: 'WebSockets', transport: WebSockets, protocol: 'messagepack' },
  { name: 'ServerSentEvents', transport: ServerSentEvents, protocol: 'json' },
  { name: 'LongPolling', transport: LongPolling, protocol: 'json' },
  { name: 'LongPolling', transport: LongPolling, protocol: 'messagepack' },
];

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const upTo = (length: number): readonly number[] => Array.from({ length }, (_, n) => n);
/** What each app sends. */
const sent = upTo(100);
let service: Service;

beforeAll(async () => {
  service = await startService({
    nodes: 3,
    env: { SIGNALBOX_POLL_MS: '2000', SIGNALBOX_MODES: 'pushed=serverless,*=default' },
  });
});
afterAll(() => service?.[Symbol.asyncDispose]());

/** Two people on each transport and hub protocol. */
async function comeIn(negotiate: () => ReturnType<SignalboxClient['negotiate']>): Promise<Map<string, OfficialClient>> {
  const people = new Map<string, OfficialClient>();
  for (const { name, transport, protocol } of [...ways, ...ways]) {
    const client = await OfficialClient.connect(await negotiate(), { transport, protocol });
    people.set(`${name} ${protocol} ${people.size}`, client);
  }
  return people;
}

/** Waits for everything that each of these has said, and fails where it is not what everybody heard. */
async function heardBy(
  people: Map<string, OfficialClient>,
  speakers: readonly string[],
  numbers: readonly number[],
): Promise<void> {
  const expected = speakers.map((who) => [who, numbers] as const);
  const whole = speakers.length * numbers.length;
  for (const [name, { inbox }] of people) {
    await inbox.until(`${name} heard all`, (items) => items.length >= whole, 120_000);
    const heard = inbox.items as Said[];
    const of = expected.map(([who]) => [who, heard.filter(([by]) => by === who).map(([, n]) => n)] as const);
    expect(of, name).toEqual(expected);
  }
}

async function leave(people: Map<string, OfficialClient>): Promise<void> {
  await Promise.all([...people.values()].map((client) => client.stop()));
}

describe.each(proxyNames)('behind %s, round-robin over three nodes,', (name) => {
  describe.each([
    ['with connections that stay', false, upTo(300)],
    ['with a new connection for each request', true, upTo(100)],
  ])('%s,', (_how, closes, spoken) => {
    let proxy: ProxyProcess;
    beforeAll(async () => {
      proxy = await proxies[name](service.nodes, { closes });
    });
    afterAll(() => proxy?.[Symbol.asyncDispose]());

    /** Every node has had its part of the polls. */
    function wentRound(): void {
      const polls = proxy.requests.filter((one) => one.method === 'GET' && one.status === 200);
      const nodes = [...new Set(polls.map(({ node }) => node))];
      const parts = nodes.map((node) => polls.filter((one) => one.node === node).length / polls.length);
      expect(nodes).toHaveLength(3);
      expect(Math.min(...parts)).toBeGreaterThan(0.2);
      expect(proxy.requests.filter(({ status }) => status >= 500)).toEqual([]);
    }

    test('ten people on all transports chat through an app server: nothing is lost, doubled or out of order', async () => {
      const chat = chatOf(`chat_${name}_${closes}`.toLowerCase());
      const server = new AppServer(connectionString(proxy.origin), { hubs: [chat], links: 3, logger: silent });
      await server.start();
      await until('all links are up', () => server.health().hubs[chat.name]?.links === 3);
      await everyNodeServes(service.nodes, () => server.hub(chat).negotiate());
      const people = await comeIn(() => server.hub(chat).negotiate());
      const talk = [...people].map(async ([who, { connection }]) => {
        for (const n of spoken) await connection.invoke('say', who, n);
      });
      await within('all was said', Promise.all(talk), 240_000);
      await heardBy(people, [...people.keys()], spoken);
      await leave(people);
      await server.stop({ graceMs: 1000 });
      wentRound();
    }, 420_000);

    test('ten people on all transports hear five apps that send by REST: nothing is lost, doubled or out of order', async () => {
      const app = new SignalboxClient(connectionString(proxy.origin), { hub: 'pushed', retries: 0 });
      const people = await comeIn(() => app.negotiate());
      const speakers = [1, 2, 3, 4, 5].map((n) => `app ${n}`);
      const talk = speakers.map(async (who) => {
        for (const n of sent) await app.send({ all: true }, 'news', [who, n]);
      });
      await within('all was said', Promise.all(talk), 240_000);
      await heardBy(people, speakers, sent);
      await leave(people);
      await app.close();
      wentRound();
    }, 420_000);
  });
});
