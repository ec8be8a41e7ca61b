import {
  type DisconnectReason,
  defineHub,
  type HubContext,
  type HubDefinition,
  HubException,
  type Stream,
} from '@signalbox/app-sdk';
import type { ConnectOptions, TestConnection } from '@signalbox/app-sdk/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** The contract that every host of hubs is tested with. */
export interface Room {
  server: {
    say(text: string): void;
    join(group: string): void;
    leave(group: string): void;
    tell(group: string, text: string): void;
    echo(value: unknown): unknown;
    fail(text: string): void;
    admin(): string;
    numbers(to: number): Stream<number>;
    sum(numbers: Stream<number>): number;
    ask(connectionId: string): string;
    count(): number;
    bye(reason: string): void;
    burst(): number;
  };
  client: { said(text: string): void; marked(): void; name(): string };
}

/** A hub that runs in some host, and the way to it. */
export interface Bench {
  readonly hub: HubContext<Room>;
  connect(options?: ConnectOptions): Promise<TestConnection<Room>>;
  close(): Promise<void>;
}

/** A message may take as long as its test. */
const patience = { timeoutMs: 60_000 };

interface Departure {
  readonly connectionId: string;
  readonly kind: DisconnectReason['kind'];
}

/** The hub of the suite; `departed` hears of each disconnect. */
function roomHub(departed: (departure: Departure) => void): HubDefinition<Room, { calls: number }> {
  return defineHub<Room, { calls: number }>({
    name: 'room',
    items: () => ({ calls: 0 }),
    authorize: { admin: (hub) => hub.context.claims.has('role', 'admin') },
    methods: {
      say: (hub, text) => hub.clients.all.said(text),
      join: (hub, group) => hub.groups.join(group),
      leave: (hub, group) => hub.groups.leave(group),
      tell: (hub, group, text) => hub.clients.othersInGroup(group).said(text),
      echo: (_hub, value) => value,
      fail: (_hub, text) => {
        throw new HubException(text);
      },
      admin: (hub) => hub.context.userId ?? '',
      async *numbers(_hub, to) {
        for (let n = 0; n < to; n++) yield n;
      },
      async sum(_hub, numbers) {
        let sum = 0;
        for await (const n of numbers) sum += n;
        return sum;
      },
      ask: (hub, id) => hub.clients.client(id).invoke('name'),
      count: (hub) => ++hub.context.items.calls,
      bye: (hub, reason) => hub.context.abort(reason),
      burst: (hub) => {
        for (const text of ['a', 'b', 'c']) void hub.clients.caller.said(text);
        return 3;
      },
    },
    onConnected: (hub) => hub.clients.caller.said('welcome'),
    onDisconnected: ({ context }, { kind }) => departed({ connectionId: context.connectionId, kind }),
  });
}

async function* upTo(to: number): AsyncGenerator<number> {
  for (let n = 0; n < to; n++) yield n;
}

/** What a hub does in any host; its makers run this. `start` gives a hub that is ready for clients. */
export function hubSuite(host: string, start: (definition: HubDefinition<Room>) => Promise<Bench>): void {
  describe(`a hub in ${host}`, () => {
    let bench: Bench;
    let departures: Departure[];
    let heard: (departure: Departure) => void;

    beforeEach(async () => {
      departures = [];
      heard = () => undefined;
      bench = await start(
        roomHub((departure) => {
          departures.push(departure);
          heard(departure);
        }),
      );
    });
    afterEach(() => bench.close());

    const departure = (): Promise<Departure> =>
      departures[0]
        ? Promise.resolve(departures[0])
        : new Promise((resolve) => {
            heard = resolve;
          });

    /** A client that has its welcome behind it. */
    async function welcomed(options?: ConnectOptions): Promise<TestConnection<Room>> {
      const client = await bench.connect(options);
      await client.next('said', patience);
      return client;
    }

    /** All that was sent to the clients before now: what the hub context sends keeps its order. */
    async function said(clients: readonly TestConnection<Room>[]): Promise<unknown[][]> {
      await bench.hub.clients.all.marked();
      await Promise.all(clients.map((client) => client.next('marked', patience)));
      return clients.map(({ received }) =>
        received.flatMap((message) =>
          message.target === 'said' && message.arguments[0] !== 'welcome' ? message.arguments : [],
        ),
      );
    }

    describe.each(['json', 'messagepack'] as const)('with a client that speaks %s', (protocol) => {
      test.each([[null], [true], [1.5], ['é😀'], [[1, 'a']], [{ a: { b: [] } }]])(
        'gives back %j as it came',
        async (value) => {
          expect(await (await bench.connect({ protocol })).invoke('echo', value)).toEqual(value);
        },
      );

      test('welcomes it after the handshake, before its first call is answered', async () => {
        const client = await bench.connect({ protocol });
        await client.invoke('count');
        expect(client.received).toEqual([{ target: 'said', arguments: ['welcome'] }]);
      });

      test('sends what a call sends before its result', async () => {
        const client = await welcomed({ protocol });
        expect(await client.invoke('burst')).toBe(3);
        expect(client.received.slice(1).map((message) => message.arguments)).toEqual([['a'], ['b'], ['c']]);
      });

      test('streams to it', async () => {
        const read: number[] = [];
        for await (const n of (await bench.connect({ protocol })).stream('numbers', 5)) read.push(n);
        expect(read).toEqual([0, 1, 2, 3, 4]);
      });

      test('stops a stream that it leaves, and goes on', async () => {
        const client = await bench.connect({ protocol });
        for await (const n of client.stream('numbers', 1e9)) if (n === 2) break;
        expect(await client.invoke('count')).toBe(1);
      });

      test('reads its uploads', async () => {
        expect(await (await bench.connect({ protocol })).invoke('sum', upTo(30))).toBe(435);
      });

      test('asks it for a result', async () => {
        const [asked, caller] = [await bench.connect({ protocol }), await bench.connect({ protocol })];
        asked.on('name', () => 'Bob');
        expect(await caller.invoke('ask', asked.connectionId)).toBe('Bob');
        expect(await bench.hub.clients.client(asked.connectionId).invoke('name')).toBe('Bob');
      });

      test('tells it the text of a HubException, and goes on', async () => {
        const client = await bench.connect({ protocol });
        await expect(client.invoke('fail', 'full')).rejects.toThrow(
          "An unexpected error occurred invoking 'fail' on the server. HubException: full",
        );
        await expect(client.invoke('nope' as 'count')).rejects.toThrow(
          "Failed to invoke 'nope' due to an error on the server. HubException: Method does not exist.",
        );
        expect(await client.invoke('count')).toBe(1);
      });

      test('tells it why it was ended', async () => {
        const client = await bench.connect({ protocol });
        await client.send('bye', 'enough');
        expect((await client.closed)?.message).toContain('enough');
        expect(await departure()).toEqual({ connectionId: client.connectionId, kind: 'closed_by_app' });
      });
    });

    test('lets in who may, by the claims of the client', async () => {
      const [admin, other] = [
        await bench.connect({ userId: 'root', claims: { role: ['x', 'admin'] } }),
        await bench.connect(),
      ];
      expect(await admin.invoke('admin')).toBe('root');
      await expect(other.invoke('admin')).rejects.toThrow("Failed to invoke 'admin' because user is unauthorized");
    });

    test('keeps the items of each client apart', async () => {
      const [a, b] = [await bench.connect(), await bench.connect()];
      expect([await a.invoke('count'), await a.invoke('count'), await b.invoke('count')]).toEqual([1, 2, 1]);
    });

    test('sends to all clients, whatever they speak', async () => {
      const clients = [await welcomed(), await welcomed({ protocol: 'messagepack' })];
      await clients[0]?.invoke('say', 'hi');
      for (const client of clients) expect(await client.next('said', patience)).toEqual(['hi']);
    });

    test('sends to the others of a group, from the moment that a join is answered until the leave is', async () => {
      const [a, b, c] = [await welcomed(), await welcomed(), await welcomed()];
      await a.invoke('join', 'g');
      await b.invoke('join', 'g');
      await a.invoke('tell', 'g', 'one');
      expect(await b.next('said', patience)).toEqual(['one']);
      await b.invoke('leave', 'g');
      await a.invoke('tell', 'g', 'two');
      await a.invoke('say', 'end');
      for (const client of [a, b, c]) await client.next('said', patience);
      expect(await said([a, b, c])).toEqual([['end'], ['one', 'end'], ['end']]);
    });

    test('reaches users, groups and connections from outside its calls', async () => {
      const clients = [await welcomed({ userId: 'u' }), await welcomed({ userId: 'u' }), await welcomed()];
      const [first, second, third] = clients.map(({ connectionId }) => connectionId) as [string, string, string];
      await bench.hub.groups.addToGroup(third, 'g');
      await bench.hub.userGroups.addToGroup('u', 'g');
      await bench.hub.send('u', 'said', 'user');
      await bench.hub.send({ group: 'g', except: second }, 'said', 'group');
      await bench.hub.send({ connections: [first, third] }, 'said', 'connections');
      await bench.hub.send({ all: true, except: [first] }, 'said', 'all');
      expect(await said(clients)).toEqual([
        ['user', 'group', 'connections'],
        ['user', 'all'],
        ['group', 'connections', 'all'],
      ]);
    });

    test('knows who is there, and closes them', async () => {
      const client = await bench.connect({ userId: 'u' });
      const { connections, userGroups } = bench.hub;
      await userGroups.addToGroup('u', 'g');
      expect(await userGroups.isInGroup('u', 'g')).toBe(true);
      expect([await connections.exists({ user: 'u' }), await connections.exists({ user: 'v' })]).toEqual([true, false]);
      await connections.close({ user: 'u' });
      await client.closed;
      expect((await departure()).connectionId).toBe(client.connectionId);
      expect(await connections.exists({ connection: client.connectionId })).toBe(false);
    });

    test('hears of a client that leaves', async () => {
      const client = await bench.connect();
      await client.stop();
      expect(await departure()).toEqual({ connectionId: client.connectionId, kind: 'client_left' });
    });
  });
}
