import { setTimeout as sleep } from 'node:timers/promises';
import { defineHub, type Hub } from '@signalbox/app-sdk';
import type { Chat, WhoAmI } from './contract.ts';
import { args, text, whole } from './rules.ts';

/** The longest name of a user or a room. */
export const maxNameChars = 40;
const name = text(maxNameChars);
const message = text(1000);

type Caller = Pick<Hub<Chat>, 'context'>;

/** Negotiate lets nobody in without a name. */
const userOf = ({ context }: Caller): string => context.userId ?? 'nobody';

const whoIs = (hub: Caller): WhoAmI => ({
  user: userOf(hub),
  connectionId: hub.context.connectionId,
  process: process.pid,
});

/**
 * The chat: a message goes to all, to a room, or to one user. A room is a group: it needs no making, anybody may join, and
 * the gateway knows its members, so nothing of it is lost when a client moves to another app server.
 */
export const chat = defineHub<Chat>({
  name: 'chat',

  // The name comes from the client, so it is compared with the one in the token.
  authorize: { sendMessage: (hub, call) => call.arguments[0] === hub.context.userId },

  // Types are erased: until a schema has looked, an argument can be anything.
  validate: {
    sendMessage: args(name, message),
    joinRoom: args(name),
    leaveRoom: args(name),
    sayInRoom: args(name, message),
    typing: args(name),
    sendPrivate: args(name, message),
    counter: args(whole(0, 1000), whole(0, 1000)),
  },

  methods: {
    sendMessage: (hub, user, text) => hub.clients.all.receiveMessage(user, text),

    async joinRoom(hub, room) {
      await hub.groups.join(room);
      await hub.clients.othersInGroup(room).joinedRoom(room, userOf(hub));
    },

    async leaveRoom(hub, room) {
      await hub.groups.leave(room);
      await hub.clients.group(room).leftRoom(room, userOf(hub));
    },

    sayInRoom: (hub, room, text) => hub.clients.group(room).saidInRoom(room, userOf(hub), text),

    typing: (hub, room) => hub.clients.othersInGroup(room).typing(room, userOf(hub)),

    /** To all tabs of both, so that the sender's other tabs show it too. */
    async sendPrivate(hub, to, text) {
      const from = userOf(hub);
      await hub.clients.users([...new Set([from, to])]).receivePrivate(from, to, text);
    },

    async *counter(hub, from, to) {
      for (let n = from; n <= to; n++) {
        yield n;
        await sleep(200, undefined, { signal: hub.signal });
      }
    },

    whoAmI: whoIs,
  },

  async onConnected(hub) {
    await hub.clients.caller.welcome(whoIs(hub));
    await hub.clients.others.arrived(userOf(hub));
  },

  onDisconnected: (hub) => hub.clients.others.left(userOf(hub)),
});
