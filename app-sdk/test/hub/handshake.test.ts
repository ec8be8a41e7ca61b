import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { hex, pieces, text, unhex, utf8, vectors } from '../protocol/bytes.ts';
import { call, Host, type Options } from './host.ts';

interface Vector {
  readonly id: string;
  readonly hex?: string;
  readonly text?: string;
}

const rows = new Map(vectors<Vector>('hub-protocol.json').map((row) => [row.id, row]));
const bytes = (id: string): Uint8Array => unhex(rows.get(id)?.hex ?? '');

const options: Options = { methods: { add: (_hub, a: number, b: number) => a + b } };

describe('the handshake', () => {
  test.each(['H01', 'H02', 'H03', 'H04'])('of %s is answered with H05 before anything else (HP-1)', async (id) => {
    const client = new Host(options).open();
    client.connection.receive(bytes(id));
    expect(hex(await client.bytes())).toBe(hex(bytes('H05')));
    expect(client.kinds).toEqual(['handshake']);
  });

  test.each([[[1]], [[1, 20]], [[31]]])('may come in pieces, cut at %j (HP-2)', async (cuts) => {
    const client = new Host(options).open();
    const whole = utf8(
      `${text(bytes('H01'))}{"type":6}\u001e{"type":1,"invocationId":"1","target":"add","arguments":[1,2]}\u001e`,
    );
    for (const piece of pieces(whole, cuts)) client.connection.receive(piece);
    expect(await client.text()).toBe('{}\u001e');
    expect(await client.text()).toBe('{"type":3,"invocationId":"1","result":3}\u001e');
    expect(client.rest()).toEqual([]);
  });

  test('names the protocol in any case (HP-6)', async () => {
    const client = new Host(options).open();
    client.connection.receive(utf8('{"protocol":"JSON","version":0}\u001e'));
    expect(await client.text()).toBe('{}\u001e');
    expect(client.connection.connected).toBe(true);
  });

  test.each([
    ['an unknown protocol', '{"protocol":"xml","version":1}', 'H07'],
    ['a version that is too high', '{"protocol":"json","version":3}', 'H08'],
    ['a request over the limit', '{'.repeat(32_768), 'H06'],
  ])('with %s is refused and the client closed (HP-4, 5, 8)', async (_what, request, answer) => {
    const host = new Host(options);
    const client = host.open();
    client.connection.receive(utf8(`${request}\u001e`));
    expect(hex(await client.bytes())).toBe(hex(bytes(answer)));
    expect(client.closed).toBeDefined();
    client.send(call('add', [1, 2], '1'));
    await host.runtime.idle();
    expect([client.rest(), host.runtime.connections.size]).toEqual([[], 0]);
  });

  test('is refused as soon as the limit is passed, before its end', async () => {
    const client = new Host(options).open();
    client.connection.receive(new Uint8Array(32_768).fill(0x20));
    expect(hex(await client.bytes())).toBe(hex(bytes('H06')));
  });

  test('that is no JSON, or lacks a member, is refused with the text for all else', async () => {
    const client = new Host(options).open();
    client.connection.receive(utf8('{"protocol":"json"}\u001e'));
    expect(await client.text()).toBe('{"error":"An unexpected error occurred during connection handshake."}\u001e');
  });

  test('in a protocol that the hub does not offer is refused', async () => {
    const client = new Host({ ...options, protocols: ['json'] }).open();
    client.connection.receive(bytes('H02'));
    expect(await client.text()).toBe(`{"error":"The protocol 'messagepack' is not supported."}\u001e`);
  });

  test('of a client that is drained before it is refused', async () => {
    const client = new Host(options).open();
    await client.connection.close('drain', { allowReconnect: true });
    expect(hex(await client.bytes())).toBe(hex(bytes('H06')));
    expect(client.closed).toBeDefined();
  });

  describe('that does not come', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    test('in 15 s is refused (HP-7)', async () => {
      const client = new Host(options).open();
      await vi.advanceTimersByTimeAsync(14_000);
      expect(client.rest()).toEqual([]);
      await vi.advanceTimersByTimeAsync(2000);
      expect(hex(await client.bytes())).toBe(hex(bytes('H06')));
      expect(client.closed).toBeDefined();
    });
  });
});

describe('bytes after the handshake', () => {
  const one = '{"type":1,"invocationId":"1","target":"add","arguments":[1,2]}\u001e';

  test('may be cut anywhere, in both protocols (HP-11)', async () => {
    for (const protocol of ['json', 'messagepack']) {
      const { protocol: codec } = new Host(options).open(protocol);
      const messages = [call('add', [1, 2], '1'), call('add', [3, 4], '2')].map((message) => codec.write(message));
      const whole = new Uint8Array(Buffer.concat(messages));
      for (let cut = 1; cut < whole.length; cut++) {
        const host = new Host(options);
        const client = await host.connect(protocol);
        for (const piece of pieces(whole, [cut])) client.connection.receive(piece);
        expect([await client.message(), await client.message()]).toMatchObject([{ result: 3 }, { result: 7 }]);
      }
    }
  });

  test.each([
    ['json', '{"type":42}\u001e'],
    ['messagepack', unhex('02912a')],
  ])('of an unknown type are skipped in %s (HP-12)', async (protocol, unknown) => {
    const client = await new Host(options).connect(protocol);
    client.connection.receive(typeof unknown === 'string' ? utf8(unknown) : unknown);
    client.send(call('add', [1, 2], '1'));
    expect(await client.message()).toMatchObject({ kind: 'completion', result: 3 });
  });

  test.each(['json', 'messagepack'])(
    'of exactly 32,768 bytes are handled, of one more they end it, in %s (HP-13)',
    async (protocol) => {
      const host = new Host({ methods: { size: (_hub, value: string) => value.length } });
      const client = await host.connect(protocol);
      const frame = client.protocol.write(call('size', ['x'.repeat(30_000)], '1')).length;
      const fits = 30_000 + 32_768 - frame;
      client.send(call('size', ['x'.repeat(fits)], '1'));
      expect(await client.message()).toMatchObject({ result: fits });
      client.send(call('size', ['x'.repeat(fits + 1)], '2'));
      expect(await client.message()).toMatchObject({
        kind: 'close',
        error: 'Connection closed with an error.',
        allowReconnect: true,
      });
      expect(client.closed).toEqual({ error: 'Connection closed with an error.' });
    },
  );

  test.each([
    ['json', utf8('{"type":1,\u001e')],
    ['messagepack', unhex('ffffffffff01')],
  ])('that are malformed end the connection with S37, in %s (HP-14)', async (protocol, malformed) => {
    const kinds: string[] = [];
    const host = new Host({ ...options, onDisconnected: (_hub, { kind }) => void kinds.push(kind) });
    const client = await host.connect(protocol);
    client.connection.receive(malformed);
    expect(await client.message()).toMatchObject({
      kind: 'close',
      error: 'Connection closed with an error.',
      allowReconnect: true,
    });
    await host.runtime.idle();
    expect([client.kinds.at(-1), kinds]).toEqual(['close', ['bad_message']]);
  });

  test('are dropped once the connection has ended', async () => {
    const client = await new Host(options).connect();
    await client.connection.end({ kind: 'link_lost' });
    client.connection.receive(utf8(one));
    expect(client.rest()).toEqual([]);
  });
});

describe('noise', () => {
  const noise = fc.uint8Array({ maxLength: 64 });

  test('before or after the handshake throws nothing and leaves nothing under way', async () => {
    const property = fc.asyncProperty(
      fc.constantFrom('json', 'messagepack'),
      noise,
      noise,
      async (protocol, early, late) => {
        const host = new Host(options);
        const [raw, client] = [host.open(protocol, { connectionId: 'raw' }), await host.connect(protocol)];
        raw.connection.receive(early);
        client.connection.receive(late);
        client.send(call('add', [1, 2], '1'));
        await Promise.all([...host.runtime.connections.values()].map((one) => one.end({ kind: 'connection_lost' })));
        await host.runtime.idle();
        expect([host.runtime.connections.size, client.connection.load]).toEqual([0, 0]);
      },
    );
    await fc.assert(property, { numRuns: 500 });
  });

  test('in the place of values closes the client or answers it, and never anything else', async () => {
    const message = fc.record(
      {
        type: fc.oneof(fc.integer({ min: -1, max: 10 }), fc.jsonValue({ maxDepth: 1 })),
        invocationId: fc.oneof(fc.constantFrom('1', '2'), fc.jsonValue({ maxDepth: 1 })),
        target: fc.oneof(fc.constantFrom('add', 'toString'), fc.jsonValue({ maxDepth: 1 })),
        arguments: fc.jsonValue({ maxDepth: 2 }),
        streamIds: fc.oneof(fc.constant(['1']), fc.jsonValue({ maxDepth: 1 })),
        item: fc.jsonValue({ maxDepth: 1 }),
        error: fc.jsonValue({ maxDepth: 1 }),
      },
      { requiredKeys: ['type'] },
    );
    const property = fc.asyncProperty(fc.array(message, { maxLength: 6 }), async (messages) => {
      const client = await new Host(options).connect();
      for (const one of messages) client.connection.receive(utf8(`${JSON.stringify(one)}\u001e`));
      await client.connection.end({ kind: 'connection_lost' });
      const kinds = client.rest().map((record) => JSON.parse(record.slice(0, -1)).type);
      expect(kinds.filter((type) => type !== 3 && type !== 7)).toEqual([]);
    });
    await fc.assert(property, { numRuns: 500 });
  });
});
