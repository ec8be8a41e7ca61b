/** What a hub must and must not let through. Compiled, never run. */
import {
  defineHub,
  type Hub,
  HubException,
  type HubFilter,
  type HubMethods,
  type Schema,
  SignalboxError,
} from '@signalbox/app-sdk';
import { testHub } from '@signalbox/app-sdk/testing';
import type { Chat } from './chat.ts';

/** A hub may be spread over files: each part is checked, and its parameters are inferred. */
const rest = {
  history: (_hub, room, last = 10) => [{ text: room + last }],
  counter: async function* (_hub, from) {
    yield from;
  },
  upload: async (_hub, name, lines) => {
    let n = name.length;
    for await (const line of lines) n += line.length;
    return n;
  },
  find: async (_hub, id) => (id ? { id } : null),
  flag: async () => undefined,
  async *both(_hub, x) {
    for await (const n of x) yield n.toFixed();
  },
} satisfies Partial<HubMethods<Chat, Hub<Chat>>>;
const rooms = {
  join: async (hub, room) => {
    await hub.groups.join(room);
    await hub.clients.all['room:left'](room);
    return room.length;
  },
} satisfies Partial<HubMethods<Chat, Hub<Chat>>>;
const ok = {
  ...rest,
  ...rooms,
  sendMessage: (hub: Hub<Chat>, user: string, text: string) => hub.clients.all.receiveMessage(user, text),
};

declare const twoTexts: Schema<[string, string]>;
declare const textAndNumber: Schema<[string, number]>;

const chat = defineHub<Chat>({
  name: 'chat',
  methods: ok,
  authorize: {
    '*': (hub) => hub.context.userId !== undefined,
    join: (hub, call) => call.arguments.length > 0 && hub.context.claims.has('role'),
  },
  validate: { sendMessage: twoTexts },
  onConnected(hub) {
    return hub.clients.caller.cleared();
  },
  onDisconnected: async (hub, reason) => {
    if (reason.kind === 'link_lost') await hub.clients.others.cleared();
  },
});
defineHub<Chat, { name: string }>({ name: 'chat', methods: ok, items: () => ({ name: '' }) });

// @ts-expect-error a method is missing
defineHub<Chat>({ name: 'chat', methods: rest });
defineHub<Chat>({
  name: 'chat',
  methods: {
    ...ok,
    // @ts-expect-error a method that the contract lacks
    helper: () => undefined,
  },
});
// @ts-expect-error wrong result
defineHub<Chat>({ name: 'chat', methods: { ...ok, join: () => 'one' } });
// @ts-expect-error a stream must be a stream
defineHub<Chat>({ name: 'chat', methods: { ...ok, counter: async () => 1 } });
defineHub<Chat>({
  name: 'chat',
  methods: {
    ...ok,
    // @ts-expect-error a stream of something else
    counter: async function* () {
      yield 'x';
    },
  },
});
// @ts-expect-error a shape of items needs its maker
defineHub<Chat, { name: string }>({ name: 'chat', methods: ok });
defineHub<Chat>({
  name: 'chat',
  methods: ok,
  // @ts-expect-error nothing to authorize
  authorize: { nothing: () => true },
});
defineHub<Chat>({
  name: 'chat',
  methods: ok,
  // @ts-expect-error schema of other types
  validate: { sendMessage: textAndNumber },
});
defineHub<Chat>({
  name: 'chat',
  methods: ok,
  // @ts-expect-error the caller is gone
  onDisconnected: (hub) => hub.clients.caller.cleared(),
});

interface Reserved {
  server: object;
  client: { send(x: string): void };
}
// @ts-expect-error reserved client method name
defineHub<Reserved>({ name: 'x', methods: {} });

export const timing: HubFilter = async (event, next) => {
  if (event.kind === 'invocation' && event.method === 'x') throw new HubException('no');
  return await next();
};

void (async () => {
  try {
    await using hub = testHub(chat);
    const client = await hub.connect({ userId: 'a', protocol: 'messagepack', headers: { origin: 'x' } });
    for await (const n of client.stream('counter', 1)) if (n.toFixed() > '2') break;
    const [user, text] = await client.next('receiveMessage');
    void [user.length, text.length, (await client.invoke('history', 'r'))[0]?.text];
    client.on('askName', async (question) => question);
    await hub.clients.all.cleared();
    // @ts-expect-error wrong argument
    await client.invoke('sendMessage', 'a', 1);
    // @ts-expect-error a stream is not invoked
    await client.invoke('counter', 1);
    // @ts-expect-error a method is not streamed
    client.stream('join', 'r');
    // @ts-expect-error a result method is answered, not waited for
    await client.next('askName');
    // @ts-expect-error the client answers with a string
    client.on('askName', () => 42);
  } catch (error) {
    if (error instanceof SignalboxError) void error.code;
  }
})();
