import { hubProtocol } from '@signalbox/app-sdk/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import vectors from '../../../app-sdk/test/vectors/hub-protocol.json' with { type: 'json' };
import { turn } from '../support/connections.ts';
import { startAlone, type TestCore } from '../support/cores.ts';
import type { FakeClient } from '../support/fake-client.ts';

type Protocol = 'json' | 'messagepack';
const protocols: Protocol[] = ['json', 'messagepack'];

/** The bytes of a vector in a hub protocol. */
function vector(id: string, protocol: Protocol): Buffer {
  const row: { json?: string; messagepackHex?: string } | undefined = vectors.vectors.find((one) => one.id === id);
  if (row === undefined) throw new RangeError(`there is no vector ${id}`);
  return protocol === 'json' ? Buffer.from(row.json ?? '') : Buffer.from(row.messagepackHex ?? '', 'hex');
}

const limit = 1_024;

describe('a serverless hub', () => {
  let alone: TestCore & AsyncDisposable;

  beforeEach(async () => {
    alone = await startAlone({ config: { clientMessageBytes: limit } });
  });

  afterEach(() => alone[Symbol.asyncDispose]());

  /** What the client was sent behind the handshake response, within this turn. */
  async function sent(client: FakeClient): Promise<Buffer> {
    await turn();
    return Buffer.concat(client.transport.frames.slice(1).map(({ bytes }) => bytes));
  }

  it('answers in text frames for json, and in binary frames for messagepack but for its handshake (HP-9, HP-10)', async () => {
    for (const protocol of protocols) {
      const client = await alone.connect({ protocol });
      client.say(vector('M11', protocol));
      await client.until(() => client.messages.length === 1);
      expect(client.transport.frames.map(({ binary }) => binary)).toEqual(
        protocol === 'json' ? [false, false] : [true, true],
      );
    }
  });

  it('counts a client when its handshake is done, and its messages', async () => {
    const client = await alone.connect();
    client.say(Buffer.concat([vector('M27', 'json'), vector('M09', 'json')]));
    client.leave();
    const kind = { hub: 'chat', transport: 'WebSockets', protocol: 'json', mode: 'serverless' };
    expect(alone.log.of('connectionOpened')).toEqual([[kind, expect.any(Number)]]);
    expect(alone.log.of('received')).toEqual([[2, vector('M27', 'json').length + vector('M09', 'json').length]]);
    expect(alone.log.of('connectionClosed')).toEqual([[kind, 'client_left']]);
  });

  it.each(protocols)(
    'declines an invocation that wants an answer, with its id and the reason (HP-16): %s',
    async (protocol) => {
      const client = await alone.connect({ protocol });
      for (const id of ['M11', 'M24']) client.say(vector(id, protocol));
      await client.until(() => client.messages.length === 2);
      const error = (target: string): string =>
        `Failed to invoke '${target}': hub 'chat' has neither an app server nor an upstream.`;
      expect(client.messages).toMatchObject([
        { kind: 'completion', invocationId: '123', error: error('Add') },
        { kind: 'completion', invocationId: 'xyz', error: error('method') },
      ]);
    },
  );

  it.each([
    ['an invocation without id (HP-15)', 'M10'],
    ['an invocation without id of 5 elements (HP-20)', 'M09'],
    ['a cancel for an unknown id (HP-24)', 'M26'],
    ['an item of a stream that is over (HP-26)', 'M16'],
    ['a result nobody asked for', 'M19'],
    ['an ack', 'M29'],
    ['a sequence', 'M33'],
    ['a ping', 'M27'],
  ])('sends nothing for %s, and the client lives on', async (_what, id) => {
    for (const protocol of protocols) {
      const client = await alone.connect({ protocol });
      client.say(vector(id, protocol));
      expect([...(await sent(client))]).toEqual([]);
      expect(client.connection.state).toBe('open');
    }
  });

  it('sends no completion for an empty id in messagepack (HP-21)', async () => {
    const client = await alone.connect({ protocol: 'messagepack' });
    client.say(Buffer.from('0a960180a0a3416464' + '90' + '90', 'hex').subarray(0, 11));
    expect([...(await sent(client))]).toEqual([]);
    expect(client.connection.state).toBe('open');
  });

  it('skips a message of an unknown type and handles the next (HP-12)', async () => {
    const json = await alone.connect();
    json.say('{"type":42}\u001e{"type":6}\u001e');
    const binary = await alone.connect({ protocol: 'messagepack' });
    binary.say(vector('B45', 'messagepack'));
    for (const client of [json, binary]) {
      expect([client.connection.pings, client.connection.state]).toEqual([true, 'open']);
    }
  });

  it.each(protocols)('reads messages that are cut at every byte (HP-11): %s', async (protocol) => {
    const stream = Buffer.concat([vector('M11', protocol), vector('M27', protocol)]);
    for (let cut = 1; cut < stream.length; cut++) {
      const client = await alone.connect({ protocol });
      client.say(stream.subarray(0, cut));
      await turn();
      client.say(stream.subarray(cut));
      await client.until(() => client.messages.length === 1);
      expect(client.messages[0]).toMatchObject({ kind: 'completion', invocationId: '123' });
      expect(client.connection.pings).toBe(true);
    }
  });

  it('keeps the halves of two clients apart', async () => {
    for (const protocol of protocols) {
      const [one, two] = [await alone.connect({ protocol }), await alone.connect({ protocol })];
      const [add, method] = [vector('M11', protocol), vector('M24', protocol)];
      one.say(add.subarray(0, 9));
      two.say(method.subarray(0, 11));
      const third = await alone.connect({ protocol });
      third.say(vector('M27', protocol));
      two.say(method.subarray(11));
      one.say(add.subarray(9));
      for (const client of [one, two]) await client.until(() => client.messages.length === 1);
      expect(one.messages[0]).toMatchObject({ invocationId: '123' });
      expect(two.messages[0]).toMatchObject({ invocationId: 'xyz' });
      expect(third.connection.pings).toBe(true);
    }
  });

  it.each(protocols)(
    'takes a message of exactly the bound, and closes over one byte more (HP-13): %s',
    async (protocol) => {
      const message = (bytes: number): Uint8Array => {
        const write = (padding: number): Uint8Array =>
          hubProtocol(protocol)!.write({
            kind: 'invocation',
            invocationId: '1',
            target: 'Add',
            arguments: ['x'.repeat(padding)],
          });
        return write(bytes - write(bytes).length + bytes);
      };
      expect([message(limit).length, message(limit + 1).length]).toEqual([limit, limit + 1]);
      const fits = await alone.connect({ protocol });
      fits.say(message(limit));
      await fits.until(() => fits.messages.length === 1);
      expect(fits.connection.state).toBe('open');
      for (const cut of [0, 1, limit]) {
        const large = await alone.connect({ protocol });
        if (cut > 0) large.say(message(limit + 1).subarray(0, cut));
        large.say(message(limit + 1).subarray(cut));
        expect(large.transport.ended).toBe(true);
        expect(await sent(large)).toEqual(vector('S37', protocol));
        expect(alone.log.of('connectionClosed').at(-1)?.at(-1)).toBe('too_large');
      }
    },
  );

  it('closes over what is no hub message, with leave to come back (HP-14)', async () => {
    const wrong: [Protocol, Buffer][] = [
      ...['{"type":1', '{}', '[]', 'x', '', '{"type":1,"target":7}', '{"type":2,"invocationId":"1"}'].map(
        (text): [Protocol, Buffer] => ['json', Buffer.from(`${text}\u001e`)],
      ),
      ...['B48', 'B49'].map((id): [Protocol, Buffer] => ['messagepack', vector(id, 'messagepack')]),
      ['messagepack', Buffer.from('0195', 'hex')],
    ];
    for (const [protocol, bytes] of wrong) {
      const client = await alone.connect({ protocol });
      client.say(bytes);
      expect(await sent(client), bytes.toString('latin1')).toEqual(vector('S37', protocol));
      expect(client.transport.ended).toBe(true);
      expect(alone.log.of('connectionClosed').at(-1)?.at(-1)).toBe('bad_message');
    }
    const healthy = await alone.connect({ protocol: 'messagepack' });
    healthy.say(vector('M27', 'messagepack'));
    expect(healthy.connection.pings).toBe(true);
  });

  it('ends a client that says Close, without an answer, and reads nothing behind it', async () => {
    for (const protocol of protocols) {
      const client = await alone.connect({ protocol });
      client.say(
        Buffer.concat([vector('M28', protocol), vector('M11', protocol), vector('M27', protocol).subarray(0, 1)]),
      );
      expect([...(await sent(client))]).toEqual([]);
      expect([client.transport.ended, client.connection.pings]).toEqual([true, false]);
      expect(alone.log.of('connectionClosed').at(-1)?.at(-1)).toBe('client_left');
      const next = await alone.connect({ protocol });
      next.say(vector('M27', protocol));
      expect(next.connection.pings).toBe(true);
    }
  });

  it('handles what came before a bad message', async () => {
    const client = await alone.connect();
    client.say(Buffer.concat([vector('M11', 'json'), Buffer.from('bad\u001e')]));
    await client.until(() => client.messages.length === 2);
    expect(client.messages.map(({ kind }) => kind)).toEqual(['completion', 'close']);
  });

  it('tells a client why the app closed it only when it may see that', async () => {
    for (const [detailedErrors, error] of [
      [true, 'because'],
      [false, undefined],
    ] as const) {
      const client = await alone.connect({ detailedErrors });
      const close = { kind: 'close', hub: 'chat', to: { kind: 'connection', connection: client.id } } as const;
      expect(await alone.core.router.ask({ ...close, exceptConnections: [], reason: 'because' }, 'rest')).toBe('yes');
      expect(client.messages).toEqual([{ kind: 'close', error, allowReconnect: true }]);
    }
  });
});
