import { HubException, type HubFilter } from '@signalbox/app-sdk';
import { describe, expect, test } from 'vitest';
import type { MethodOutcome } from '../../src/observe.ts';
import { hex, text, unhex, utf8, vectors } from '../protocol/bytes.ts';
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

  test.each([
    ['json', 'json'],
    ['messagepack', 'messagepackHex'],
  ] as const)('of an unknown method is answered with M23, in %s (HP-16)', async (protocol, column) => {
    const client = await new Host().connect(protocol);
    client.send(call('Nope', [], '1'));
    const bytes = await client.bytes();
    expect(protocol === 'json' ? text(bytes) : hex(bytes)).toBe(rows.get('M23')?.[column]);
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
      expect(await errorOf({ methods, onConnected: () => undefined }, target)).toBe(`Unknown hub method '${target}'`);
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

describe('authorize', () => {
  test('asks the rule for all first, then the own one, with the name as the contract spells it', async () => {
    const asked: unknown[] = [];
    const rule =
      (name: string) =>
      (_hub: unknown, { method, arguments: args }: { method: string; arguments: readonly unknown[] }) => {
        asked.push([name, method, args]);
        return true;
      };
    const options = { methods: { join: () => 1 }, authorize: { '*': rule('*'), join: rule('join') } } as Options;
    expect(await errorOf(options, 'JOIN', ['lobby'])).toBeUndefined();
    expect(asked).toEqual([
      ['*', 'join', ['lobby']],
      ['join', 'join', ['lobby']],
    ]);
  });

  test.each([[false], [async () => false], [1], [undefined]])('lets only true pass, not %s', async (answer) => {
    const rule = typeof answer === 'function' ? answer : () => answer;
    const ran: string[] = [];
    const methods = { join: () => ran.push('join') };
    const options = { methods, authorize: { '*': () => true, join: rule }, detailedErrors: true } as unknown as Options;
    expect(await errorOf(options, 'Join')).toBe("Failed to invoke 'Join' because user is unauthorized");
    expect(ran).toEqual([]);
  });

  test('that throws ends the call as an exception does', async () => {
    const rule = () => {
      throw new HubException('banned');
    };
    expect(await errorOf({ methods: { join: () => 1 }, authorize: { join: rule } } as Options, 'join')).toBe(
      "An unexpected error occurred invoking 'join' on the server. HubException: banned",
    );
  });
});

describe('validate', () => {
  const numbers = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: async (value: unknown) =>
        Array.isArray(value) && value.every((one) => typeof one === 'number')
          ? { value: value.map((one: number) => one * 2) }
          : { issues: [{ message: 'numbers only' }] },
    },
  };
  const options: Options = { methods: { add: (_hub, a: number, b: number) => a + b }, validate: { add: numbers } };

  test('gives the method what it puts out', async () => {
    const client = await new Host(options).connect();
    client.send(call('add', [1, 2], '1'));
    expect(await client.message()).toMatchObject({ result: 6 });
  });

  test('refuses with the text of a binding error', async () => {
    const text = "Failed to invoke 'add' due to an error on the server.";
    expect(await errorOf(options, 'add', ['x'])).toBe(text);
    expect(await errorOf({ ...options, detailedErrors: true }, 'add', ['x'])).toBe(
      `${text} InvalidDataException: Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked.`,
    );
  });

  test('is asked after authorize', async () => {
    expect(await errorOf({ ...options, authorize: { add: () => false } }, 'add', ['x'])).toContain('unauthorized');
  });
});

describe('filters', () => {
  const order: string[] = [];
  const filter =
    (name: string): HubFilter =>
    async (event, next) => {
      order.push(`${name} ${event.kind === 'invocation' ? event.method : event.kind}`);
      const result = await next();
      order.push(name);
      return typeof result === 'number' ? result + 1 : result;
    };

  test('of the host run around those of the hub, connects and disconnects included', async () => {
    const host = new Host({ methods: { one: () => 1 }, filters: [filter('hub')] }, { filters: [filter('host')] });
    const client = await host.connect();
    client.send(call('ONE', [], '1'));
    expect(await client.message()).toMatchObject({ result: 3 });
    await client.connection.end({ kind: 'client_left' });
    expect(order).toEqual(
      ['connected', 'one', 'disconnected'].flatMap((what) => [`host ${what}`, `hub ${what}`, 'hub', 'host']),
    );
  });

  test('refuse by throwing instead of calling next', async () => {
    const refuse: HubFilter = async (event, next) => {
      if (event.kind === 'invocation') throw new HubException('closed today');
      return await next();
    };
    expect(await errorOf({ methods: { one: () => 1 }, filters: [refuse] }, 'one')).toContain(
      ' HubException: closed today',
    );
  });
});

describe('the line of a client', () => {
  test('is one call at a time, in the order of arrival', async () => {
    const seen: string[] = [];
    const gates = [gate(), gate()];
    const methods = {
      wait: async (_hub: unknown, index: number) => {
        seen.push(`${index} starts`);
        await gates[index]?.passed;
        seen.push(`${index} ends`);
        return index;
      },
    };
    const client = await new Host({ methods }).connect();
    client.send(call('wait', [0], '0'), call('wait', [1], '1'));
    gates[1]?.open();
    gates[0]?.open();
    expect([await client.message(), await client.message()]).toMatchObject([{ result: 0 }, { result: 1 }]);
    expect(seen).toEqual(['0 starts', '0 ends', '1 starts', '1 ends']);
  });

  test('runs as many at a time as the hub says', async () => {
    let running = 0;
    let most = 0;
    const { passed, open } = gate();
    const methods = {
      wait: async () => {
        most = Math.max(most, ++running);
        if (running === 2) open();
        await passed;
        running--;
      },
    };
    const client = await new Host({ methods, parallelInvocations: 2 }).connect();
    client.send(...['1', '2', '3'].map((id) => call('wait', [], id)));
    for (const _ of [1, 2, 3]) await client.message();
    expect(most).toBe(2);
  });

  test('holds 1 MiB; with more the client is closed, app_slow, and what waited never runs', async () => {
    let runs = 0;
    const { passed, open } = gate();
    const { passed: started, open: start } = gate();
    const wait = () => {
      runs++;
      start();
      return passed;
    };
    const reasons: string[] = [];
    const host = new Host({ methods: { wait }, onDisconnected: (_hub, { kind }) => void reasons.push(kind) });
    const client = await host.connect();
    const big = call('wait', ['x'.repeat(32_000)]);
    client.send(big);
    await started;
    for (let n = 0; n < 32; n++) client.send(big);
    expect([client.closed, client.connection.load > 1_000_000]).toEqual([undefined, true]);
    client.send(big);
    expect(await client.message()).toMatchObject({ kind: 'close', allowReconnect: true });
    open();
    await host.runtime.idle();
    expect([runs, reasons]).toEqual([1, ['app_slow']]);
  });

  test('does not hold up the line of another client', async () => {
    const { passed, open } = gate();
    const host = new Host({ methods: { wait: () => passed, now: () => 1 } });
    const slow = await host.connect('json', { connectionId: 'slow' });
    const other = await host.connect('json', { connectionId: 'other' });
    slow.send(call('wait'), call('now', [], '1'));
    other.send(call('now', [], '1'));
    expect(await other.message()).toMatchObject({ result: 1 });
    expect(slow.rest()).toEqual([]);
    open();
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
