import { decode, encode } from '@msgpack/msgpack';
import { MalformedError, Reader, Writer } from '@signalbox/app-sdk/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Address, Asker, Place } from '../../src/protocol/address.ts';
import type { Command } from '../../src/protocol/command.ts';
import { decodeCommand, encodeCommand, isSheddableCommand } from '../../src/protocol/command-codec.ts';
import type { Crowd, InvokeOutcome } from '../../src/protocol/inquiry.ts';
import type { Sight } from '../../src/protocol/operator.ts';

const name = fc.string({ unit: 'grapheme' });
const list = fc.array(name, { maxLength: 5 });
const bytes = fc.uint8Array({ maxLength: 300 });
const maybe = fc.option(name, { nil: undefined });

const place = fc.oneof<fc.Arbitrary<Place>[]>(
  fc.record({ kind: fc.constant('group'), group: name }),
  fc.record({ kind: fc.constant('user'), user: name }),
  fc.record({ kind: fc.constant('connection'), connection: name }),
);
const address = fc.oneof<fc.Arbitrary<Address>[]>(
  place,
  fc.record({ kind: fc.constant('all') }),
  fc.record({ kind: fc.constant('users'), users: list }),
  fc.record({ kind: fc.constant('connections'), connections: list }),
);
const payload = fc.oneof(
  fc.record({
    kind: fc.constant('ready' as const),
    frames: fc.array(fc.tuple(name, bytes)).map((pairs) => new Map(pairs)),
  }),
  fc.record({ kind: fc.constant('convert' as const), json: bytes }),
);
const asker: fc.Arbitrary<Asker> = fc.record({ node: name, id: fc.nat() });
const asked = { hub: name, ask: asker };
const stream = { hub: name, connection: name, stream: fc.nat() };
const call = { invocationId: name };
const frames = fc.array(fc.tuple(name, bytes)).map((pairs) => new Map(pairs));
const crowd = fc.oneof<fc.Arbitrary<Crowd>[]>(
  fc.record({ kind: fc.constant('all') }),
  fc.record({ kind: fc.constant('group'), group: name }),
  fc.record({ kind: fc.constant('user'), user: name }),
);
const sight = fc.oneof<fc.Arbitrary<Sight>[]>(crowd, fc.record({ kind: fc.constant('connection'), connection: name }));
const outcome = fc.oneof<fc.Arbitrary<InvokeOutcome>[]>(
  fc.record({ kind: fc.constant('result'), protocol: name, frame: bytes }),
  fc.record({ kind: fc.constant('error'), error: name }),
  fc.record({ kind: fc.constant('forgotten') }),
);

const commands: { readonly [K in Command['kind']]: fc.Arbitrary<Command> } = {
  send: fc.record({
    kind: fc.constant('send'),
    hub: name,
    to: address,
    exceptConnections: list,
    exceptUsers: list,
    payload,
  }),
  join: fc.record({ kind: fc.constant('join'), ...asked, connection: name, group: name }),
  leave: fc.record({ kind: fc.constant('leave'), ...asked, connection: name, group: maybe }),
  joinUser: fc.record({ kind: fc.constant('joinUser'), ...asked, user: name, group: name }),
  leaveUser: fc.record({ kind: fc.constant('leaveUser'), ...asked, user: name, group: maybe }),
  close: fc.record({ kind: fc.constant('close'), ...asked, to: address, exceptConnections: list, reason: maybe }),
  exists: fc.record({ kind: fc.constant('exists'), ...asked, at: place }),
  userInGroup: fc.record({ kind: fc.constant('userInGroup'), ...asked, user: name, group: name }),
  answer: fc.record({
    kind: fc.constant('answer'),
    id: fc.nat(),
    verdict: fc.constantFrom('yes', 'no', 'limit', 'failed'),
    detail: fc.option(bytes, { nil: undefined }),
  }),
  news: fc.record({ kind: fc.constant('news'), node: name, data: maybe }),
  survey: fc.record({ kind: fc.constant('survey'), ask: asker }),
  lookup: fc.record({ kind: fc.constant('lookup'), ...asked, of: sight, max: fc.nat() }),
  follow: fc.record({
    kind: fc.constant('follow'),
    ...asked,
    of: sight,
    payloads: fc.boolean(),
    leaseMs: fc.nat(),
  }),
  unfollow: fc.record({ kind: fc.constant('unfollow'), ask: asker }),
  followed: fc.record({ kind: fc.constant('followed'), id: fc.nat(), lost: fc.nat(), happenings: list }),
  list: fc.record({ kind: fc.constant('list'), ...asked, of: crowd, after: name, max: fc.nat() }),
  count: fc.record({ kind: fc.constant('count'), ...asked, of: crowd }),
  invoke: fc.record({ kind: fc.constant('invoke'), ...asked, connection: name, ...call, server: name, frames }),
  login: fc.record({
    kind: fc.constant('login'),
    ...asked,
    connection: name,
    claims: fc.array(fc.tuple(name, name)),
    expires: fc.option(fc.nat(), { nil: undefined }),
    server: name,
  }),
  completed: fc.record({ kind: fc.constant('completed'), id: fc.nat(), outcome }),
  answered: fc.record({ kind: fc.constant('answered'), hub: name, connection: name, ...call, outcome }),
  locate: fc.record({ kind: fc.constant('locate'), hub: name, ask: asker, connection: name }),
  clientRequest: fc.record({
    kind: fc.constant('clientRequest'),
    hub: name,
    ask: asker,
    connection: name,
    what: fc.constantFrom('poll', 'post', 'delete', 'events'),
    number: fc.nat(),
    last: fc.boolean(),
    bytes,
  }),
  clientAnswer: fc.record({
    kind: fc.constant('clientAnswer'),
    id: fc.nat(),
    outcome: fc.constantFrom(
      ...(['done', 'ended', 'gone', 'conflict', 'other_transport', 'is_socket', 'not_polling', 'too_large'] as const),
      'lost',
    ),
    number: fc.nat(),
    last: fc.boolean(),
    bytes,
  }),
  clientTaken: fc.record({ kind: fc.constant('clientTaken'), connection: name, ask: asker, taken: fc.boolean() }),
  streamOpen: fc.record({
    kind: fc.constant('streamOpen'),
    ...stream,
    ask: asker,
    node: name,
    link: name,
    claims: fc.array(fc.tuple(name, name)),
    headers: fc.array(fc.tuple(name, list)),
    queryString: name,
    protocol: name,
    migratedFrom: maybe,
    request: bytes,
  }),
  streamUp: fc.record({ kind: fc.constant('streamUp'), ...stream, node: name, number: fc.nat(), bytes }),
  streamExpect: fc.record({ kind: fc.constant('streamExpect'), ...stream, ...call, server: name }),
  streamClaims: fc.record({ kind: fc.constant('streamClaims'), ...stream, claims: fc.array(fc.tuple(name, name)) }),
  streamDown: fc.record({ kind: fc.constant('streamDown'), ...stream, node: name, number: fc.nat(), bytes }),
  streamLeft: fc.record({ kind: fc.constant('streamLeft'), ...stream, error: name, migratedTo: maybe }),
  streamEnded: fc.record({
    kind: fc.constant('streamEnded'),
    ...stream,
    node: name,
    cause: fc.constantFrom('closed_by_app', 'link_lost', 'app_slow', 'drain', 'gap', 'gone', 'migrate'),
    error: name,
  }),
};
const any = fc.oneof(...Object.values(commands));

describe('a command between nodes', () => {
  it.each(Object.entries(commands))('reads back as it was written: %s', (_kind, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (command) => {
        expect(plain(decodeCommand(encodeCommand(command)))).toEqual(plain(command));
      }),
    );
  });

  it('needs nobody who waits for an answer', () => {
    const command = { kind: 'join', hub: 'chat', connection: 'c', group: 'g' } as const;
    expect(decodeCommand(encodeCommand(command))).toEqual(command);
  });

  it('is one whole MessagePack array that begins with its kind', () => {
    expect(decode(encodeCommand({ kind: 'exists', hub: 'chat', at: { kind: 'user', user: 'ann' } }))).toEqual([
      7,
      'chat',
      null,
      [2, 'ann'],
    ]);
  });

  it('does not carry the life of a standing membership: that is kept in the records', () => {
    const command = { kind: 'joinUser', hub: 'chat', user: 'ann', group: 'g' } as const;
    expect(encodeCommand({ ...command, ttlSeconds: 60 })).toEqual(encodeCommand(command));
  });

  it('keeps its bytes when another is encoded behind it', () => {
    const first = encodeCommand({ kind: 'news', node: 'a', data: '{}' });
    const before = Buffer.from(first).toString('hex');
    encodeCommand({ kind: 'news', node: 'b', data: '[]' });
    expect(Buffer.from(first).toString('hex')).toBe(before);
  });

  it('is skipped when its kind is of a later version', () => {
    expect(decodeCommand(encode([200, 'chat', { anything: true }]))).toBeUndefined();
  });

  it('is one whole MessagePack value, whatever it carries', () => {
    fc.assert(
      fc.property(any, (command) => {
        const reader = new Reader(encodeCommand(command));
        reader.skip();
        expect(reader.left).toBe(0);
      }),
    );
  });

  it('may have fields that this version does not know: they are passed over', () => {
    fc.assert(
      fc.property(any, (command) => {
        const [head, ...rest] = encodeCommand(command);
        // The head is a short array's: its low four bits are the number of elements.
        const longer = Buffer.concat(
          [[head! + 2], rest, encode('a later field'), encode({ and: ['more'] })].map((part) => Buffer.from(part)),
        );
        expect(longer[0]).toBeLessThanOrEqual(0x9f);
        expect(plain(decodeCommand(longer))).toEqual(plain(command));
      }),
    );
    const command = { kind: 'exists', hub: 'chat', ask: { node: 'n', id: 1 }, at: { kind: 'user', user: 'ann' } };
    expect(decodeCommand(encode([7, 'chat', ['n', 1, 'later'], [2, 'ann', 'later'], 'later']))).toEqual(command);
  });

  it('is malformed when it is cut anywhere', () => {
    fc.assert(
      fc.property(any, fc.nat(), (command, cut) => {
        const whole = encodeCommand(command);
        expect(() => decodeCommand(whole.subarray(0, cut % whole.length))).toThrow(MalformedError);
      }),
    );
  });

  it('is malformed, and no other error, when it is any other bytes', () => {
    const wrong = [
      [],
      [1],
      [7, 'chat', null, [0]],
      [7, 'chat', null, [9]],
      [2, 5, null, 'c', 'g'],
      'text',
      7,
      null,
      {},
    ];
    for (const value of wrong)
      expect(() => decodeCommand(encode(value)), JSON.stringify(value)).toThrow(MalformedError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => onlyMalformed(noise)),
      { numRuns: 2_000 },
    );
  });

  it('cannot make a reader reserve memory with a list that claims to be long', () => {
    const writer = new Writer().writeArrayHeader(6).writeInt(1).writeString('chat').writeArrayHeader(2).writeInt(4);
    const claim = Buffer.concat([writer.bytes(), Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)]);
    expect(() => decodeCommand(claim)).toThrow(MalformedError);
  });
});

describe('what a node that is behind may shed', () => {
  it('is a broadcast or a group send and nothing else', () => {
    fc.assert(
      fc.property(any, (command) => {
        const sheddable = command.kind === 'send' && (command.to.kind === 'all' || command.to.kind === 'group');
        expect(isSheddableCommand(encodeCommand(command))).toBe(sheddable);
      }),
    );
  });

  it('is not what is no command, nor what a later version made', () => {
    for (const value of [7, 'text', null, {}, [], [1], [1, 'chat'], [1, 'chat', 'x'], [200, 'chat']]) {
      expect(isSheddableCommand(encode(value)), JSON.stringify(value)).toBe(false);
    }
  });
});

function onlyMalformed(noise: Uint8Array): void {
  try {
    decodeCommand(noise);
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedError);
  }
}

/** Bytes are compared by what they hold, whatever view they are; maps by their pairs. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return [...value].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}
