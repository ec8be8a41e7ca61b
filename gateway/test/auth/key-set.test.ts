import { createLocalJWKSet, SignJWT } from 'jose';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { KeySet } from '../../src/auth/key-set.ts';
import { type IssuerKey, issuerKey } from '../support/oidc-server.ts';

let key: IssuerKey;
let token: string;
let now: number;
let fetches: number;
let failures: unknown[];
/** What the next fetches give. */
let answer: () => Promise<ReturnType<typeof createLocalJWKSet>>;

beforeAll(async () => {
  key = await issuerKey('ES256', 'k');
  token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(key.privateKey);
});
beforeEach(() => {
  [now, fetches, failures] = [1_000_000, 0, []];
  answer = good;
});

const good = async (): ReturnType<typeof answer> => createLocalJWKSet({ keys: [key.jwk] });
const none = async (): ReturnType<typeof answer> => createLocalJWKSet({ keys: [] });
const fails = (): Promise<never> => Promise.reject(new Error('down'));

function keySet(): KeySet {
  return new KeySet({
    fetch: () => {
      fetches++;
      return answer();
    },
    keysMs: 1000,
    staleMs: 10_000,
    cooldownMs: 500,
    fetched: (failure) => void failures.push(failure),
    now: () => now,
  });
}

const kindOf = async (set: KeySet): Promise<string> => (await set.judge(token, ['ES256'], false)).kind;

test('keys are fetched once, whoever asks, and again when they are old', async () => {
  const set = keySet();
  expect(await Promise.all([kindOf(set), kindOf(set), kindOf(set)])).toEqual(['genuine', 'genuine', 'genuine']);
  expect(fetches).toBe(1);
  now += 999;
  await kindOf(set);
  expect(fetches).toBe(1);
  now += 1;
  await kindOf(set);
  expect(fetches).toBe(2);
  expect(failures).toEqual([undefined, undefined]);
});

test('a busy node goes on with the keys it has while they are fetched again', async () => {
  const set = keySet();
  await kindOf(set);
  now += 1000;
  answer = () => new Promise(() => undefined);
  expect(await kindOf(set)).toBe('genuine');
  expect(fetches).toBe(2);
});

test('keys that nobody needed for long are not trusted before they are fetched again', async () => {
  const set = keySet();
  await kindOf(set);
  now += 2000;
  answer = none;
  expect(await kindOf(set)).toBe('signature');
});

test('keys that cannot be fetched again go on until they are stale, and then there are none', async () => {
  const set = keySet();
  await kindOf(set);
  answer = fails;
  for (now += 2000; now < 1_010_000; now += 2000) expect(await kindOf(set)).toBe('genuine');
  expect(await kindOf(set)).toBe('down');
  answer = good;
  expect(await kindOf(set)).toBe('down');
  now += 500;
  expect(await kindOf(set)).toBe('genuine');
});

test('an issuer that is down is not asked for every token', async () => {
  const set = keySet();
  answer = fails;
  for (let i = 0; i < 20; i++) expect(await kindOf(set)).toBe('down');
  expect(fetches).toBe(1);
  now += 500;
  await kindOf(set);
  expect(fetches).toBe(2);
});

test('a token that no key signed makes them be fetched, but not within the cooldown', async () => {
  const set = keySet();
  answer = none;
  expect(await kindOf(set)).toBe('signature');
  answer = good;
  now += 499;
  expect(await kindOf(set)).toBe('signature');
  expect(fetches).toBe(1);
  now += 1;
  expect(await kindOf(set)).toBe('genuine');
});
