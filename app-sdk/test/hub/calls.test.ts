import { HubException } from '@signalbox/app-sdk';
import { describe, expect, test } from 'vitest';
import type { MethodOutcome } from '../../src/observe.ts';
import { hex, unhex, utf8, vectors } from '../protocol/bytes.ts';
import { call, gate, Host, type Options } from './host.ts';

interface Vector {
  readonly id: string;
  readonly json?: string;
  readonly messagepackHex?: string;
}

const rows = new Map(vectors<Vector>('hub-protocol.json').map((row) => [row.id, row]));

/** Answers `id` 1 with the error that a method of this hub ends with. */
async function errorOf(options: Options, target = 'fail', args: readonly unknown[] = []): Promise<unknown> {
  const client = await new Host(options).connect();
  client.send(call(target, args, '1'));
  return ((await client.message()) as { error?: string }).error;
}

const failing = (error: unknown): Options => ({
  methods: {
    fail: () => {
      throw error;
    },
  },
});

describe('a call', () => {
  test.each(['json', 'messagepack'])('is answered with its result, in %s', async (protocol) => {
    const client = await new Host({ methods: { add: async (_hub, a: number, b: number) => a + b } }).connect(protocol);
    client.send(call('add', [40, 2], 'x'));
    expect(await client.message()).toEqual({ kind: 'completion', invocationId: 'x', result: 42 });
  });

  test.each([
    ['json', 'M20'],
    ['messagepack', 'M20'],
  ])('of a method without a result is answered with null, in %s (HP-18)', async (protocol, id) => {
    const client = await new Host({ methods: { quiet: () => undefined } }).connect(protocol);
    client.send(call('quiet', [], 'xyz'));
    const { json = '', messagepackHex = '' } = rows.get(id) ?? {};
    expect(hex(await client.bytes())).toBe(protocol === 'json' ? hex(utf8(json)) : messagepackHex);
  });

  test('without an id is not answered, not even when it fails (HP-15)', async () => {
    const host = new Host({ ...failing(new HubException('no')) });
    const client = await host.connect();
    client.send(call('nope'), call('fail'));
    await host.runtime.idle();
    expect(client.rest()).toEqual([]);
  });

  test('with an empty id in MessagePack is not answered either (HP-21)', async () => {
    const host = new Host({ methods: { add: () => 1 } });
    const client = await host.connect('messagepack');
    client.connection.receive(unhex('0a950180a0a36164649000'.replace(/00$/, '')));
    await host.runtime.idle();
    expect(client.rest()).toEqual([]);
  });

  test.each(['json', 'messagepack'])(
    'of an unknown method is answered as ASP.NET Core does, in %s (HP-16)',
    async (protocol) => {
      const client = await new Host().connect(protocol);
      client.send(call('Nope', [], '1'));
      expect(await client.message()).toEqual({
        kind: 'completion',
        invocationId: '1',
        error: "Failed to invoke 'Nope' due to an error on the server. HubException: Method does not exist.",
      });
    },
  );

  test('with an empty id wants no answer', async () => {
    const client = await new Host({ methods: { add: (_hub, a: number, b: number) => a + b } }).connect();
    client.connection.receive(utf8('{"type":1,"invocationId":"","target":"add","arguments":[1,2]}\u001e'));
    client.send(call('add', [3, 4], '1'));
    expect(await client.message()).toMatchObject({ invocationId: '1', result: 7 });
  });

  test('may have its type behind its arguments (HP-17)', async () => {
    const client = await new Host({ methods: { add: (_hub, a: number, b: number) => a + b } }).connect();
    client.connection.receive(utf8('{"arguments":[1,2],"target":"add","invocationId":"1","type":1}\u001e'));
    expect(await client.message()).toMatchObject({ result: 3 });
  });

  test('of five MessagePack elements is accepted (HP-20)', async () => {
    const client = await new Host({ methods: { add: (_hub, a: number, b: number) => a + b } }).connect('messagepack');
    client.connection.receive(unhex(rows.get('M11')?.messagepackHex ?? ''));
    expect(await client.message()).toMatchObject({ invocationId: '123', result: 42 });
  });

  test.each([[[]], [[1]], [[1, 2, 3]]])('gets the arguments as they came, however many: %j', async (args) => {
    const client = await new Host({ methods: { echo: (_hub, ...given: unknown[]) => given } }).connect();
    client.send(call('echo', args, '1'));
    expect(await client.message()).toMatchObject({ result: args });
  });

  test('of a live id is refused, and the first one is unharmed', async () => {
    const { passed, open } = gate();
    const client = await new Host({ methods: { wait: () => passed } }).connect();
    client.send(call('wait', [], '1'), call('wait', [], '1'));
    expect(await client.message()).toMatchObject({ error: "Invocation ID '1' is already in use." });
    open();
    expect(await client.message()).toEqual({ kind: 'completion', invocationId: '1', result: null });
  });

  test('whose result has no form is answered with an error', async () => {
    expect(await errorOf({ methods: { fail: () => 1n } })).toBe(
      "An unexpected error occurred invoking 'fail' on the server.",
    );
  });

  test('sees the headers of its message', async () => {
    const client = await new Host({ methods: { trace: (hub) => hub.headers.get('traceparent') } }).connect();
    client.connection.receive(
      utf8('{"type":1,"headers":{"traceparent":"00-1"},"invocationId":"1","target":"trace","arguments":[]}\u001e'),
    );
    expect(await client.message()).toMatchObject({ result: '00-1' });
  });
});

describe('the name of a method', () => {
  const options: Options = {
    methods: { sendMessage: () => 'sent', 'room:join': () => 'joined', Straße: () => 'street' },
  };

  test.each([
    ['sendMessage', 'sent'],
    ['SENDMESSAGE', 'sent'],
    ['Room:Join', 'joined'],
    ['STRAßE', 'street'],
  ])('ignores the case of ASCII letters: %s', async (target, result) => {
    const client = await new Host(options).connect();
    client.send(call(target, [], '1'));
    expect(await client.message()).toMatchObject({ result });
  });

  test.each(['toString', 'constructor', '__proto__', 'onConnected', 'inherited', 'STRASSE', 'hasOwnProperty'])(
    'reaches own keys only: not %s',
    async (target) => {
      const methods = Object.assign(Object.create({ inherited: () => 1 }), options.methods);
      expect(await errorOf({ methods, onConnected: () => undefined }, target)).toBe(
        `Failed to invoke '${target}' due to an error on the server. HubException: Method does not exist.`,
      );
    },
  );
});

describe('an error', () => {
  test.each([
    ['of a method is hidden', new Error('secret'), ''],
    ['that is a HubException is told', new HubException('Room is full'), ' HubException: Room is full'],
    ['is known by its name', Object.assign(new Error('full'), { name: 'HubException' }), ' HubException: full'],
  ])('%s (HP-19)', async (_what, error, detail) => {
    expect(await errorOf(failing(error))).toBe(`An unexpected error occurred invoking 'fail' on the server.${detail}`);
  });

  test.each([
    [new RangeError('too much'), 'RangeError: too much'],
    ['plain text', 'Error: plain text'],
  ])('is told with detailed errors: %s', async (error, detail) => {
    expect(await errorOf({ ...failing(error), detailedErrors: true }, 'FAIL')).toBe(
      `An unexpected error occurred invoking 'FAIL' on the server. ${detail}`,
    );
  });

  test('of a method is logged without its arguments; a HubException is not', async () => {
    const host = new Host({
      methods: {
        fail: (_hub, name: string) => {
          throw name === 'secret' ? new Error('broken') : new HubException('no');
        },
      },
    });
    const client = await host.connect();
    client.send(call('fail', ['secret']), call('fail', ['x']));
    await host.runtime.idle();
    expect(host.logged).toMatchObject([['error', { hub: 'chat', method: 'fail' }, 'hub method failed']]);
    expect(JSON.stringify(host.logged)).not.toContain('secret');
  });
});

describe('the observer', () => {
  test.each<[MethodOutcome, string, string]>([
    ['ok', 'fine', 'fine'],
    ['exception', 'refuse', 'refuse'],
    ['error', 'fail', 'fail'],
    ['unauthorized', 'closed', 'closed'],
    ['unknown', 'made-up', 'unknown'],
  ])('hears of a call that ended %s', async (outcome, target, method) => {
    const heard: object[] = [];
    const options = {
      methods: {
        fine: () => 1,
        closed: () => 1,
        ...failing(new Error('x')).methods,
        refuse: () => {
          throw new HubException('no');
        },
      },
      authorize: { closed: () => false },
    } as unknown as Options;
    const host = new Host(options, { observe: { methodEnded: (event) => heard.push(event) } });
    const client = await host.connect();
    client.send(call(target, [], '1'));
    await host.runtime.idle();
    expect(heard).toMatchObject([{ hub: 'chat', method, outcome, ms: expect.any(Number) }]);
  });
});
