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

it('imported keys cannot be exported again', async () => {
  const [key] = await importKeys([testKey]);
  await expect(crypto.subtle.exportKey('raw', key.verifiers.HS256)).rejects.toThrow();
});

it('no key at all is a mistake of the caller', async () => {
  await expect(importKeys([])).rejects.toThrow(TypeError);
});
