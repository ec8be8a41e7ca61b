import { setTimeout as sleep } from 'node:timers/promises';
import { defineHub, HubException } from '@signalbox/app-sdk';
import type { Chat } from './contract.ts';

export const chat = defineHub<Chat, { rooms: Set<string> }>({
  name: 'chat',
  items: () => ({ rooms: new Set() }),
  authorize: { sendMessage: (hub) => !hub.context.claims.has('role', 'muted') },
  methods: {
    sendMessage: (hub, user, text) => hub.clients.all.receiveMessage(user, text),
    async join({ groups, clients, context }, room) {
      if (context.items.rooms.size >= 10) throw new HubException('Ten rooms are enough');
      await groups.join(room);
      await clients.othersInGroup(room).joined(room, context.userId);
      return context.items.rooms.add(room).size;
    },
    async *counter(hub, from) {
      for (let n = from; ; n++) {
        yield n;
        await sleep(1000, undefined, { signal: hub.signal });
      }
    },
    rename: (hub) => hub.clients.caller.invoke('askName', 'What is your name?'),
  },
  onConnected: (hub) => hub.clients.caller.receiveMessage('system', 'welcome'),
});
