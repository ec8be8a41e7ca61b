import { describe, expect, it } from 'vitest';
import { encodeName } from '../../src/backplane/names.ts';

describe('a name in a topic or key', () => {
  it.each([
    ['chat', 'chat'],
    ['a.b_c-d', 'a.b_c-d'],
    ['a:b', 'a%3Ab'],
    ['{tag}', '%7Btag%7D'],
    ['100%', '100%25'],
    ["!~*'()", '%21%7E%2A%27%28%29'],
    ['ä', '%C3%A4'],
    ['a\0\n b', 'a%00%0A%20b'],
    ['', ''],
    ['\ud800', '%EF%BF%BD'],
  ])('%j stands as %s', (name, encoded) => {
    expect(encodeName(name)).toBe(encoded);
  });

  it('longer than 64 bytes stands as its hash, which no short name can be', () => {
    expect(encodeName('x'.repeat(64))).toBe('x'.repeat(64));
    expect(encodeName('x'.repeat(65))).toMatch(/^~[\w-]{43}$/);
    expect(encodeName('ä'.repeat(33))).toMatch(/^~[\w-]{43}$/);
    expect(encodeName('x'.repeat(65))).not.toBe(encodeName('x'.repeat(66)));
    expect(encodeName(encodeName('x'.repeat(65)))).not.toBe(encodeName('x'.repeat(65)));
  });
});
