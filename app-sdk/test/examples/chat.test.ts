import { recordingHub, testHub } from '@signalbox/app-sdk/testing';
import { expect, test } from 'vitest';
import { chat } from './chat.ts';
import type { Chat } from './contract.ts';
import { remind } from './remind.ts';

test('a join is told to the others in the room only', async () => {
  const hub = testHub(chat);
  const alice = await hub.connect({ userId: 'alice' });
  const bob = await hub.connect({ userId: 'bob', protocol: 'messagepack' });
  const carol = await hub.connect();
  bob.on('askName', () => 'Bob');
  await alice.invoke('join', 'lobby');
  expect(await bob.invoke('join', 'lobby')).toBe(1);
  expect(await alice.next('joined')).toEqual(['lobby', 'bob']);
  expect(await bob.invoke('rename')).toBe('Bob');
  await hub.idle();
  expect(carol.received.map((m) => m.target)).toEqual(['receiveMessage']); // her own welcome
  await hub.close();
});

test('the cron job greets alice first', async () => {
  const hub = recordingHub<Chat>();
  await remind(hub, []);
  expect(hub.sent[0]).toEqual({
    to: { user: 'alice' },
    target: 'receiveMessage',
    arguments: ['system', 'good morning'],
  });
});
