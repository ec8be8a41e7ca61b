import { testHub } from '@signalbox/app-sdk/testing';
import { expect, test } from 'vitest';
import { chat } from '../src/chat.ts';

test('nobody sends under the name of another', async () => {
  await using hub = testHub(chat);
  const mallory = await hub.connect({ userId: 'mallory' });
  await expect(mallory.invoke('sendMessage', 'alice', 'it was me')).rejects.toThrow('user is unauthorized');
  await mallory.invoke('sendMessage', 'mallory', 'it was me');
  expect(await mallory.next('receiveMessage')).toEqual(['mallory', 'it was me']);
});

test.each([
  ['sendMessage', ['alice', '']],
  ['sendMessage', ['alice', 'x'.repeat(1001)]],
  ['joinRoom', [42]],
  ['joinRoom', ['x'.repeat(41)]],
  ['joinRoom', []],
  ['sendPrivate', ['bob', { text: 'hi' }]],
] as const)('%s refuses what the contract cannot check, and the connection lives on', async (method, args) => {
  await using hub = testHub(chat);
  const alice = await hub.connect({ userId: 'alice' });
  const invoke = alice.invoke as (target: string, ...given: unknown[]) => Promise<unknown>;
  await expect(invoke(method, ...args)).rejects.toThrow(`Failed to invoke '${method}'`);
  expect(await alice.invoke('whoAmI')).toMatchObject({ user: 'alice', process: process.pid });
});

test('the counter counts from one number to the other', async () => {
  await using hub = testHub(chat);
  const alice = await hub.connect({ userId: 'alice' });
  const counted: number[] = [];
  for await (const n of alice.stream('counter', 3, 5)) counted.push(n);
  expect(counted).toEqual([3, 4, 5]);
});
