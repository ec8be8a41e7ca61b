// The hub's side of the page: no elements here. The compiler checks each call and handler against the contract.

/** @import { HubConnection } from '@microsoft/signalr' */
/** @import { TypedHubConnection } from '@signalbox/app-sdk/browser' */
/** @import { Chat } from '../src/contract.ts' */

/**
 * What shows. A place is `Everybody`, `#room` or `@user`.
 * @typedef {object} View
 * @property {(kind: 'waiting' | 'connected' | 'closed', text: string) => void} state
 * @property {(place: string, user: string, text: string) => void} message
 * @property {(place: string, text: string) => void} note
 * @property {(place: string, user: string) => void} typing
 */

const { signalR } = /** @type {{ signalR: typeof import('@microsoft/signalr') }} */ (/** @type {unknown} */ (window));

export const everybody = 'Everybody';

/**
 * The chat of this user.
 * @param {string} user
 * @param {View} view
 */
export function openChat(user, view) {
  const hub = /** @type {TypedHubConnection<HubConnection, Chat>} */ (
    new signalR.HubConnectionBuilder()
      .withUrl(`/chat?user=${encodeURIComponent(user)}`)
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds })
      .build()
  );
  /** @type {Set<string>} */
  const rooms = new Set();

  hub.on('welcome', (you) => {
    view.state('connected', `connected as ${you.user}`);
    view.note(everybody, `Welcome, ${you.user}!`);
  });
  hub.on('receiveMessage', (from, text) => view.message(everybody, from, text));
  hub.on('saidInRoom', (room, from, text) => view.message(`#${room}`, from, text));
  hub.on('receivePrivate', (from, to, text) => view.message(`@${from === user ? to : from}`, from, text));
  hub.on('arrived', (who) => view.note(everybody, `${who} came in`));
  hub.on('left', (who) => view.note(everybody, `${who} left`));
  hub.on('joinedRoom', (room, who) => view.note(`#${room}`, `${who} joined`));
  hub.on('leftRoom', (room, who) => view.note(`#${room}`, `${who} left`));
  hub.on('typing', (room, who) => view.typing(`#${room}`, who));

  hub.onreconnecting(() => view.state('waiting', 'reconnecting …'));
  hub.onreconnected(async () => {
    try {
      await Promise.all([...rooms].map((room) => hub.invoke('joinRoom', room))); // a new connection is in no room
    } catch (error) {
      view.note(everybody, `not in all rooms again: ${error}`);
    }
  });
  hub.onclose((error) => view.state('closed', `not connected: ${error?.message ?? 'load the page again'}`));

  return {
    /** Automatic reconnect is for connections that were up once: the first start is tried again here. */
    async start() {
      view.state('waiting', 'connecting …');
      for (let previousRetryCount = 1; hub.state !== 'Connected'; previousRetryCount++) {
        try {
          await hub.start();
        } catch (error) {
          view.state('waiting', `connecting … (${error instanceof Error ? error.message : error})`);
          await new Promise((resolve) => setTimeout(resolve, nextRetryDelayInMilliseconds({ previousRetryCount })));
        }
      }
    },
    /** @param {string} room */
    async join(room) {
      await hub.invoke('joinRoom', room);
      rooms.add(room);
    },
    /** @param {string} room */
    async leave(room) {
      await hub.invoke('leaveRoom', room);
      rooms.delete(room);
    },
    /** @param {string} place @param {string} text */
    say(place, text) {
      const name = place.slice(1);
      if (place === everybody) return hub.invoke('sendMessage', user, text);
      return place.startsWith('#') ? hub.invoke('sayInRoom', name, text) : hub.invoke('sendPrivate', name, text);
    },
    /** @param {string} room */
    typing: (room) => hub.send('typing', room),
    whoAmI: () => hub.invoke('whoAmI'),
    /** @param {number} to @param {(n: number) => void} next */
    count: (to, next) =>
      new Promise((complete, error) =>
        hub.stream('counter', 1, to).subscribe({ next, error, complete: () => complete(undefined) }),
      ),
  };
}

/**
 * At once, then after up to 1, 2, 3, 4 and 5 seconds, for ever; by chance, so that not all come back together.
 * @param {{ previousRetryCount: number }} retry
 */
function nextRetryDelayInMilliseconds({ previousRetryCount }) {
  return Math.random() * Math.min(previousRetryCount, 5) * 1000;
}
