import { defineHub, type Stream } from '@signalbox/app-sdk';
import { type TestHub, testHub } from '@signalbox/app-sdk/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

interface Room {
  server: {
    say(text: string): void;
    join(group: string): void;
    echo(value: unknown): unknown;
    numbers(): Stream<number>;
    sum(numbers: Stream<number>): number;
    ask(connectionId: string): string;
    leave(): void;
    wait(): void;
  };
  client: { said(text: string): void; other(value: unknown): void; name(): string };
}

const events: string[] = [];

const room = defineHub<Room>({
  name: 'Room',
  detailedErrors: true,
  methods: {
    say: (hub, text) => hub.clients.all.said(text),
    join: (hub, group) => hub.groups.join(group),
    echo: (_hub, value) => value,
    async *numbers() {
      for (let n = 0; ; n++) yield n;
    },
    async sum(_hub, numbers) {
      let sum = 0;
      for await (const n of numbers) {
        sum += n;
        if (n === 3) break;
      }
      return sum;
    },
    ask: (hub, id) => hub.clients.client(id).invoke('name'),
    leave: (hub) => hub.context.abort('enough'),
    wait: () => new Promise(() => undefined),
  },
  onConnected: ({ context }) => void events.push(`${context.connectionId} came`),
  onDisconnected: ({ context }, { kind }) => void events.push(`${context.connectionId} ${kind}`),
});

let hub: TestHub<Room>;

beforeEach(() => {
  events.length = 0;
  hub = testHub(room);
});
afterEach(() => hub.close());

async function* endless(): AsyncGenerator<number> {
  for (let n = 1; ; n++) yield n;
}

describe('a client of a test hub', () => {
  test('calls, and hears what the hub sends, in both protocols', async () => {
    const [a, b] = [await hub.connect(), await hub.connect({ protocol: 'messagepack' })];
    await a.invoke('say', 'hi');
    expect([await a.next('said'), await b.next('said')]).toEqual([['hi'], ['hi']]);
    expect(b.received).toEqual([{ target: 'said', arguments: ['hi'] }]);
  });

  test('goes through the real codecs', async () => {
    const [json, packed] = [await hub.connect(), await hub.connect({ protocol: 'messagepack' })];
    const date = new Date(0);
    expect(await json.invoke('echo', date)).toBe('1970-01-01T00:00:00.000Z');
    expect(await packed.invoke('echo', date)).toEqual(date);
    expect(await packed.invoke('echo', new Uint8Array([1, 2]))).toEqual(new Uint8Array([1, 2]));
  });

  test('rejects with the text of the hub', async () => {
    const client = await hub.connect();
    await expect(client.invoke('nope' as 'say', '')).rejects.toThrow(
      "Failed to invoke 'nope' due to an error on the server. HubException: Method does not exist.",
    );
  });

  test('reads a stream without an end, and leaves it', async () => {
    const client = await hub.connect();
    const read: number[] = [];
    for await (const n of client.stream('numbers')) {
      read.push(n);
      if (n === 3) break;
    }
    expect(read).toEqual([0, 1, 2, 3]);
    await hub.idle();
  });

  test('uploads an async iterable, as far as the hub reads it', async () => {
    const client = await hub.connect({ protocol: 'messagepack' });
    expect(await client.invoke('sum', endless())).toBe(6);
  });

  test.each([
    ['answers with its handler', () => 'Bob', 'Bob'],
    ['answers later', async () => 'Bob', 'Bob'],
    ['fails with the text of its handler', () => Promise.reject(new Error('shy')), 'HubException: Error: shy'],
    ['says that it has no handler', undefined, "HubException: Client didn't provide a result."],
  ])('that is asked %s', async (_what, handler, answer) => {
    const [a, b] = [await hub.connect(), await hub.connect()];
    if (handler !== undefined) b.on('name', handler);
    const asked = a.invoke('ask', b.connectionId).catch((error: Error) => error.message);
    expect(await asked).toContain(answer);
  });

  test('that nobody knows cannot be asked', async () => {
    const client = await hub.connect();
    await expect(client.invoke('ask', 'nobody')).rejects.toThrow(
      "ClientResultError: Connection 'nobody' does not exist.",
    );
    await expect(hub.clients.client('nobody').invoke('name')).rejects.toMatchObject({ code: 'ERR_CLIENT_GONE' });
  });

  test('waits 1 s for a message, then says what came instead', async () => {
    const client = await hub.connect();
    await hub.send({ all: true }, 'other', { a: 1 });
    await expect(client.next('said', { timeoutMs: 5 })).rejects.toThrow(
      'waited 5 ms for "said"; instead came other({ a: 1 })',
    );
    await expect(client.next('said', { timeoutMs: 5 })).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
  });

  test('takes each message once, in order', async () => {
    const client = await hub.connect();
    await hub.clients.all.said('a');
    await hub.clients.all.said('b');
    expect([await client.next('said'), await client.next('said')]).toEqual([['a'], ['b']]);
  });

  test('has claims, headers and the path and query of its request', async () => {
    const seen: unknown[] = [];
    const definition = defineHub<Room>({
      name: 'room',
      methods: room.methods,
      onConnected: ({ context }) => {
        seen.push(context.userId, context.claims.all('role'), context.headers.get('origin'), context.path, [
          ...context.query,
        ]);
      },
    });
    await using other = testHub(definition);
    const request = { url: '/rooms/negotiate?room=1&negotiateVersion=1' };
    await other.connect({ userId: 'u', claims: { role: ['a', 'b'] }, headers: { origin: 'o' }, request });
    await other.idle();
    expect(seen).toEqual([
      'u',
      ['a', 'b'],
      'o',
      '/rooms',
      [
        ['room', '1'],
        ['negotiateVersion', '1'],
      ],
    ]);
  });

  test.each([
    ['stop', 'client_left', undefined],
    ['drop', 'connection_lost', new Error('the network is gone')],
  ] as const)('ends by %s, and the hub knows when it resolves', async (end, kind, error) => {
    const client = await hub.connect();
    await client[end]();
    expect(events).toEqual([`${client.connectionId} came`, `${client.connectionId} ${kind}`]);
    expect(await client.closed).toEqual(error);
    await expect(client.invoke('say', 'x')).rejects.toThrow('the connection is not open');
    expect(await hub.connections.exists({ connection: client.connectionId })).toBe(false);
  });

  test('is told why the hub ended it, and its calls reject', async () => {
    const client = await hub.connect();
    const told = 'Server returned an error on close: enough';
    await expect(client.invoke('leave')).rejects.toThrow(told);
    expect(await client.closed).toEqual(new Error(told));
    await hub.idle();
    expect(events.at(-1)).toBe(`${client.connectionId} closed_by_app`);
  });

  test('is refused with the words of the handshake', async () => {
    await using strict = testHub(defineHub<Room>({ name: 'room', methods: room.methods, protocols: ['json'] }));
    await expect(strict.connect({ protocol: 'messagepack' })).rejects.toThrow(
      "Server returned handshake error: The protocol 'messagepack' is not supported.",
    );
    await expect(strict.connect({ protocol: 'xml' as 'json' })).rejects.toThrow(TypeError);
  });
});

describe('the service in memory', () => {
  const targets = async (to: Parameters<TestHub<Room>['send']>[0]): Promise<string[]> => {
    const clients = await Promise.all(
      ['alice', 'alice', 'bob', undefined].map((userId) => hub.connect(userId === undefined ? {} : { userId })),
    );
    await clients[0]?.invoke('join', 'g');
    await clients[2]?.invoke('join', 'g');
    await hub.send(to, 'said', 'x');
    await hub.idle();
    return clients.flatMap((client, index) => client.received.map(() => String(index)));
  };

  test.each<[Parameters<TestHub<Room>['send']>[0], string[]]>([
    [{ all: true }, ['0', '1', '2', '3']],
    [{ all: true, except: ['connection-1', 'connection-4'] }, ['1', '2']],
    ['alice', ['0', '1']],
    [{ users: ['alice', 'bob'] }, ['0', '1', '2']],
    [{ group: 'g' }, ['0', '2']],
    [{ group: 'g', except: 'connection-1' }, ['2']],
    [{ groups: ['g', 'g', 'empty'] }, ['0', '2']],
    [{ connection: 'connection-4' }, ['3']],
    [{ connections: ['connection-1', 'nobody'] }, ['0']],
  ])('reaches whom %j means', async (to, expected) => {
    expect(await targets(to)).toEqual(expected);
  });

  test('lets later connections of a user join, as long as said', async () => {
    const present = await hub.connect({ userId: 'u' });
    await hub.userGroups.addToGroup('u', 'standing');
    await hub.userGroups.addToGroup('u', 'minute', { ttlSeconds: 60 });
    await hub.userGroups.addToGroup('u', 'now', { ttlSeconds: 0 });
    vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ['Date'] });
    const later = await hub.connect({ userId: 'u' });
    vi.useRealTimers();
    for (const group of ['standing', 'minute', 'now']) await hub.send({ group }, 'said', group);
    await hub.idle();
    const heard = (of: typeof later): unknown[] => of.received.flatMap((message) => message.arguments ?? []);
    expect([heard(present), heard(later)]).toEqual([['standing', 'minute', 'now'], ['standing']]);
  });

  test('knows who is there', async () => {
    const client = await hub.connect({ userId: 'u' });
    await hub.groups.addToGroup(client.connectionId, 'g');
    expect(await hub.userGroups.isInGroup('u', 'g')).toBe(true);
    expect([await hub.connections.exists({ group: 'g' }), await hub.connections.exists({ user: 'x' })]).toEqual([
      true,
      false,
    ]);
    expect(await hub.connections.count({ all: true })).toBe(1);
    const listed: unknown[] = [];
    for await (const one of hub.connections.list({ group: 'g' })) listed.push(one);
    expect(listed).toEqual([{ connectionId: client.connectionId, userId: 'u' }]);
    await hub.groups.removeFromAllGroups(client.connectionId);
    expect(await hub.connections.exists({ group: 'g' })).toBe(false);
  });

  test('closes whom it is told to, and shows the reason to who may see it', async () => {
    const [plain, trusted] = [await hub.connect(), await hub.connect({ detailedErrors: true })];
    await hub.connections.close({ all: true }, { reason: 'late' });
    expect([await plain.closed, await trusted.closed]).toEqual([
      undefined,
      new Error('Server returned an error on close: late'),
    ]);
    await hub.idle();
    expect(events.filter((event) => event.endsWith('closed_by_app'))).toHaveLength(2);
  });

  test('negotiates as the others do', async () => {
    const { url, accessToken } = await hub.negotiate({ userId: 'u' });
    expect([url, accessToken.split('.').length]).toEqual(['http://localhost/client/?hub=room', 3]);
    expect(hub.name).toBe('room');
  });
});

describe('a test hub', () => {
  test('is idle when nothing is under way; open streams do not count', async () => {
    const client = await hub.connect();
    const stream = client.stream('numbers')[Symbol.asyncIterator]();
    await stream.next();
    await client.send('say', 'x');
    await hub.idle();
    expect(client.received).toHaveLength(1);
    await stream.return?.();
  });

  test('drains its clients when it is closed, and refuses what comes later', async () => {
    const client = await hub.connect();
    await hub.close();
    expect([await client.closed, events.at(-1)]).toEqual([undefined, `${client.connectionId} drain`]);
    await expect(hub.send({ all: true }, 'said', 'x')).rejects.toMatchObject({ code: 'ERR_STOPPED' });
    await expect(hub.groups.addToGroup('c', 'g')).rejects.toMatchObject({ code: 'ERR_STOPPED' });
  });

  test('closes although a call never ends', async () => {
    const client = await hub.connect();
    await client.send('wait');
    await hub.close();
    expect(events.at(-1)).toBe(`${client.connectionId} drain`);
  });

  test('leaves no timer behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] });
    const client = await hub.connect();
    await client.invoke('say', 'x');
    expect(vi.getTimerCount()).toBe(0);
    await hub.close();
    vi.useRealTimers();
  });
});
