import type { HubContext } from '@signalbox/app-sdk';
import type { Chat } from './contract.ts';

export async function remind(hub: HubContext<Chat>, due: { user: string; text: string }[]): Promise<void> {
  await hub.send('alice', 'receiveMessage', 'system', 'good morning'); // to a user
  await hub.send({ group: 'night-shift' }, { target: 'receiveMessage', arguments: ['system', 'go home'] }); // as data
  await hub.clients.groupExcept('lobby', 'conn1').joined('lobby'); // as methods
  const { failed } = await hub.sendBatch(
    due.map((d) => ({ to: d.user, target: 'receiveMessage', arguments: ['system', d.text] })),
  );
  for (const { index, error } of failed) console.error(due[index]?.user, error.code, error.outcome);
}
