import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedError } from '../../src/protocol/errors.ts';
import { jsonToMessagePack } from '../../src/protocol/json-to-messagepack.ts';
import { decodeValue } from '../../src/protocol/messagepack.ts';
import { hex } from './bytes.ts';
import { jsonValues } from './values.ts';

describe('JSON as MessagePack', () => {
  test.each([
    ['[]', '90'],
    [' [ 1 , 2 ] ', '920102'],
    ['[9007199254740993]', '91cf0020000000000001'],
    ['[18446744073709551615]', '91cfffffffffffffffff'],
    ['[-9223372036854775808]', '91d38000000000000000'],
    ['[18446744073709551616]', '91cb43f0000000000000'],
    ['[-9223372036854775809]', '91cbc3e0000000000000'],
    ['[123456789012345678901234567890]', '91cb45f8ee90ff6c373e'],
    ['[1.0]', '91cb3ff0000000000000'],
    ['[1e2]', '91cb4059000000000000'],
    ['[-0]', '9100'],
    ['["\\u00e9\\n",true,false,null]', '94a3c3a90ac3c2c0'],
    ['[{"b":1,"a":{}}]', '9182a16201a16180'],
    ['[{"a":1,"b":2,"a":3}]', '9182a16103a16202'],
    ['[{"__proto__":1}]', '9181a95f5f70726f746f5f5f01'],
  ])('%s is %s', (json, bytes) => {
    expect(hex(jsonToMessagePack(json))).toBe(bytes);
  });

  test('holds the same values as the parsed JSON', () => {
    fc.assert(
      fc.property(fc.array(jsonValues), (values) => {
        expect(decodeValue(jsonToMessagePack(JSON.stringify(values)))).toEqual(values);
      }),
    );
  });

  test.each([
    ['', 'JSON must have "[" at position 0'],
    ['{}', 'JSON must have "[" at position 0'],
    ['[', 'JSON must have a value at position 1'],
    ['[1', 'JSON must have "]" at position 2'],
    ['[1,]', 'JSON must have a value at position 3'],
    ['[1 2]', 'JSON must have "]" at position 3'],
    ['[01]', 'JSON must have "]" at position 2'],
    ['[+1]', 'JSON must have a value at position 1'],
    ['[.5]', 'JSON must have a value at position 1'],
    ['[NaN]', 'JSON must have a value at position 1'],
    ['[tru]', 'JSON must have a value at position 1'],
    ['["a]', 'JSON must have a complete string at position 1'],
    ['["a\nb"]', 'JSON must have a complete string at position 1'],
    ['["\\x"]', 'JSON strings must use the escapes of RFC 8259'],
    ['[{a:1}]', 'JSON must have a string at position 2'],
    ['[{"a" 1}]', 'JSON must have ":" at position 6'],
    ['[{"a":1,}]', 'JSON must have a string at position 8'],
    ['[]x', 'JSON must have the end at position 2'],
    [`${'['.repeat(65)}${']'.repeat(65)}`, 'JSON must nest at most 64 deep'],
    ['['.repeat(1_000_000), 'JSON must nest at most 64 deep'],
  ])('refuses text that is not JSON (row %#)', (json, sentence) => {
    expect(() => jsonToMessagePack(json)).toThrow(new MalformedError(sentence));
  });

  test('agrees with JSON.parse about what is JSON', () => {
    const alphabet = fc.constantFrom(...'[]{}",:0123.eE+-\\untrfalsb \t\n\u0001');
    const texts = fc.array(alphabet, { maxLength: 12 }).map((chars) => `[${chars.join('')}]`);
    fc.assert(
      fc.property(texts, (json) => {
        expect(accepts(() => jsonToMessagePack(json))).toBe(accepts(() => JSON.parse(json)));
      }),
      { numRuns: 5_000 },
    );
  });
});

function accepts(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    expect([MalformedError, SyntaxError]).toContain((error as Error).constructor);
    return false;
  }
}
