import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { clientClaims } from '../src/negotiate-claims.ts';
import { createSigner, TokenShelf, type TokenSigner } from '../src/token.ts';

const key = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH';
const sample =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjEifQ.eyJhc3JzLnMudWlkIjoidTEiLCJhc3JzLnMuZGVycm9yIjoiVHJ1ZSIsInJvbGUiOlsiYSIsImIiXSwibmJmIjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDAsImlhdCI6MTcwMDAwMDAwMCwiYXVkIjoiaHR0cDovL2xvY2FsaG9zdC9jbGllbnQvP2h1Yj1jaGF0In0.f2Z9cjv5F5uPQveRJTQcYHN0MlaiepiAh41Q3M43xRw';

test('the sample token of the client endpoint is made to the byte', async () => {
  const signer = createSigner(key, () => 1_700_000_000_999);
  const claims = clientClaims({ userId: 'u1', detailedErrors: true, claims: { role: ['a', 'b'] } });
  expect(await signer.sign('http://localhost/client/?hub=chat', claims)).toBe(sample);
});

test('a token lives for an hour unless said, and begins now', async () => {
  const signer = createSigner(key, () => 5_000_000);
  expect(decodeJwt(await signer.sign('http://h/'))).toEqual({ nbf: 5000, exp: 8600, iat: 5000, aud: 'http://h/' });
  expect(decodeJwt(await signer.sign('http://h/', {}, 86_400)).exp).toBe(91_400);
});

test('the key is the UTF-8 text of the access key, of any length', async () => {
  const token = await createSigner('ключ').sign('http://h/');
  expect(decodeProtectedHeader(token).alg).toBe('HS256');
  await expect(jwtVerify(token, new TextEncoder().encode('ключ'))).resolves.toBeDefined();
  await expect(jwtVerify(token, new TextEncoder().encode('other'))).rejects.toThrow('signature verification failed');
});

test('claims cannot replace audience and times', async () => {
  const token = await createSigner(key, () => 0).sign('http://h/', { aud: 'http://x/', exp: 1 }, 60);
  expect(decodeJwt(token)).toMatchObject({ aud: 'http://h/', exp: 60 });
});

test('a kept token is taken again for its audience, for half of its life', async () => {
  const clock = { ms: 0 };
  const shelf = new TokenShelf(
    createSigner(key, () => clock.ms),
    () => clock.ms,
  );
  const first = await shelf.take('http://h/a');
  expect(decodeJwt(first)).toMatchObject({ aud: 'http://h/a', exp: 3600 });
  expect(decodeJwt(await shelf.take('http://h/b')).aud).toBe('http://h/b');
  clock.ms = 1_799_999;
  expect(await shelf.take('http://h/a')).toBe(first);
  clock.ms = 1_800_000;
  expect(decodeJwt(await shelf.take('http://h/a')).exp).toBe(5400);
});

test('kept tokens are bounded, and a failure is not kept', async () => {
  const signed: string[] = [];
  const signer: TokenSigner = {
    async sign(audience) {
      signed.push(audience);
      if (signed.length === 1) throw new Error('no key');
      return audience;
    },
  };
  const shelf = new TokenShelf(signer);
  await expect(shelf.take('a')).rejects.toThrow('no key');
  expect(await shelf.take('a')).toBe('a');
  for (let i = 0; i < 1000; i++) await shelf.take(`b${i}`);
  await shelf.take('a');
  expect(signed.filter((audience) => audience === 'a')).toHaveLength(3);
});
