import { describe, expect, test } from 'vitest';
import type { HubMessage } from '../../src/protocol/hub.ts';
import { turn } from '../../src/testing/turn.ts';
import { type Client, call, gate, Host, type Options } from './host.ts';

const item = (invocationId: string, value: unknown): HubMessage => ({ kind: 'streamItem', invocationId, item: value });
const end = (invocationId: string, error?: string): HubMessage => ({ kind: 'completion', invocationId, error });

describe('an upload', () => {
  const options: Options = {
    methods: {
      async sum(_hub, start: number, numbers: AsyncIterable<number>) {
        let sum = start;
        for await (const n of numbers) sum += n;
        return sum;
      },
      async first(_hub, numbers: AsyncIterable<number>) {
        for await (const n of numbers) return n;
        return undefined;
      },
    },
  };
  const upload = (target: string, args: readonly unknown[], streamIds: string[]): HubMessage => ({
    kind: 'invocation',
    invocationId: '1',
    target,
    arguments: args,
    streamIds,
  });

  test.each(['json', 'messagepack'])('is an async iterable behind the other arguments, in %s', async (protocol) => {
    const client = await new Host(options).connect(protocol);
    client.send(upload('sum', [10], ['0']), item('0', 1), item('0', 2), end('0'));
    expect(await client.message()).toMatchObject({ invocationId: '1', result: 13 });
  });

  test('stands in its place when arguments before it are missing', async () => {
    const client = await new Host(options).connect();
    client.send(upload('sum', [], ['0']), item('0', 1), end('0'));
    expect(await client.message()).toMatchObject({ result: null });
  });

  test('that the client fails throws in the loop, and the call is answered (HP-25)', async () => {
    const client = await new Host(options).connect();
    client.send(upload('sum', [0], ['0']), item('0', 1), item('0', 2), item('0', 3), end('0', 'disk full'));
    expect(await client.message()).toEqual(
      end('1', "An unexpected error occurred invoking 'sum' on the server. HubException: disk full"),
    );
  });

  test('whose loop is left ends; late items and its end do nothing (HP-26)', async () => {
    const host = new Host(options);
    const client = await host.connect();
    client.send(upload('first', [], ['0']), item('0', 7));
    expect(await client.message()).toMatchObject({ result: 7 });
    client.send(item('0', 8), end('0'), item('never', 1));
    await host.runtime.idle();
    expect([client.rest(), client.closed]).toEqual([[], undefined]);
  });

  test('that its method does not read ends with the call: nothing waits, and its id is free again', async () => {
    const client = await new Host({ methods: { ignore: () => 1 } }).connect();
    for (const _ of [1, 2]) {
      client.send(upload('ignore', [], ['0']));
      expect(await client.message()).toMatchObject({ result: 1 });
      await turn();
      for (let n = 0; n < 20; n++) client.send(item('0', n));
      expect(client.connection.load).toBe(0);
    }
  });

  test('that the client has ended leaves its id free, while its call goes on', async () => {
    const client = await new Host(options).connect();
    client.send(upload('sum', [0], ['0']), item('0', 1), end('0'));
    client.send({ ...(upload('sum', [0], ['0']) as object), invocationId: '2' } as HubMessage, item('0', 2), end('0'));
    expect([await client.message(), await client.message()]).toMatchObject([
      { invocationId: '1', result: 1 },
      { invocationId: '2', result: 2 },
    ]);
  });

  test('runs beside the line, and keeps nothing waiting while it is full', async () => {
    const { passed, open } = gate();
    const host = new Host({
      uploadBuffer: 1,
      methods: {
        async slow(_hub, numbers: AsyncIterable<number>) {
          await passed;
          const all: number[] = [];
          for await (const n of numbers) all.push(n);
          return all;
        },
        now: () => 'now',
      },
    });
    const client = await host.connect();
    client.send(upload('slow', [], ['0']));
    const before = client.connection.load;
    client.send(item('0', 1));
    expect(client.connection.load).toBe(before);
    client.send(item('0', 2), item('0', 3), end('0'), call('now', [], '2'));
    expect(client.connection.load).toBeGreaterThan(before);
    expect(await client.message()).toMatchObject({ invocationId: '2', result: 'now' });
    open();
    expect(await client.message()).toMatchObject({ invocationId: '1', result: [1, 2, 3] });
    await host.runtime.idle();
    expect(client.connection.load).toBe(0);
  });

  test('that overflows 1 MiB closes its own client', async () => {
    const reasons: string[] = [];
    const host = new Host({
      methods: { never: (hub) => new Promise((resolve) => hub.signal.addEventListener('abort', resolve)) },
      onDisconnected: (_hub, { kind }) => void reasons.push(kind),
    });
    const client = await host.connect();
    client.send(upload('never', [], ['0']));
    const fill = (of: Client): void => of.send(item('0', 'x'.repeat(32_000)));
    for (let n = 0; n < 45 && client.closed === undefined; n++) fill(client);
    expect(client.closed).toBeDefined();
    expect(await client.message()).toMatchObject({ kind: 'close' });
    await host.runtime.idle();
    expect(reasons).toEqual(['app_slow']);
  });

  test('throws in the loop when the connection ends', async () => {
    const { passed: started, open: start } = gate();
    const thrown: unknown[] = [];
    const methods = {
      async read(_hub: unknown, numbers: AsyncIterable<number>) {
        start();
        try {
          for await (const _ of numbers);
        } catch (error) {
          thrown.push(error);
        }
      },
    };
    const client = await new Host({ methods }).connect();
    client.send(upload('read', [], ['0']));
    await started;
    await client.connection.end({ kind: 'connection_lost' });
    expect(thrown).toMatchObject([{ code: 'ERR_CLIENT_GONE', connectionId: 'c1' }]);
  });

  test('of a live stream id is refused', async () => {
    const client = await new Host(options).connect();
    client.send(upload('first', [], ['0', '0']));
    expect(await client.message()).toEqual(end('1', "Stream ID '0' is already in use."));
  });

  test('may go both ways at once', async () => {
    const methods = {
      async *double(_hub: unknown, numbers: AsyncIterable<number>) {
        for await (const n of numbers) yield n * 2;
      },
    };
    const client = await new Host({ methods }).connect();
    client.send({ kind: 'streamInvocation', invocationId: '1', target: 'double', arguments: [], streamIds: ['0'] });
    client.send(item('0', 1));
    expect(await client.message()).toEqual(item('1', 2));
    client.send(item('0', 2), end('0'));
    expect([await client.message(), await client.message()]).toEqual([item('1', 4), end('1')]);
  });
});
