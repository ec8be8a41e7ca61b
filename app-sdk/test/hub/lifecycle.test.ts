import { type DepartedHub, type DisconnectReason, HubException } from '@signalbox/app-sdk';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { utf8 } from '../protocol/bytes.ts';
import { freezeTime } from '../support/freeze-time.ts';
import { call, gate, Host, type Options, type Wild } from './host.ts';

afterEach(() => void vi.useRealTimers());

const shake = utf8('{"protocol":"json","version":1}\u001e');

describe('onConnected', () => {
  test('ends before the first call', async () => {
    const { passed, open } = gate();
    const seen: string[] = [];
    const host = new Host({
      methods: { first: () => void seen.push('call') },
      onConnected: async () => {
        await passed;
        seen.push('connected');
      },
    });
    const client = host.open();
    client.connection.receive(shake);
    client.send(call('first', [], '1'));
    expect(await client.text()).toBe('{}\u001e');
    open();
    await client.message();
    expect(seen).toEqual(['connected', 'call']);
  });

  test.each([
    [new Error('secret'), ''],
    [new HubException('banned'), ' HubException: banned'],
  ])('that throws closes the client for good, and onDisconnected is not called: %s', async (error, detail) => {
    const reasons: unknown[] = [];
    const host = new Host({
      methods: { first: () => reasons.push('call') },
      onConnected: () => {
        throw error;
      },
      onDisconnected: (_hub, reason) => void reasons.push(reason),
    });
    const client = host.open();
    client.connection.receive(shake);
    client.send(call('first'));
    await host.runtime.idle();
    expect(client.rest()).toEqual(['{}\u001e', `{"type":7,"error":"Connection closed with an error.${detail}"}\u001e`]);
    expect([client.closed !== undefined, reasons, host.runtime.connections.size]).toEqual([true, [], 0]);
    expect(host.logged.map(([, , text]) => text)).toEqual(detail === '' ? ['onConnected failed'] : []);
  });

  test('whose client leaves meanwhile is followed by onDisconnected', async () => {
    const { passed, open } = gate();
    const order: string[] = [];
    const host = new Host({
      onConnected: async (hub) => {
        await passed;
        order.push(`connected ${hub.signal.aborted}`);
      },
      onDisconnected: (_hub, { kind }) => void order.push(kind),
    });
    const client = host.open();
    client.connection.receive(shake);
    const ended = client.connection.end({ kind: 'connection_lost' });
    open();
    await ended;
    expect(order).toEqual(['connected true', 'connection_lost']);
  });

  test('finds the items of its connection; a maker that throws closes the client', async () => {
    const host = new Host({
      items: () => {
        throw new Error('no items');
      },
    });
    const client = host.open();
    client.connection.receive(shake);
    expect(client.rest()).toEqual(['{}\u001e', '{"type":7,"error":"Connection closed with an error."}\u001e']);
    expect([host.runtime.connections.size, host.logged.length]).toEqual([0, 1]);
  });
});

describe('onDisconnected', () => {
  test.each<[DisconnectReason['kind']]>([['connection_lost'], ['link_lost'], ['migrated'], ['drain'], ['other']])(
    'is called once, with the reason of the host: %s',
    async (kind) => {
      const reasons: DisconnectReason[] = [];
      const host = new Host({ onDisconnected: (_hub, reason) => void reasons.push(reason) });
      const client = await host.connect();
      const error = new Error('why');
      await Promise.all([client.connection.end({ kind, error }), client.connection.end({ kind: 'idle' })]);
      expect([reasons, client.rest(), client.closed]).toEqual([[{ kind, error }], [], undefined]);
    },
  );

  test('follows the Close message of a client, which is answered (HP-34)', async () => {
    const reasons: DisconnectReason[] = [];
    const host = new Host({ onDisconnected: (_hub, reason) => void reasons.push(reason) });
    const client = await host.connect();
    client.send({ kind: 'close' });
    await host.runtime.idle();
    expect([client.rest(), client.closed, reasons]).toEqual([
      ['{"type":7}\u001e'],
      { error: undefined },
      [{ kind: 'client_left' }],
    ]);
  });

  test('of a drain lets the client come back (HP-35)', async () => {
    const client = await new Host().connect();
    await client.connection.close('drain', { allowReconnect: true });
    expect([client.rest(), client.kinds.at(-1)]).toEqual([['{"type":7,"allowReconnect":true}\u001e'], 'close']);
  });

  test('has no caller and nobody to join, but all others, items, and a signal that is not aborted', async () => {
    const seen: DepartedHub<Wild>[] = [];
    const host = new Host({ onDisconnected: (hub) => void seen.push(hub) });
    const client = await host.connect('json', { connectionId: 'c7' });
    await client.connection.end({ kind: 'client_left' });
    const [hub] = seen as [DepartedHub<Wild>];
    expect(['caller' in hub.clients, 'join' in hub.groups]).toEqual([false, false]);
    expect([hub.signal.aborted, hub.context.signal.aborted, hub.headers.size]).toEqual([false, true, 0]);
    await hub.clients.others.say();
    expect(host.gateway.log.at(-2)).toEqual({ all: true, except: ['c7'] });
  });

  test('finds no call that had not started yet: those never do', async () => {
    const ran: string[] = [];
    const client = await new Host({ methods: { late: () => ran.push('late') } }).connect();
    client.send(call('late'));
    await client.connection.end({ kind: 'connection_lost' });
    expect(ran).toEqual([]);
  });

  test('comes after the calls, whose signals abort', async () => {
    const order: string[] = [];
    const { passed: started, open } = gate();
    const methods: Options['methods'] = {
      wait: (hub) =>
        new Promise<void>((resolve) => {
          open();
          hub.signal.addEventListener('abort', () => {
            order.push('aborted');
            resolve();
          });
        }),
    };
    const host = new Host({ methods, onDisconnected: () => void order.push('disconnected') });
    const client = await host.connect();
    client.send(call('wait', [], '1'), call('wait', [], '2'));
    await started;
    await client.connection.end({ kind: 'link_lost' });
    expect([order, client.rest()]).toEqual([['aborted', 'disconnected'], []]);
  });

  test('does not wait longer than 1 s for a call', async () => {
    const { passed: started, open } = gate();
    const stuck = () => {
      open();
      return new Promise(() => undefined);
    };
    const client = await new Host({ methods: { stuck } }).connect();
    client.send(call('stuck'));
    await started;
    freezeTime();
    let ended = false;
    const ending = client.connection.end({ kind: 'drain' }).then(() => (ended = true));
    await vi.advanceTimersByTimeAsync(999);
    expect(ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await ending;
  });

  test('that throws is logged', async () => {
    const host = new Host({
      onDisconnected: () => {
        throw new Error('oops');
      },
    });
    await (await host.connect()).connection.end({ kind: 'client_left' });
    expect(host.logged).toMatchObject([['error', { hub: 'chat' }, 'onDisconnected failed']]);
  });
});

describe('the context', () => {
  test('tells who is there, as the service announced it', async () => {
    const seen: unknown[] = [];
    const onConnected: Options['onConnected'] = ({ context }) => {
      const { connectionId, userId, protocol, path, remoteAddress, claims, headers, query } = context;
      seen.push(connectionId, userId, protocol, path, remoteAddress, claims.get('role'));
      seen.push(headers.get('user-agent'), [...query]);
    };
    const host = new Host({ onConnected });
    await host.connect('messagepack', {
      connectionId: 'c9',
      claims: [
        ['asrs.s.uid', 'alice'],
        ['role', 'admin'],
      ],
      headers: [
        ['User-Agent', 'x'],
        ['bad name', 'y'],
      ],
      query: '?hub=chat&asrs.op=%2Fchat&room=1&room=2&asrs_request_id=7',
      remoteAddress: '10.0.0.1',
    });
    const query = [
      ['hub', 'chat'],
      ['room', '1'],
      ['room', '2'],
    ];
    expect(seen).toEqual(['c9', 'alice', 'messagepack', '/chat', '10.0.0.1', 'admin', 'x', query]);
  });

  test('keeps the items of one connection from call to call', async () => {
    const methods = { count: ({ context }: { context: { items: { n: number } } }) => ++context.items.n };
    const host = new Host({ methods, items: () => ({ n: 0 }) } as unknown as Options);
    const [a, b] = [
      await host.connect('json', { connectionId: 'a' }),
      await host.connect('json', { connectionId: 'b' }),
    ];
    a.send(call('count', [], '1'), call('count', [], '2'));
    b.send(call('count', [], '1'));
    expect([await a.message(), await a.message(), await b.message()]).toMatchObject([
      { result: 1 },
      { result: 2 },
      { result: 1 },
    ]);
  });

  test.each([
    [undefined, '{"type":7}\u001e'],
    ['signed out', '{"type":7,"error":"signed out"}\u001e'],
  ])('aborts its connection, with reason %s', async (reason, bytes) => {
    const reasons: DisconnectReason[] = [];
    const host = new Host({
      methods: { bye: ({ context }) => context.abort(reason) },
      onDisconnected: (_hub, { kind }) => void reasons.push({ kind }),
    });
    const client = await host.connect();
    client.send(call('bye', [], '1'), call('bye', [], '2'));
    await host.runtime.idle();
    expect([client.rest(), reasons]).toEqual([[bytes], [{ kind: 'closed_by_app' }]]);
  });
});

describe('the observer', () => {
  test('hears of each client that came and went', async () => {
    const heard: unknown[] = [];
    const observe = {
      clientConnected: (event: object) => void heard.push(event),
      clientDisconnected: (event: object) => void heard.push(event),
    };
    const host = new Host({}, { observe });
    host.open('json', { connectionId: 'silent' });
    const client = await host.connect();
    await client.connection.end({ kind: 'migrated' });
    await host.runtime.connections.get('silent')?.end({ kind: 'connection_lost' });
    expect(heard).toEqual([{ hub: 'chat' }, { hub: 'chat', reason: 'migrated', ms: expect.any(Number) }]);
  });
});

describe('a connection id that is opened again', () => {
  test('ends the old connection', async () => {
    const kinds: string[] = [];
    const host = new Host({ onDisconnected: (_hub, { kind }) => void kinds.push(kind) });
    await host.connect();
    const again = await host.connect();
    expect([kinds, host.runtime.connections.get('c1') === again.connection]).toEqual([['other'], true]);
  });
});
