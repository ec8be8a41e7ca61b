import { decode, ExtData, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedError } from '../../src/protocol/errors.ts';
import { decodeValue, encodeValue } from '../../src/protocol/messagepack.ts';
import { Reader } from '../../src/protocol/messagepack-reader.ts';
import { Writer } from '../../src/protocol/messagepack-writer.ts';
import { hex, unhex } from './bytes.ts';
import { jsonValues } from './values.ts';

const integers: [number | bigint, string][] = [
  [0, '00'],
  [127, '7f'],
  [128, 'cc80'],
  [255, 'ccff'],
  [256, 'cd0100'],
  [65_535, 'cdffff'],
  [65_536, 'ce00010000'],
  [4_294_967_295, 'ceffffffff'],
  [4_294_967_296, 'cf0000000100000000'],
  [Number.MAX_SAFE_INTEGER, 'cf001fffffffffffff'],
  [9_007_199_254_740_993n, 'cf0020000000000001'],
  [18_446_744_073_709_551_615n, 'cfffffffffffffffff'],
  [-1, 'ff'],
  [-32, 'e0'],
  [-33, 'd0df'],
  [-128, 'd080'],
  [-129, 'd1ff7f'],
  [-32_768, 'd18000'],
  [-32_769, 'd2ffff7fff'],
  [-2_147_483_648, 'd280000000'],
  [-2_147_483_649, 'd3ffffffff7fffffff'],
  [-9_223_372_036_854_775_808n, 'd38000000000000000'],
];

describe('the writer', () => {
  test.each(integers)('writes %s as %s, and the reader reads it back', (value, bytes) => {
    expect(hex(new Writer().writeInt(value).bytes())).toBe(bytes);
    expect(new Reader(unhex(bytes)).readInteger()).toBe(value);
  });

  test.each([
    [0, 'a0', 'c400', '90', '80'],
    [15, 'af', 'c40f', '9f', '8f'],
    [16, 'b0', 'c410', 'dc0010', 'de0010'],
    [31, 'bf', 'c41f', 'dc001f', 'de001f'],
    [32, 'd920', 'c420', 'dc0020', 'de0020'],
    [255, 'd9ff', 'c4ff', 'dc00ff', 'de00ff'],
    [256, 'da0100', 'c50100', 'dc0100', 'de0100'],
    [65_535, 'daffff', 'c5ffff', 'dcffff', 'deffff'],
    [65_536, 'db00010000', 'c600010000', 'dd00010000', 'df00010000'],
  ])('uses the shortest header for length %d', (length, str, bin, array, map) => {
    const header = (bytes: Uint8Array, body = 0) => hex(bytes.subarray(0, bytes.length - body));
    expect(header(new Writer().writeString('a'.repeat(length)).bytes(), length)).toBe(str);
    expect(header(new Writer().writeBin(new Uint8Array(length)).bytes(), length)).toBe(bin);
    expect(header(new Writer().writeArrayHeader(length).bytes())).toBe(array);
    expect(header(new Writer().writeMapHeader(length).bytes())).toBe(map);
  });

  test('never touches a message again after handing it out', () => {
    const writer = new Writer(8);
    const first = writer.writeString('first').frame();
    const second = writer.writeString('second').bytes();
    writer.writeString('x'.repeat(20_000)).bytes();
    expect([hex(first), hex(second)]).toEqual(['06a56669727374', 'a67365636f6e64']);
  });

  test('forgets an unfinished message on reset', () => {
    const writer = new Writer();
    writer.writeString('half').reset();
    expect(hex(writer.writeInt(1).frame())).toBe('0101');
  });

  test('refuses numbers that are not safe integers', () => {
    for (const value of [1.5, 2 ** 53, Number.NaN, 2n ** 64n]) {
      expect(() => new Writer().writeInt(value), String(value)).toThrow(RangeError);
    }
  });
});

describe('the reader', () => {
  test.each([
    'cc05',
    'cd0005',
    'ce00000005',
    'cf0000000000000005',
    'd005',
    'd10005',
    'd200000005',
    'd30000000000000005',
  ])('reads the integer 5 in the format %s', (bytes) => expect(new Reader(unhex(bytes)).readInt()).toBe(5));

  test('gives views of byte strings, not copies', () => {
    const bytes = unhex('c403010203');
    const view = new Reader(bytes).readBin();
    expect(view.buffer).toBe(bytes.buffer);
    expect(hex(view)).toBe('010203');
  });

  test('refuses the wrong type with a sentence that names both', () => {
    const reader = new Reader(unhex('a161'));
    expect(() => reader.readInt()).toThrow(new MalformedError('a MessagePack int must stand here, got str'));
    expect(() => reader.readNil() || reader.readBin()).toThrow('a MessagePack bin must stand here, got str');
    expect(reader.readString()).toBe('a');
  });

  test('refuses an integer that a number cannot hold', () => {
    const wide = unhex('cf0020000000000001');
    expect(() => new Reader(wide).readInt()).toThrow('an integer must be between -(2^53 - 1) and 2^53 - 1');
    expect(new Reader(wide).readUint64()).toBe(9_007_199_254_740_993n);
    expect(() => new Reader(unhex('ff')).readUint64()).toThrow('an integer must not be negative');
  });

  test('refuses counts that the bytes left cannot hold, before anything is allocated', () => {
    for (const bytes of ['ddffffffff', 'dfffffffff', '92c0', '81c0', 'dbffffffff', 'c6ffffffff', 'c9ffffffff01']) {
      expect(() => new Reader(unhex(bytes)).skip(), bytes).toThrow('a MessagePack value must be complete');
    }
  });

  test('passes over values 64 deep and refuses 65', () => {
    const nested = (depth: number) => unhex(`${'91'.repeat(depth)}c0`);
    new Reader(nested(64)).skip();
    expect(decodeValue(nested(64))).toBeDefined();
    expect(() => new Reader(nested(65)).skip()).toThrow('values must nest at most 64 deep');
    expect(() => decodeValue(nested(65))).toThrow('values must nest at most 64 deep');
    expect(() => decodeValue(nested(1_000_000))).toThrow(MalformedError);
  });

  /** What objects and arrays are made of here. An invalid date is left out: it has no MessagePack form. */
  const encodable = [
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.string(),
    fc.constantFrom(null, undefined),
    fc.date({ noInvalidDate: true }),
  ];

  test('skips each value to its very end, and nothing that is cut short', () => {
    fc.assert(
      fc.property(fc.anything({ values: encodable }), (value) => {
        const bytes = encodeValue(value);
        const reader = new Reader(bytes);
        reader.skip();
        expect(reader.left).toBe(0);
        expect(() => new Reader(bytes.subarray(0, -1)).skip()).toThrow(MalformedError);
      }),
    );
  });

  test('answers any bytes with a value or a MalformedError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeValue(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('application values', () => {
  test('are written as @msgpack/msgpack writes them', () => {
    fc.assert(
      fc.property(jsonValues, (value) => {
        expect(hex(encodeValue(value))).toBe(hex(encode(value)));
      }),
    );
  });

  test('are read as @msgpack/msgpack reads them', () => {
    fc.assert(
      fc.property(jsonValues, (value) => {
        expect(decodeValue(encode(value))).toEqual(decode(encode(value)));
      }),
    );
  });

  test.each([
    ['bytes', Uint8Array.of(1, 2, 255)],
    ['a date', new Date('2024-01-02T03:04:05.006Z')],
    ['a date before 1970', new Date('1901-02-03T04:05:06.007Z')],
    ['a date after 2514', new Date('2600-01-01T00:00:00.001Z')],
    ['a wide integer', 9_007_199_254_740_993n],
    ['an extension', new ExtData(5, Uint8Array.of(1, 2, 3))],
    ['a number and a wide integer together', { a: 5_000_000_000, b: 2n ** 63n }],
    ['an own member called __proto__', JSON.parse('{"__proto__":1}')],
  ])('keep %s', (_, value) => {
    expect(decodeValue(encodeValue(value))).toEqual(value);
  });

  test('write undefined as nil and a small bigint as an integer', () => {
    expect(hex(encodeValue([undefined, 5n]))).toBe('92c005');
  });

  test('read maps with integer keys', () => {
    expect(decodeValue(unhex('8201a161ffa162'))).toEqual({ '1': 'a', '-1': 'b' });
  });

  test('are refused when they have no form', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => encodeValue(cycle)).toThrow(new TypeError('values must nest at most 64 deep'));
    expect(() => encodeValue(() => 1)).toThrow(new TypeError('a function has no MessagePack form'));
    expect(() => encodeValue(new Date(Number.NaN))).toThrow(TypeError);
  });

  test.each([
    ['c1', 'the byte c1 must not be used'],
    ['0101', 'nothing may follow a MessagePack value'],
    ['81c001', 'a map key must be a string or an integer, got nil'],
    ['c703ff010203', 'a timestamp must have 4, 8 or 12 bytes, got 3'],
    ['c70cff000000007fffffffffffffff', 'a timestamp must be one that a Date can hold'],
    ['', 'a MessagePack value must be complete'],
  ])('are refused when the bytes are %s', (bytes, sentence) => {
    expect(() => decodeValue(unhex(bytes))).toThrow(new MalformedError(sentence));
  });
});
