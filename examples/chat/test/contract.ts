/** What the contract of the chat lets through at both ends, and what not. Compiled, never run. */
import type { HubConnection } from '@microsoft/signalr';
import type { HubContext } from '@signalbox/app-sdk';
import type { TypedHubConnection } from '@signalbox/app-sdk/browser';
import type { Chat } from '../src/contract.ts';

export function page(hub: TypedHubConnection<HubConnection, Chat>): void {
  hub.on('saidInRoom', (room, user, text) => void [room, user, text].map((word) => word.length));
  void hub.invoke('whoAmI').then(({ process }) => process.toFixed());
  // @ts-expect-error a message has a text
  void hub.invoke('sendMessage', 'alice');
  // @ts-expect-error no such method
  void hub.invoke('joinRom', 'kitchen');
  // @ts-expect-error a stream is not invoked
  void hub.invoke('counter', 1, 10);
  // @ts-expect-error the hub sends no such message
  hub.on('recieveMessage', () => undefined);
}

export async function elsewhere(hub: HubContext<Chat>): Promise<void> {
  await hub.send({ group: 'kitchen' }, 'saidInRoom', 'kitchen', 'system', 'dinner');
  await hub.clients.user('bob').receivePrivate('system', 'bob', 'dinner');
  // @ts-expect-error a room's message has a room
  await hub.send({ group: 'kitchen' }, 'saidInRoom', 'system', 'dinner');
  // @ts-expect-error a number is no text
  await hub.clients.all.receiveMessage('system', 42);
}
