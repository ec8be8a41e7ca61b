import { AppServer, defineHub, type SignalboxClient, type Stream } from '@signalbox/app-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OfficialClient, type ProtocolName } from '../support/official-client.ts';
import { RawRest } from '../support/raw-rest.ts';
import { connectionString, type Service, startService } from '../support/service.ts';
import { within } from '../support/until.ts';

const hub = 'rest_full';
const later = 'api-version=2024-12-01';
/** A node that does not wait for clients that are asked; all others wait longer than any test. */
const hasty = 2;

let service: Service;
/** REST at node 0. Clients are at node 1 unless said. */
let rest: RawRest;
let app: SignalboxClient;

beforeAll(async () => {
  service = await startService({
    nodes: 3,
    env: { SIGNALBOX_MODES: 'carried=default' },
    envOf: { [hasty]: { SIGNALBOX_INVOKE_MS: '500' } },
  });
  rest = new RawRest(service.node(0).origin);
  app = service.app(hub, 0);
});
afterAll(async () => {
  await rest.close();
  await service[Symbol.asyncDispose]();
});

async function listed(members: ReturnType<SignalboxClient['connections']['list']>) {
  const found: { connectionId: string; userId?: string }[] = [];
  for await (const one of members) found.push(one);
  return found;
}

test('a token that one node made opens another, for its user', async () => {
  const answer = await rest.call('POST', `/api/hubs/${hub}/:generateToken?userId=tom&minutesToExpire=5&${later}`);
  const { token } = JSON.parse(answer.body) as { token: string };
  const url = `${service.node(1).origin}/client/?hub=${hub}`;
  const client = await OfficialClient.connect({ url, accessToken: token });
  expect(await app.connections.exists({ user: 'tom' })).toBe(true);
  await app.send('tom', 'news', 'for tom');
  await client.heard('for tom');
  await client.stop();
});

describe('lists and counts over two nodes', () => {
  const members = 'lists';
  let ids: string[];
  beforeAll(async () => {
    const seats = [{ userId: 'ann', at: 1 }, { userId: 'ann', at: 0 }, { userId: 'bob', at: 1 }, { at: 1 }, { at: 0 }];
    const clients = await Promise.all(seats.map((seat) => service.client(members, seat)));
    ids = clients.map(({ id }) => id).sort();
    const lists = service.app(members);
    for (const id of ids) await lists.groups.addToGroup(id, 'five');
  });

  test('five members of a group come on three pages of two, by following the links as they are given', async () => {
    const found: string[] = [];
    const sizes: number[] = [];
    let target: string | undefined = `/api/hubs/${members}/groups/five/connections?maxpagesize=2&${later}`;
    while (target !== undefined) {
      const { status, body } = await rest.call('GET', target);
      expect(status).toBe(200);
      const page = JSON.parse(body) as { value: { connectionId: string }[]; nextLink?: string };
      sizes.push(page.value.length);
      found.push(...page.value.map(({ connectionId }) => connectionId));
      if (page.nextLink !== undefined) expect(new URL(page.nextLink).origin).toBe(service.node(0).origin);
      target = page.nextLink?.slice(service.node(0).origin.length);
    }
    expect([sizes, found]).toEqual([[2, 2, 1], ids]);
  });

  test('the SDK lists hub, user and group, whatever node its requests meet', async () => {
    for (const sdk of [service.app(members), service.app(members, 0), service.app(members, 1)]) {
      const all = await listed(sdk.connections.list({ all: true }, { pageSize: 2 }));
      expect(all.map(({ connectionId }) => connectionId)).toEqual(ids);
      expect(await listed(sdk.connections.list({ group: 'five' }, { pageSize: 3 }))).toEqual(all);
      const ann = await listed(sdk.connections.list({ user: 'ann' }, { pageSize: 1 }));
      expect(ann.map(({ userId }) => userId)).toEqual(['ann', 'ann']);
      expect(await listed(sdk.connections.list({ group: 'nobody' }))).toEqual([]);
    }
  });

  test('the SDK counts them', async () => {
    const counts = service.app(members).connections;
    const [first = ''] = ids;
    expect(await counts.count({ all: true })).toBe(5);
    expect(await counts.count({ user: 'ann' })).toBe(2);
    expect(await counts.count({ group: 'five' })).toBe(5);
    expect(await counts.count({ group: 'nobody' })).toBe(0);
    expect([await counts.count({ connection: first }), await counts.count({ connection: 'x' })]).toEqual([1, 0]);
  });
});

/** What is the same for a client that the gateway runs itself, and for one of an app server. */
function invocations(connect: (protocol: ProtocolName) => Promise<OfficialClient>, name: string): void {
  describe.each(['json', 'messagepack'] as const)('a %s client on the other node', (protocol) => {
    let client: OfficialClient;
    let caller: SignalboxClient;
    beforeAll(async () => {
      caller = service.app(name, 0);
      client = await connect(protocol);
      const { connection } = client;
      connection.on('double', (n: number) => n * 2);
      connection.on('echo', (value: unknown) => value);
      connection.on('nothing', () => null);
      connection.on('fails', () => {
        throw new Error('no name');
      });
      connection.on('silent', () => new Promise(() => undefined));
    });
    const ask = (method: string, ...args: unknown[]): Promise<unknown> =>
      caller.clients.client(client.id).invoke(method, ...args);

    test('answers with a result', async () => {
      expect(await ask('double', 21)).toBe(42);
      const value = { text: 'grüße', list: [1, 2.5, null, true], deep: { a: [] } };
      expect(await ask('echo', value)).toEqual(value);
      expect(await ask('nothing')).toBeNull();
    });

    test('answers many calls at a time, each its own', async () => {
      const numbers = Array.from({ length: 50 }, (_, n) => n);
      expect(await Promise.all(numbers.map((n) => ask('double', n)))).toEqual(numbers.map((n) => 2 * n));
    });

    test('whose method fails, or is not there, is an error with its text', async () => {
      await expect(ask('fails')).rejects.toMatchObject({ code: 'ERR_CLIENT_FAILED', connectionId: client.id });
      await expect(ask('fails')).rejects.toThrow('no name');
      await expect(ask('unknown')).rejects.toMatchObject({ code: 'ERR_CLIENT_FAILED' });
    });

    test('that does not answer ends with SIGNALBOX_INVOKE_MS', async () => {
      const asked = service.app(name, hasty).clients.client(client.id).invoke('silent');
      await expect(asked).rejects.toMatchObject({ code: 'ERR_TIMEOUT', outcome: 'unknown' });
    });

    test('that leaves ends the call at once', async () => {
      const leaver = await connect(protocol);
      const called = new Promise<void>((resolve) => {
        leaver.connection.on('silent', () => {
          resolve();
          return new Promise(() => undefined);
        });
      });
      const asked = caller.clients.client(leaver.id).invoke('silent');
      const failed = expect(asked).rejects.toMatchObject({ code: 'ERR_CLIENT_FAILED' });
      await called;
      await leaver.stop();
      await failed;
    });
  });
}

describe('calls of clients of a hub without app servers', () => {
  invocations((protocol) => service.client(hub, { protocol, at: 1 }), hub);

  test('a connection that is not there is gone', async () => {
    await expect(app.clients.client('nobody').invoke('double', 1)).rejects.toMatchObject({ code: 'ERR_CLIENT_GONE' });
  });
});

describe('a hub in an app server', () => {
  interface Carried {
    server: { open(): Stream<string> };
    client: { news(text: string): void };
  }
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const carried = defineHub<Carried>({
    name: 'carried',
    methods: {
      // Says nothing itself: what comes on the stream comes by REST.
      async *open() {
        await finished;
        yield 'over';
      },
    },
  });
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  let server: AppServer;

  beforeAll(async () => {
    server = new AppServer(connectionString(service.node(0).origin), { hubs: [carried], links: 1, logger: silent });
    await server.start();
    await service.serves('carried');
  });
  afterAll(async () => {
    finish();
    await server.stop({ graceMs: 1000 });
  });
  const connect = (protocol: ProtocolName): Promise<OfficialClient> => service.client('carried', { protocol, at: 1 });

  invocations(connect, 'carried');

  test.each(['json', 'messagepack'] as const)(
    'items of a stream that a %s client opened come by REST, in order, and its end',
    async (protocol) => {
      const client = await connect(protocol);
      const items: unknown[] = [];
      const ended = new Promise<unknown>((resolve) => {
        client.connection
          .stream('open')
          .subscribe({ next: (item) => void items.push(item), complete: () => resolve(undefined), error: resolve });
      });
      // The first call of a connection has the id 0.
      const path = `/api/hubs/carried/connections/${client.id}/streams/0`;
      for (const item of [1, 'two', { three: [3] }]) {
        const answer = await rest.call('POST', `${path}/:send?${later}`, { body: JSON.stringify(item) });
        expect(answer).toMatchObject({ status: 202, body: '' });
      }
      await rest.call('POST', `${path}/:complete?reason=enough&${later}`);
      expect(await within('the stream ends', ended)).toMatchObject({ message: 'enough' });
      expect(items).toEqual([1, 'two', { three: [3] }]);
    },
  );
});

describe('batches', () => {
  test('reach the other node, each client in the order of the items, whatever their addresses', async () => {
    const batches = 'batches';
    const sdk = service.app(batches, 0);
    const [ann, bob] = await Promise.all([
      service.client(batches, { userId: 'ann', at: 1 }),
      service.client(batches, { userId: 'bob', protocol: 'messagepack', at: 1 }),
    ]);
    for (const { id } of [ann, bob]) await sdk.groups.addToGroup(id, 'g');
    const places = [
      { all: true as const },
      { group: 'g' },
      { user: 'ann' },
      { connection: ann.id },
      { users: ['ann', 'bob'] },
    ];
    const items = Array.from({ length: 2000 }, (_, n) => ({
      to: places[n % places.length] ?? { all: true as const },
      target: 'news',
      arguments: [n],
    }));
    expect(await sdk.sendBatch(items)).toEqual({ sent: 2000, failed: [] });
    await sdk.send({ all: true }, 'fence', 'behind the batch');
    await Promise.all([ann, bob].map((client) => client.heard('behind the batch')));
    const bobs = items.flatMap(({ to }, n) => ('user' in to || 'connection' in to ? [] : [n]));
    expect(ann.inbox.items).toEqual([...items.keys(), 'behind the batch']);
    expect(bob.inbox.items).toEqual([...bobs, 'behind the batch']);
  });

  test('are one request', async () => {
    const before = await service.node(0).metric('signalbox_rest_requests_total', { operation: 'send_many' });
    await app.sendBatch(Array.from({ length: 500 }, () => ({ to: 'nobody', target: 'news' })));
    expect(await service.node(0).metric('signalbox_rest_requests_total', { operation: 'send_many' })).toBe(before + 1);
  });
});

test('the description of the API needs no token, on any node', async () => {
  const [one, two] = await Promise.all(
    service.nodes.map(async ({ origin }) => (await fetch(`${origin}/api/openapi.json`)).json()),
  );
  expect(one).toEqual(two);
  expect(one).toMatchObject({ openapi: '3.1.0' });
});
