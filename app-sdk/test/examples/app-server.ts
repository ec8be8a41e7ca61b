import { createServer } from 'node:http';
import { AppServer, defineHub, negotiateHandler } from '@signalbox/app-sdk';
import type { Chat } from './contract.ts';

const chat = defineHub<Chat>({
  name: 'chat',
  methods: {
    sendMessage: (hub, user, text) => hub.clients.all.receiveMessage(user, text),
    async join(hub, room) {
      await hub.groups.join(room);
      await hub.clients.othersInGroup(room).joined(room, hub.context.userId);
      return 1;
    },
    async *counter(hub, from) {
      for (let n = from; !hub.signal.aborted; n++) yield n;
    },
    rename: (hub) => hub.clients.caller.invoke('askName', 'What is your name?'),
  },
});

const server = new AppServer(process.env['SIGNALBOX_CONNECTION_STRING'], { hubs: [chat] });
await server.start(); // each hub has a link now
const identify = () => ({ userId: 'alice' }); // who logged in
createServer(negotiateHandler.node(server.hub(chat), identify)).listen(3000);
process.once('SIGTERM', () => void server.stop());
