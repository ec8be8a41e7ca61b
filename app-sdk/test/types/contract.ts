/** What the contract types must and must not let through. Compiled, never run. */
import type {
  Args,
  CallName,
  Handler,
  HubContext,
  HubContract,
  HubMethods,
  Item,
  Message,
  Result,
  ResultName,
  SendName,
  StreamName,
  Target,
} from '@signalbox/app-sdk';
import type { Chat } from './chat.ts';

type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <_T extends true>(): void => undefined;

same<Eq<SendName<Chat>, 'receiveMessage' | 'joined' | 'cleared' | 'room:left'>>();
same<Eq<ResultName<Chat>, 'askName' | 'pick'>>();
same<Eq<StreamName<Chat>, 'counter' | 'both'>>();
same<Eq<CallName<Chat>, 'sendMessage' | 'join' | 'history' | 'upload' | 'find' | 'flag'>>();
same<Eq<Args<Chat['client'], 'joined'>, [room: string, user?: string]>>();
same<Eq<Result<Chat['server'], 'join'>, number>>();
same<Eq<Item<Chat['server'], 'counter'>, number>>();
same<Eq<Handler<Chat, 'cleared'>, () => void>>();

type Methods = HubMethods<Chat, HubContext<Chat>>;

export const rest = {
  history: (_hub, room, last = 10) => [{ text: room + last }],
  counter: async function* (_hub, from) {
    yield from;
  },
  upload: async (_hub, name, lines) => {
    let length = name.length;
    for await (const line of lines) length += line.length;
    return length;
  },
  find: async (_hub, id) => (id ? { id } : null),
  flag: async () => undefined,
  async *both(_hub, x) {
    for await (const n of x) yield n.toFixed();
  },
} satisfies Partial<Methods>;

const ok: Methods = {
  ...rest,
  join: async (hub, room) => {
    await hub.clients.all['room:left'](room);
    return room.length;
  },
  sendMessage: (hub, user, text) => hub.clients.all.receiveMessage(user, text),
};

// @ts-expect-error a method is missing
export const missing: Methods = rest;

export const surplus: Methods = {
  ...ok,
  // @ts-expect-error a method that the contract lacks
  helper() {
    return undefined;
  },
};

// @ts-expect-error wrong result
export const result: Methods = { ...ok, join: () => 'one' };

// @ts-expect-error a stream must be a stream
export const noStream: Methods = { ...ok, counter: async () => 1 };

// @ts-expect-error a stream of something else
export const otherItems: Methods = { ...ok, counter: async function* () { yield 'x'; } }; // biome-ignore format: one line carries the refusal

interface Reserved {
  server: object;
  client: { send(x: string): void };
}
// @ts-expect-error a client method named send
export type ReservedSend = HubContext<Reserved>;

// @ts-expect-error a client method named then
export type ReservedThen = HubContext<{ server: object; client: { then(): void } }>;

// @ts-expect-error a client method named invoke
export type ReservedInvoke = HubContext<{ server: object; client: { invoke(): void } }>;

// @ts-expect-error message data is checked
export const message: Message<Chat> = { target: 'receiveMessage', arguments: ['a', 1] };

export type Used = Target<Chat> | HubContract;
