import { expect, it } from 'vitest';
import { ConnectionTokens } from '../../src/auth/connection-token.ts';
import { importKeys } from '../../src/auth/keys.ts';
import { otherKey, testKey } from './sign.ts';

const id = 'AAAAAAAAAAAAAAAAAAAAAABBBBBBBBBBBB';
const firstUseMs = 30_000;
let time = 1_700_000_000_000;

async function tokens(...keys: string[]): Promise<ConnectionTokens> {
  return new ConnectionTokens({ keys: await importKeys(keys), firstUseMs, now: () => time });
}

const unknown = expect.objectContaining({ code: 'connection_token_unknown', status: 404 });
const mismatch = expect.objectContaining({ code: 'user_mismatch', status: 403 });

it('gives back the id that it was minted for', async () => {
  const made = await tokens(testKey);
  for (const user of ['u', undefined]) {
    const token = made.mint(id, 'chat', user);
    expect(made.verify(token, 'chat', user, 'first')).toEqual({ connectionId: id, firstUseUntil: time + firstUseMs });
  }
});

it('may stand in a URL as it is', async () => {
  const made = await tokens(testKey);
  expect(made.mint(id, 'chat', 'ü/?&.')).toMatch(/^[A-Za-z0-9_-]+$/);
});

it('is unknown for another hub', async () => {
  const made = await tokens(testKey);
  const token = made.mint(id, 'chat', 'u');
  expect(() => made.verify(token, 'other', 'u', 'first')).toThrow(unknown);
});

it('of another user is told from one that was never made', async () => {
  const made = await tokens(testKey);
  const token = made.mint(id, 'chat', 'u');
  for (const user of ['v', undefined, '']) expect(() => made.verify(token, 'chat', user, 'first')).toThrow(mismatch);
  const anonymous = made.mint(id, 'chat', undefined);
  expect(() => made.verify(anonymous, 'chat', 'u', 'first')).toThrow(mismatch);
});

it('is unknown when any of its characters is changed', async () => {
  const made = await tokens(testKey);
  const token = made.mint(id, 'chat', 'u');
  for (let i = 0; i < token.length; i++) {
    const changed = token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1);
    const refusal = expect.objectContaining({ status: expect.toSatisfy((status) => status === 404 || status === 403) });
    expect(() => made.verify(changed, 'chat', 'u', 'first'), changed).toThrow(refusal);
  }
});

for (const bad of [
  '',
  'x',
  id,
  'a.b',
  `${'A'.repeat(48)}`,
  `${'A'.repeat(48)}=`,
  'A'.repeat(5000),
  `${'A'.repeat(82)}\n`,
]) {
  it(`is unknown when it has not the form of one (${bad.length} characters)`, async () => {
    const made = await tokens(testKey);
    expect(() => made.verify(bad, 'chat', 'u', 'first')).toThrow(unknown);
  });
}

it('opens a connection for its time only, but names a living one for ever', async () => {
  const made = await tokens(testKey);
  const token = made.mint(id, 'chat', 'u');
  time += firstUseMs - 1;
  made.verify(token, 'chat', 'u', 'first');
  time += 1;
  expect(() => made.verify(token, 'chat', 'u', 'first')).toThrow(unknown);
  time += 1_000_000_000;
  expect(made.verify(token, 'chat', 'u', 'later').connectionId).toBe(id);
});

it('of a node whose clock is far ahead is unknown, for its claim would be forgotten before it', async () => {
  const made = await tokens(testKey);
  time += firstUseMs + 1;
  const token = made.mint(id, 'chat', 'u');
  time -= firstUseMs + 1;
  expect(() => made.verify(token, 'chat', 'u', 'first')).toThrow(unknown);
});

it('outlives the rotation of keys in two rolls', async () => {
  const [before, during, after, end] = await Promise.all([
    tokens(testKey),
    tokens(testKey, otherKey),
    tokens(otherKey, testKey),
    tokens(otherKey),
  ]);
  const old = before.mint(id, 'chat', 'u');
  const young = after.mint(id, 'chat', 'u');
  for (const node of [before, during, after]) expect(node.verify(old, 'chat', 'u', 'first').connectionId).toBe(id);
  for (const node of [during, after, end]) expect(node.verify(young, 'chat', 'u', 'first').connectionId).toBe(id);
  expect(() => end.verify(old, 'chat', 'u', 'first')).toThrow(unknown);
});
