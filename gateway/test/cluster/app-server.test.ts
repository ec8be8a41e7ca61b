import { AppServer, defineHub, type NegotiateOptions, type Stream } from '@signalbox/app-sdk';
import { iterate, upload } from '@signalbox/app-sdk/browser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OfficialClient, type OfficialOptions } from '../support/official-client.ts';
import { everyNodeCarries } from '../support/served.ts';
import { connectionString, type Service, startService } from '../support/service.ts';
import { until, within } from '../support/until.ts';

interface Linked {
  server: {
    echo(value: unknown): unknown;
    tell(text: string): void;
    join(group: string): void;
    tellGroup(group: string, text: string): void;
    count(from: number, to: number): Stream<number>;
    sum(numbers: Stream<number>): number;
    askCaller(): string;
    ask(connectionId: string): string;
    whoAmI(): string;
  };
  client: { news(text: string): void; askName(): string };
}

const linked = defineHub<Linked>({
  name: 'linked',
  methods: {
    echo: (_hub, value) => value,
    tell: (hub, text) => hub.clients.all.news(text),
    join: (hub, group) => hub.groups.join(group),
    tellGroup: (hub, group, text) => hub.clients.group(group).news(text),
    async *count(_hub, from, to) {
      for (let n = from; n <= to; n++) yield n;
    },
    async sum(_hub, numbers) {
      let sum = 0;
      for await (const n of numbers) sum += n;
      return sum;
    },
    askCaller: (hub) => hub.clients.caller.invoke('askName'),
    ask: (hub, connectionId) => hub.clients.client(connectionId).invoke('askName'),
    whoAmI: (hub) => `${hub.context.userId} ${hub.context.claims.get('role')}`,
  },
});

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

let service: Service;
let server: AppServer;
const clients: OfficialClient[] = [];

async function client(options: OfficialOptions & NegotiateOptions = {}): Promise<OfficialClient> {
  const { protocol, ...negotiate } = options;
  const where = await server.hub(linked).negotiate(negotiate);
  const made = await OfficialClient.connect(where, protocol === undefined ? {} : { protocol });
  clients.push(made);
  return made;
}

beforeAll(async () => {
  service = await startService();
  server = new AppServer(connectionString(service.balancer.origin), { hubs: [linked], links: 4, logger: silent });
  await server.start();
  await until('all links are up', () => server.health().hubs['linked']?.links === 4);
  await everyNodeCarries(service.nodes, {
    negotiate: (options) => server.hub(linked).negotiate(options),
    call: ({ connection }) => connection.invoke('whoAmI'),
  });
});

afterAll(async () => {
  await Promise.all(clients.map((one) => one.stop()));
  await server.stop({ graceMs: 1000 });
  await service[Symbol.asyncDispose]();
});

describe.each(['json', 'messagepack'] as const)('an official client in %s, of a hub in an app server', (protocol) => {
  test('calls methods, with who it is', async () => {
    const { connection } = await client({ protocol, userId: 'ann', claims: { role: 'admin' } });
    expect(await connection.invoke('echo', { n: 1, list: ['a', null] })).toEqual({ n: 1, list: ['a', null] });
    expect(await connection.invoke('whoAmI')).toBe('ann admin');
    await expect(connection.invoke('nothing')).rejects.toThrow(
      "Failed to invoke 'nothing' due to an error on the server. HubException: Method does not exist.",
    );
  });

  test('hears broadcasts of calls and of the app, and what goes to its groups and its user', async () => {
    const [one, other] = await Promise.all([client({ protocol, userId: `bob ${protocol}` }), client({ protocol })]);
    await one.connection.invoke('tell', 'from a call');
    await Promise.all([one.heard('from a call'), other.heard('from a call')]);
    const hub = server.hub(linked);
    await hub.clients.all.news('from the app');
    await Promise.all([one.heard('from the app'), other.heard('from the app')]);
    await one.connection.invoke('join', `room ${protocol}`);
    await other.connection.invoke('tellGroup', `room ${protocol}`, 'to the room');
    await one.heard('to the room');
    await hub.clients.user(`bob ${protocol}`).news('to bob');
    await one.heard('to bob');
    expect(other.inbox.items).toEqual(['from a call', 'from the app']);
    expect(await hub.connections.exists({ group: `room ${protocol}` })).toBe(true);
    expect(await hub.connections.exists({ connection: 'nobody' })).toBe(false);
  });

  test('streams both ways', async () => {
    const { connection } = await client({ protocol });
    const items: number[] = [];
    for await (const n of iterate<number>(connection.stream('count', 1, 100))) items.push(n);
    expect(items).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    const numbers = upload(
      (async function* () {
        for (let n = 1; n <= 10; n++) yield n;
      })(),
    );
    expect(await connection.invoke('sum', numbers)).toBe(55);
  });

  test('gives results to its own call, to the calls of others and to the app', async () => {
    const [one, other] = await Promise.all([client({ protocol }), client({ protocol })]);
    one.connection.on('askName', () => 'Ann');
    other.connection.on('askName', () => 'Bob');
    expect(await one.connection.invoke('askCaller')).toBe('Ann');
    expect(await one.connection.invoke('ask', other.id)).toBe('Bob');
    expect(await server.hub(linked).clients.client(one.id).invoke('askName')).toBe('Ann');
    const nobody = server.hub(linked).clients.client('nobody').invoke('askName');
    await expect(nobody).rejects.toMatchObject({ code: 'ERR_CLIENT_GONE' });
  });

  test('is closed by the app', async () => {
    const one = await client({ protocol });
    const place = { connection: one.id };
    await server.hub(linked).connections.close(place, { reason: 'enough' });
    await within('the client is closed', one.closed);
    expect(await server.hub(linked).connections.exists(place)).toBe(false);
  });
});

describe('a second app server', () => {
  test('takes clients, asks those of the first, and leaves without a loss to them', async () => {
    const second = new AppServer(connectionString(service.balancer.origin), {
      hubs: [linked],
      links: 2,
      logger: silent,
    });
    await second.start();
    const one = await client();
    one.connection.on('askName', () => 'Ann');
    expect(await second.hub(linked).clients.client(one.id).invoke('askName')).toBe('Ann');
    await second.hub(linked).clients.all.news('from the second');
    await one.heard('from the second');
    await second.stop();
    expect(second.health().state).toBe('stopped');
    expect(await one.connection.invoke('echo', 'still here')).toBe('still here');
  });
});

describe('an app server that stops', () => {
  interface Moving {
    server: { where(): string };
    client: { news(text: string): void };
  }

  /** A server of the hub `moving` that says which one it is. */
  async function moving(name: string): Promise<AppServer> {
    const hub = defineHub<Moving>({ name: 'moving', methods: { where: () => name } });
    const made = new AppServer(connectionString(service.balancer.origin), { hubs: [hub], links: 2, logger: silent });
    await made.start();
    await everyNodeCarries(service.nodes, {
      negotiate: (options) => made.hub(hub).negotiate(options),
      call: ({ connection }) => connection.invoke('where'),
    });
    return made;
  }

  test('hands its clients to another, and they stay connected', async () => {
    const first = await moving('first');
    const where = await service.app('moving').negotiate();
    const one = await OfficialClient.connect(where);
    clients.push(one);
    expect(await one.connection.invoke('where')).toBe('first');
    const second = await moving('second');
    await first.stop();
    expect(await one.connection.invoke('where')).toBe('second');
    await second.stop({ graceMs: 0 });
    await within('the client is closed with its server', one.closed);
  });
});
