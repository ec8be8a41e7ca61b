import { HubException } from '@signalbox/app-sdk';
import { describe, expect, test } from 'vitest';
import type { HubMessage } from '../../src/protocol/hub.ts';
import { hex, text, vectors } from '../protocol/bytes.ts';
import { call, gate, Host } from './host.ts';

interface Vector {
  readonly id: string;
  readonly json?: string;
  readonly messagepackHex?: string;
}

const rows = new Map(vectors<Vector>('hub-protocol.json').map((row) => [row.id, row]));

const stream = (target: string, args: readonly unknown[] = [], invocationId = '1'): HubMessage => ({
  kind: 'streamInvocation',
  invocationId,
  target,
  arguments: args,
});
const cancel = (invocationId: string): HubMessage => ({ kind: 'cancelInvocation', invocationId });
const item = (invocationId: string, value: unknown): HubMessage => ({ kind: 'streamItem', invocationId, item: value });
const end = (invocationId: string, error?: string): HubMessage => ({ kind: 'completion', invocationId, error });

async function* count(from: number, to: number): AsyncGenerator<number> {
  for (let n = from; n < to; n++) yield n;
}

describe('a stream to the client', () => {
  test.each(['json', 'messagepack'])('is items and one empty completion, in %s (HP-22)', async (protocol) => {
    async function* letters() {
      yield 'a';
      yield 'a';
    }
    const client = await new Host({ methods: { letters } }).connect(protocol);
    client.send(stream('letters'));
    const column = protocol === 'json' ? 'json' : 'messagepackHex';
    for (const id of ['S40', 'S40', 'S38']) {
      const bytes = await client.bytes();
      expect(protocol === 'json' ? text(bytes) : hex(bytes)).toBe(rows.get(id)?.[column]);
    }
  });

  test('may come from a promise, and from any async iterable', async () => {
    const client = await new Host({ methods: { later: async (_hub, to: number) => count(0, to) } }).connect();
    client.send(stream('later', [1]));
    expect([await client.message(), await client.message()]).toEqual([item('1', 0), end('1')]);
  });

  test('runs beside the line', async () => {
    const { passed, open } = gate();
    const methods = { wait: () => passed, count: (_hub: unknown, to: number) => count(0, to) };
    const client = await new Host({ methods }).connect();
    client.send(call('wait', [], '0'), stream('count', [1]));
    expect([await client.message(), await client.message()]).toEqual([item('1', 0), end('1')]);
    open();
    expect(await client.message()).toMatchObject({ invocationId: '0' });
  });

  test('is pulled no faster than the link takes it', async () => {
    let pulled = 0;
    const { passed, open } = gate();
    async function* numbers() {
      for (;;) yield pulled++;
    }
    const client = await new Host({ methods: { numbers } }).connect();
    client.full = passed;
    client.send(stream('numbers'));
    expect(await client.message()).toEqual(item('1', 0));
    await Promise.resolve();
    expect([pulled, client.rest()]).toEqual([1, []]);
    client.send(cancel('1'));
    open();
    expect(await client.message()).toEqual(end('1'));
  });

  test('is cancelled by the client: return() is called, the signal aborts, an empty completion follows (HP-23)', async () => {
    const { passed: returned, open } = gate();
    const { passed: told, open: tell } = gate();
    const outcomes: string[] = [];
    let signal: AbortSignal | undefined;
    const methods = {
      async *wait(hub: { signal: AbortSignal }) {
        signal = hub.signal;
        try {
          yield 1;
          await new Promise((_resolve, reject) =>
            hub.signal.addEventListener('abort', () => reject(new Error('late'))),
          );
        } finally {
          open();
        }
      },
    };
    const methodEnded = ({ outcome }: { outcome: string }) => {
      outcomes.push(outcome);
      tell();
    };
    const host = new Host({ methods }, { observe: { methodEnded } });
    const client = await host.connect();
    client.send(stream('wait'));
    await client.message();
    client.send(cancel('1'));
    expect(await client.message()).toEqual(end('1'));
    await Promise.all([returned, told]);
    expect([signal?.aborted, outcomes, host.logged, client.rest()]).toEqual([true, ['cancelled'], [], []]);
  });

  test('is given return() when the connection ends', async () => {
    const { passed: asked, open: ask } = gate();
    const { passed: returned, open } = gate();
    const iterable = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          ask();
          return new Promise(() => undefined);
        },
        return: async () => {
          open();
          return { done: true };
        },
      }),
    };
    const client = await new Host({ methods: { endless: () => iterable } }).connect();
    client.send(stream('endless'));
    await asked;
    await client.connection.end({ kind: 'connection_lost' });
    await returned;
    expect(client.rest()).toEqual([]);
  });

  test.each([
    [new Error('secret'), ''],
    [new HubException('no more'), ' HubException: no more'],
  ])('that breaks ends with its own text: %s', async (error, detail) => {
    const methods = {
      async *broken() {
        yield 1;
        throw error;
      },
    };
    const client = await new Host({ methods }).connect();
    client.send(stream('broken'));
    await client.message();
    expect(await client.message()).toEqual(
      end('1', `An error occurred on the server while streaming results.${detail}`),
    );
  });

  test('ends with an error when an item has no form, and the source is given return()', async () => {
    const { passed: returned, open } = gate();
    const methods = {
      async *big() {
        try {
          yield 1n;
        } finally {
          open();
        }
      },
    };
    const client = await new Host({ methods }).connect();
    client.send(stream('big'));
    expect(await client.message()).toEqual(end('1', 'An error occurred on the server while streaming results.'));
    await returned;
  });

  test('cannot be invoked, nor a plain method streamed', async () => {
    const client = await new Host({ methods: { many: () => count(0, 1), one: () => 1 } }).connect();
    client.send(call('many', [], '1'));
    expect(await client.message()).toEqual(
      end('1', "The client attempted to invoke the streaming 'many' method with a non-streaming invocation."),
    );
    client.send(stream('one', [], '2'));
    expect(await client.message()).toEqual(
      end('2', "The client attempted to invoke the non-streaming 'one' method with a streaming invocation."),
    );
  });

  test('has an id of its own', async () => {
    const client = await new Host({ methods: { wait: () => count(0, 1) } }).connect();
    client.full = new Promise(() => undefined);
    client.send(stream('wait'), stream('wait'));
    expect([await client.message(), await client.message()]).toContainEqual(
      end('1', "Invocation ID '1' is already in use."),
    );
  });

  test('that nobody knows is not cancelled (HP-24)', async () => {
    const host = new Host();
    const client = await host.connect();
    client.send(cancel('9'));
    await host.runtime.idle();
    expect([client.rest(), client.closed]).toEqual([[], undefined]);
  });
});
