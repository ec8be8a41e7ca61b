import { decode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedError, TooLargeError } from '../../src/protocol/errors.ts';
import { FrameSplitter, frame } from '../../src/protocol/framing.ts';
import { encodeValue } from '../../src/protocol/messagepack.ts';
import {
  readServiceMessage,
  type ServiceMessage,
  writeServiceMessage,
  writeServiceMessageBody,
} from '../../src/protocol/service.ts';
import { serviceLayouts } from '../../src/protocol/service-messages.ts';
import { readClaims, readMemberPage, writeClaims, writeMemberPage } from '../../src/protocol/service-payloads.ts';
import { hex, pieces, unhex, vectors } from './bytes.ts';
import { meanings, oldForms } from './service-vectors.ts';

const rows = vectors<{ id: string; note: string; value: string; hex: string }>('service-protocol.json');

function readAll(chunks: readonly Uint8Array[]): (ServiceMessage | undefined)[] {
  const splitter = new FrameSplitter({ limit: 1 << 24 });
  return chunks.flatMap((chunk) => [...splitter.push(chunk)].map(readServiceMessage));
}

describe('the vectors', () => {
  test('are all given a meaning here', () => {
    expect(Object.keys(meanings)).toEqual(rows.map((row) => row.id));
  });

  test('cover all messages that SDKs send or receive today', () => {
    const covered = new Set(Object.values(meanings).map(({ kind }) => kind));
    const others = Object.keys(serviceLayouts).filter((kind) => !covered.has(kind as ServiceMessage['kind']));
    expect(others).toEqual(['RefreshAuth', 'GetConnectionClaims', 'UpdateConnectionClaims']);
  });

  test.each(rows)('$id is read: $value', ({ id, hex: bytes }) => {
    expect(readServiceMessage(unhex(bytes))).toEqual(meanings[id]);
  });

  test.each(rows.filter((row) => !oldForms.has(row.id)))('$id is written: $value', ({ id, hex: bytes }) => {
    const message = meanings[id] as ServiceMessage;
    expect(hex(writeServiceMessageBody(message))).toBe(bytes);
    expect(hex(writeServiceMessage(message))).toBe(hex(frame(unhex(bytes))));
  });

  test.each(rows.filter((row) => oldForms.has(row.id)))(
    '$id is an old form and is written longer',
    ({ id, hex: bytes }) => {
      const written = writeServiceMessageBody(meanings[id] as ServiceMessage);
      const elements = (body: Uint8Array) => (decode(body) as unknown[]).length;
      expect(elements(written)).toBeGreaterThan(elements(unhex(bytes)));
      expect(readServiceMessage(written)).toEqual(meanings[id]);
    },
  );
});

describe('framing and robustness', () => {
  const open = { kind: 'OpenConnection', connectionId: 'id', claims: [], headers: [], queryString: '', extensions: {} };
  const accepted = { kind: 'HandshakeResponse', errorMessage: '', extensions: {} };
  const ping = { kind: 'Ping', pairs: [] };
  const long = { kind: 'ConnectionData', connectionId: 'c1', payload: new Uint8Array(200).fill(0x61), extensions: {} };

  test.each<[string, string[], unknown[]]>([
    ['V101', ['029103'], [ping]],
    ['V102', ['029103059402a080c0'], [ping, accepted]],
    ['V103', ['059402', 'a080c0'], [accepted]],
    ['V104', ['d0', `019406a26331c4c8${'61'.repeat(200)}80`], [long]],
    ['V105', ['099304a2696480a26578'], [open]],
    ['V106', ['0f9504a269648080a43f6b3d76a26578'], [{ ...open, queryString: '?k=v' }]],
    [
      'V107',
      ['14970ba6636f6e6e3130a667726f75703180010203'],
      [{ kind: 'JoinGroup', connectionId: 'conn10', group: 'group1', extensions: {} }],
    ],
    ['V108', ['0592ccc8a178'], [undefined]],
  ])('%s is read however it is framed', (_, chunks, messages) => {
    expect(readAll(chunks.map(unhex))).toEqual(messages);
  });

  test('V109: 70,000 bytes of payload have a bin32 header and a prefix of three bytes', () => {
    const message: ServiceMessage = { kind: 'ConnectionData', connectionId: 'c1', payload: new Uint8Array(70_000) };
    const bytes = writeServiceMessage(message);
    expect(hex(bytes.subarray(0, 13))).toBe('fba2049406a26331c600011170');
    expect(readAll([bytes])).toEqual([{ ...message, extensions: {} }]);
  });

  test.each([
    ['V110', 'ffffffff0f'],
    ['V111', '8080808080'],
  ])('%s has an impossible length and is refused', (_, bytes) => {
    expect(() => readAll([unhex(bytes)])).toThrow(MalformedError);
  });

  test.each([
    ['', 'a MessagePack value must be complete'],
    ['90', 'a service message must have a number'],
    ['91a103', 'a MessagePack int must stand here, got str'],
    ['9206a161', 'ConnectionData must have at least 3 elements, got 2'],
    ['9306a161a162', 'a MessagePack bin must stand here, got str'],
    ['9306a161c405', 'a MessagePack value must be complete'],
  ])('the body "%s" is refused', (bytes, sentence) => {
    expect(() => readServiceMessage(unhex(bytes))).toThrow(new MalformedError(sentence));
  });

  test('payloads are views on the body', () => {
    const body = unhex(rows.find((row) => row.id === 'V47')?.hex ?? '');
    const message = readServiceMessage(body) as Extract<ServiceMessage, { kind: 'MultiConnectionData' }>;
    for (const payload of message.payloads.values()) expect(payload.buffer).toBe(body.buffer);
  });

  test('a kind that is not in the table is a mistake of the caller', () => {
    const message = { kind: 'Nope' } as unknown as ServiceMessage;
    expect(() => writeServiceMessage(message)).toThrow(new TypeError('"kind" must name a service message, got Nope'));
  });
});

describe('extension maps', () => {
  const body = (map: Map<number, unknown> | string) =>
    unhex(`9406a16ac400${typeof map === 'string' ? map : hex(encodeMap(map))}`);
  const extensionsOf = (bytes: Uint8Array) => (readServiceMessage(bytes) as { extensions: unknown }).extensions;

  test('are read with unknown and misplaced keys passed over, each with its value', () => {
    const map = new Map<number, unknown>([
      [99, { deep: [1, 2, { a: 'b' }] }],
      [2, 100],
      [5, 2],
      [-1, 'x'],
      [1, 7],
    ]);
    expect(extensionsOf(body(map))).toEqual({ dataType: 2, tracingId: 7 });
    expect(extensionsOf(body('82a16101c0c0'))).toEqual({});
    expect(extensionsOf(body('c0'))).toEqual({});
  });

  test('keep tracing ids of 64 bits', () => {
    expect(extensionsOf(body('8101cfffffffffffffffff'))).toEqual({ tracingId: 18_446_744_073_709_551_615n });
  });

  test('are written in ascending order, without what says nothing and without what the message does not allow', () => {
    const extensions = { isPartial: false, dataType: 0, ttl: 5, protocol: 'json', tracingId: 1 };
    const written = writeServiceMessageBody({
      kind: 'ConnectionData',
      connectionId: 'j',
      payload: unhex(''),
      extensions,
    });
    expect(hex(written)).toBe('9406a16ac400810101');
    const joined = { kind: 'UserJoinGroup', userId: 'u', group: 'g', extensions: { ttl: 0, tracingId: 1 } } as const;
    expect(hex(writeServiceMessageBody(joined))).toBe('9410a175a1678201010200');
  });

  test.each(['HandshakeResponse', 'Ack', 'ServiceEvent', 'ServiceMapping'] as const)(
    'are always empty on %s',
    (kind) => {
      const id = Object.keys(meanings).find((name) => meanings[name]?.kind === kind && !oldForms.has(name)) ?? '';
      const message = { ...meanings[id], extensions: { tracingId: 1 } } as ServiceMessage;
      expect(hex(writeServiceMessageBody(message))).toBe(rows.find((row) => row.id === id)?.hex);
    },
  );
});

function encodeMap(map: ReadonlyMap<number, unknown>): Uint8Array {
  const parts = [...map].flatMap(([key, value]) => [encodeValue(key), encodeValue(value)]);
  return new Uint8Array(Buffer.concat([Uint8Array.of(0x80 | map.size), ...parts]));
}

describe('fields with rules of their own', () => {
  test('claims keep their order and repeat', () => {
    const claims = [
      ['role', 'a'],
      ['nameid', 'u'],
      ['role', 'b'],
      ['__proto__', 'c'],
    ] as const;
    const message: ServiceMessage = { kind: 'UpdateConnectionClaims', connectionId: 'c', claims, extensions: {} };
    expect(readServiceMessage(writeServiceMessageBody(message))).toEqual(message);
    expect(readClaims(writeClaims(claims))).toEqual(claims);
  });

  test('nil reads as empty where a string, a list, a map or bytes stand', () => {
    expect(readServiceMessage(unhex('9604c0c0c0c0c0'))).toEqual({
      kind: 'OpenConnection',
      connectionId: '',
      claims: [],
      headers: [],
      queryString: '',
      extensions: {},
    });
    expect(readServiceMessage(unhex('9306a161c0'))).toMatchObject({ payload: new Uint8Array(0) });
    expect(readServiceMessage(unhex('930ac0c0'))).toMatchObject({ excludedConnectionIds: [], payloads: new Map() });
  });

  test('a ping ignores a trailing odd element and pairs that are not text', () => {
    expect(readServiceMessage(unhex('9803a161a1620102a163a164a165'))).toEqual({
      kind: 'Ping',
      pairs: [
        ['a', 'b'],
        ['c', 'd'],
      ],
    });
  });

  test('a member query may say how many are wanted in all', () => {
    const query = { kind: 'GroupMemberQuery', extensions: {}, group: 'g', ackId: 1, top: 500 } as const;
    expect(hex(writeServiceMessageBody(query))).toBe('972880a16701c0c0cd01f4');
    expect(readServiceMessage(writeServiceMessageBody(query))).toEqual(query);
  });

  test.each([
    ['ticks', 'cf08dc0b3f7ac0aae0'],
    ['a timestamp of 64 bits', 'd7ff016e360065937d25'],
  ])('an end of authentication is read from %s', (_, encoded) => {
    const message = readServiceMessage(unhex(`9629a17480${encoded}0180`));
    expect(message).toMatchObject({ expireTime: new Date('2024-01-02T03:04:05.006Z'), ackId: 1 });
  });

  test.each([
    ['ticks', 'cf2bca2875f4373fff'],
    ['a timestamp', 'c70cff3b9ac9f60000003afff4417f'],
  ])('the last moment of .NET, as %s, keeps the end that there is', (_, encoded) => {
    expect(readServiceMessage(unhex(`9629a17480${encoded}0180`))).toMatchObject({ expireTime: undefined });
  });

  test('an end of authentication before 1970 is refused', () => {
    for (const encoded of ['00', 'c70cff00000000ffffffffffffffff', 'd6fe00000000']) {
      expect(() => readServiceMessage(unhex(`9629a17480${encoded}0180`)), encoded).toThrow(MalformedError);
    }
  });

  test('an end of authentication is written as it is read', () => {
    for (const expireTime of [undefined, new Date('2031-05-06T07:08:09.010Z'), new Date(0)]) {
      const message = { kind: 'RefreshAuth', connectionToken: 't', claims: [], expireTime, ackId: 3 } as const;
      expect(readServiceMessage(writeServiceMessageBody(message))).toEqual({ ...message, extensions: {} });
    }
  });

  test('pages of members are those of the reference', () => {
    const page = { members: [{ connectionId: 'c1', userId: 'u1' }, { connectionId: 'c2' }] };
    expect(hex(writeMemberPage(page))).toBe('929292a26331a2753192a26332c0c0');
    expect(readMemberPage(unhex('929292a26331a2753192a26332c0c0'))).toEqual(page);
    expect(readMemberPage(unhex('9290a174'))).toEqual({ members: [], continuationToken: 't' });
    expect(readMemberPage(unhex('919193a163c0c0'))).toEqual({ members: [{ connectionId: 'c' }] });
    expect(() => readMemberPage(unhex('c0'))).toThrow(MalformedError);
  });
});

describe('any stream', () => {
  const bodies = rows.map((row) => unhex(row.hex));

  test('gives the same messages however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...rows), { maxLength: 10 }), fc.array(fc.nat(1_000)), (chosen, cuts) => {
        const stream = new Uint8Array(Buffer.concat(chosen.map((row) => frame(unhex(row.hex)))));
        expect(readAll(pieces(stream, cuts))).toEqual(chosen.map((row) => meanings[row.id]));
      }),
    );
  });

  test('of noise or damaged messages is read, skipped or refused by name', () => {
    const damaged = fc.tuple(fc.constantFrom(...bodies), fc.nat(), fc.nat(255)).map(([body, place, byte]) => {
      const bytes = body.slice();
      bytes[place % bytes.length] = byte;
      return bytes;
    });
    const cut = fc
      .tuple(fc.constantFrom(...bodies), fc.nat())
      .map(([body, end]) => body.subarray(0, end % body.length));
    const noise = fc.uint8Array({ maxLength: 50 });
    const typed = fc
      .tuple(fc.nat({ max: 15 }), fc.nat({ max: 50 }), noise)
      .map(([count, type, rest]) => Uint8Array.of(0x90 | count, type, ...rest));
    fc.assert(
      fc.property(fc.oneof(damaged, cut, noise, typed), (body) => {
        try {
          readServiceMessage(body);
        } catch (error) {
          expect([MalformedError, TooLargeError]).toContain((error as Error).constructor);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
