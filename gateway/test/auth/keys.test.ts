import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { importKeys } from '../../src/auth/keys.ts';
import { otherKey, testKey } from './sign.ts';

it('a fingerprint is the same for the same key only, short, and shows nothing of the key', async () => {
  const [first, second, again] = await importKeys([testKey, otherKey, testKey]);
  expect(first.fingerprint).toMatch(/^[A-Za-z0-9_-]{16}$/);
  expect(again?.fingerprint).toBe(first.fingerprint);
  expect(second?.fingerprint).not.toBe(first.fingerprint);
});

it('a derived key is 32 bytes, another one for each label and each access key', async () => {
  const [first, second] = await importKeys([testKey, otherKey]);
  const derived = [first.derive('a'), first.derive('b'), second?.derive('a')].map((key) =>
    Buffer.from(key ?? []).toString('hex'),
  );
  expect(new Set(derived).size).toBe(3);
  for (const key of derived) expect(key).toHaveLength(64);
  expect(Buffer.from(first.derive('a')).toString('hex')).toBe(derived[0]);
});

it('a key tells what it signed, and no other text, hash or length', async () => {
  const [key] = await importKeys([testKey]);
  const signature = createHmac('sha256', testKey).update('text').digest();
  expect(key.signed('HS256', 'text', signature)).toBe(true);
  expect(key.signed('HS256', 'texT', signature)).toBe(false);
  expect(key.signed('HS512', 'text', signature)).toBe(false);
  expect(key.signed('HS256', 'text', signature.subarray(1))).toBe(false);
  expect(key.signed('HS256', 'text', new Uint8Array())).toBe(false);
});

it('an imported key shows nothing of its secret', async () => {
  const [key] = await importKeys([testKey]);
  expect(inspect(key, { depth: Number.POSITIVE_INFINITY, showHidden: true }) + JSON.stringify(key)).not.toContain(
    testKey,
  );
});

it('no key at all is a mistake of the caller', async () => {
  await expect(importKeys([])).rejects.toThrow(TypeError);
});
