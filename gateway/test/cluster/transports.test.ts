import { HttpTransportType } from '@microsoft/signalr';
import { AppServer, defineHub, type NegotiateOptions } from '@signalbox/app-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Inbox } from '../support/inbox.ts';
import { OfficialClient, type OfficialOptions, type ProtocolName } from '../support/official-client.ts';
import { connectionString, type Service, startService } from '../support/service.ts';
import { until, within } from '../support/until.ts';

interface Talk {
  server: { say(who: string, n: number): void; echo(value: unknown): unknown };
  client: { news(n: number): void };
}

/** What clients said, in the order in which the app heard it. */
const said = new Inbox<readonly [who: string, n: number]>();
const talk = defineHub<Talk>({
  name: 'talk',
  methods: {
    say: (_hub, who, n) => said.add([who, n]),
    echo: (_hub, value) => value,
  },
});

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const numbers = Array.from({ length: 300 }, (_, n) => n);
const { ServerSentEvents, LongPolling } = HttpTransportType;

let service: Service;
let server: AppServer;
const clients: OfficialClient[] = [];

beforeAll(async () => {
  service = await startService({ nodes: 3, env: { SIGNALBOX_POLL_MS: '2000', SIGNALBOX_MODES: 'talk=default' } });
  server = new AppServer(connectionString(service.balancer.origin), { hubs: [talk], links: 3, logger: silent });
  await server.start();
  await until('all links are up', () => server.health().hubs['talk']?.links === 3);
  await service.serves('talk');
});

afterAll(async () => {
  await Promise.all(clients.map((one) => one.stop()));
  await server.stop({ graceMs: 1000 });
  await service[Symbol.asyncDispose]();
});

async function client(hub: string, options: OfficialOptions & NegotiateOptions): Promise<OfficialClient> {
  const { protocol, transport, ...negotiate } = options;
  const where = await service.app(hub).negotiate(negotiate);
  const made = await OfficialClient.connect(where, { ...(protocol && { protocol }), ...(transport && { transport }) });
  clients.push(made);
  return made;
}

/** Transport and hub protocol of the connections of a hub, as the nodes count them. */
async function carried(hub: string, transport: string): Promise<number> {
  const held = service.nodes.map((node) => node.metric('signalbox_connections', { hub, transport }));
  return (await Promise.all(held)).reduce((sum, count) => sum + count, 0);
}

const ways: readonly { name: string; transport: HttpTransportType; protocol: ProtocolName }[] = [
  { name: 'ServerSentEvents', transport: ServerSentEvents, protocol: 'json' },
  { name: 'LongPolling', transport: LongPolling, protocol: 'json' },
  { name: 'LongPolling', transport: LongPolling, protocol: 'messagepack' },
];

describe.each(ways)(
  'an official client by $name in $protocol, every request at another of three nodes',
  { timeout: 120_000 },
  (way) => {
    const who = `${way.name} ${way.protocol}`;

    test('gets and sends 300 messages each way with an app server, in order, none lost or doubled', async () => {
      const { connection, id, inbox } = await client('talk', way);
      expect(await carried('talk', way.name)).toBeGreaterThan(0);
      const hub = server.hub(talk);
      const down = (async () => {
        for (const n of numbers) await hub.clients.client(id).news(n);
      })();
      const up = Promise.all(numbers.map((n) => connection.send('say', who, n)));
      await within('all was sent', Promise.all([down, up]), 60_000);
      await inbox.until('all came', (items) => items.length >= numbers.length, 60_000);
      await said.until('all was heard', (items) => items.filter(([by]) => by === who).length >= numbers.length, 60_000);
      expect(await connection.invoke('echo', 'after')).toBe('after');
      expect(inbox.items).toEqual(numbers);
      expect(said.items.filter(([by]) => by === who).map(([, n]) => n)).toEqual(numbers);
    });

    test('gets 300 messages of REST on a hub without app servers, in order, none lost or doubled', async () => {
      const { id, inbox } = await client('pushed', way);
      const app = service.app('pushed');
      for (const n of numbers) await app.send({ connection: id }, 'news', n);
      await inbox.until('all came', (items) => items.length >= numbers.length, 60_000);
      expect(inbox.items).toEqual(numbers);
    });

    test('is reached by groups and broadcasts, closed by its app, and stops cleanly', async () => {
      const [one, other] = [await client('pushed', way), await client('pushed', { ...way, userId: `ann ${who}` })];
      const app = service.app('pushed');
      await app.groups.addToGroup(one.id, `group ${who}`);
      await app.send({ group: `group ${who}` }, 'news', 'to the group');
      await app.send({ user: `ann ${who}` }, 'news', 'to the user');
      await app.send({ all: true }, 'news', 'to all');
      await Promise.all([one.heard('to all'), other.heard('to all')]);
      expect([one.inbox.items, other.inbox.items]).toEqual([
        ['to the group', 'to all'],
        ['to the user', 'to all'],
      ]);
      await app.connections.close({ connection: one.id });
      await within('the client is closed', one.closed);
      const before = await carried('pushed', way.name);
      await other.stop();
      await until('the client that stopped is gone', async () => (await carried('pushed', way.name)) < before);
    });
  },
);

test('a client that may not upgrade falls back to server-sent events, and without these to long polling', async () => {
  const { refuses } = service.balancer;
  await client('fallback', {});
  expect(await carried('fallback', 'WebSockets')).toBe(1);
  refuses.upgrades = true;
  await client('fallback', {});
  expect(await carried('fallback', 'ServerSentEvents')).toBe(1);
  refuses.events = true;
  const last = await client('fallback', {});
  expect(await carried('fallback', 'LongPolling')).toBe(1);
  await service.app('fallback').send({ all: true }, 'news', 'hello');
  await last.heard('hello');
  Object.assign(refuses, { upgrades: false, events: false });
});

test('polls that end empty one after the other keep the client', async () => {
  const one = await client('quiet', { transport: LongPolling });
  const before = [...service.balancer.passed.values()].reduce((sum, count) => sum + count, 0);
  await until(
    'three polls came and went',
    () => [...service.balancer.passed.values()].reduce((sum, count) => sum + count, 0) >= before + 3,
    20_000,
  );
  await service.app('quiet').send({ connection: one.id }, 'news', 'still here');
  await one.heard('still here');
});
