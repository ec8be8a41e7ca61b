import {
  type AnyContract,
  defineHub,
  type Hub,
  type HubDefinition,
  HubException,
  type HubSettings,
  type Schema,
  type Stream,
} from '@signalbox/app-sdk';

/** Any contract will do: the scripts send what no compiler would let pass. */
interface Scripted {
  server: AnyContract['server'];
  client: { news(...args: unknown[]): void; askName(): string };
}

type ScriptedHub = Hub<Scripted>;

/** What an argument must be. */
type Kind = 'number' | 'string' | 'strings' | 'anything' | 'stream';

const isKind: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  number: (value) => typeof value === 'number',
  string: (value) => typeof value === 'string' || value === null,
  strings: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  anything: (value) => value !== undefined,
  stream: (value) => typeof value === 'object' && value !== null && Symbol.asyncIterator in value,
};

/** A list of exactly these arguments, as the compiler of the stock hub sees to it. */
function takes(...kinds: readonly Kind[]): Schema<never> {
  const fits = (value: unknown): boolean =>
    Array.isArray(value) && value.length === kinds.length && kinds.every((kind, i) => isKind[kind](value[i]));
  const validate: Schema<never>['~standard']['validate'] = (value) =>
    fits(value) ? { value: value as never } : { issues: [{ message: `arguments must be ${kinds.join(', ')}` }] };
  return { '~standard': { version: 1, vendor: 'transcripts', validate } };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Resolves never; rejects when the signal aborts. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

async function* count(to: number): AsyncGenerator<number> {
  for (let n = 1; n <= to; n++) {
    await turn();
    yield n;
  }
}

async function all<T>(stream: Stream<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

function target({ clients }: ScriptedHub, to: string, names: readonly string[]) {
  const [name = '', ...others] = names;
  const targets = {
    all: () => clients.all,
    others: () => clients.others,
    caller: () => clients.caller,
    allExcept: () => clients.allExcept(names),
    client: () => clients.client(name),
    clients: () => clients.clients(names),
    group: () => clients.group(name),
    groups: () => clients.groups(names),
    groupExcept: () => clients.groupExcept(name, others),
    othersInGroup: () => clients.othersInGroup(name),
    user: () => clients.user(name),
    users: () => clients.users(names),
  };
  const found = targets[to as keyof typeof targets];
  if (found === undefined) throw new HubException(`"to" must name a target, got "${to}"`);
  return found();
}

/** Thrown under the name that the stock hub's error has, since clients are told names. */
class InvalidOperationException extends Error {
  override readonly name = 'InvalidOperationException';
}

const methods = {
  echo: (_: ScriptedHub, value: unknown) => value,
  add: (_: ScriptedHub, left: number, right: number) => left + right,
  nothing: () => undefined,
  nothingLater: () => turn(),
  null: () => null,
  async later(_: ScriptedHub, text: string) {
    await turn();
    return text;
  },
  describe: (_: ScriptedHub, name: string, age: number) => ({ name, age, roles: ['reader'] }),
  fail(_: ScriptedHub, text: string) {
    throw new InvalidOperationException(text);
  },
  async failLater(_: ScriptedHub, text: string) {
    await turn();
    throw new InvalidOperationException(text);
  },
  refuse(_: ScriptedHub, text: string) {
    throw new HubException(text);
  },
  hold: (hub: ScriptedHub) => aborted(hub.context.signal),
  count: (_: ScriptedHub, to: number) => count(to),
  async *letters() {
    yield 'a';
    yield null;
  },
  async *failAfter(_: ScriptedHub, to: number) {
    yield* count(to);
    throw new InvalidOperationException('broken');
  },
  async *refuseAfter(_: ScriptedHub, to: number) {
    yield* count(to);
    throw new HubException('no more');
  },
  refuseStream(): Stream<number> {
    throw new HubException('no stream');
  },
  async *one(hub: ScriptedHub) {
    yield 1;
    await aborted(hub.signal);
  },
  sum: async (_: ScriptedHub, numbers: Stream<number>) => (await all(numbers)).reduce((sum, n) => sum + n, 0),
  merge: async (_: ScriptedHub, separator: string, left: Stream<string>, right: Stream<string>) =>
    [...(await all(left)), ...(await all(right))].join(separator),
  async first(_: ScriptedHub, numbers: Stream<number>) {
    for await (const n of numbers) return n;
    return 0;
  },
  async *double(_: ScriptedHub, numbers: Stream<number>) {
    for await (const n of numbers) yield 2 * n;
  },
  askCaller: async (hub: ScriptedHub) => `you are ${await hub.clients.caller.invoke('askName')}`,
  ask: (hub: ScriptedHub, connectionId: string) => hub.clients.client(connectionId).invoke('askName'),
  join: (hub: ScriptedHub, group: string) => hub.groups.join(group),
  leave: (hub: ScriptedHub, group: string) => hub.groups.leave(group),
  async tell(hub: ScriptedHub, to: string, names: readonly string[], value: unknown) {
    await target(hub, to, names).send('news', value);
    return 'told';
  },
  async several({ clients }: ScriptedHub) {
    await clients.caller.send('news');
    await clients.caller.send('news', 1, 'two', null, true, 4.5);
    await clients.all.send('NEWS' as 'news', { name: 'Ann', age: 30, roles: [] });
  },
  whoAmI: (hub: ScriptedHub) => hub.context.userId,
  abort: (hub: ScriptedHub) => hub.context.abort(),
  renamed: () => 'renamed',
};

const validate = {
  echo: takes('anything'),
  add: takes('number', 'number'),
  nothing: takes(),
  describe: takes('string', 'number'),
  count: takes('number'),
  sum: takes('stream'),
  merge: takes('string', 'stream', 'stream'),
  tell: takes('string', 'strings', 'anything'),
};

function scripted(
  name: string,
  settings: HubSettings & { onConnected?: (hub: ScriptedHub) => void | Promise<void> } = {},
): HubDefinition {
  return defineHub<Scripted>({ name, methods, validate, ...settings });
}

const strict = {
  detailedErrors: true,
  keepAliveMs: 1000,
  clientTimeoutMs: 2000,
  maxMessageBytes: 1024,
};

async function greet({ clients, groups, context }: ScriptedHub): Promise<void> {
  await clients.caller.send('welcome' as 'news', context.userId);
  await groups.join('guests');
  await clients.group('guests').send('arrived' as 'news', context.userId);
  await clients.others.send('other' as 'news', context.userId);
}

/** The hubs of the transcripts, each the twin of one in `stock-hub/`. */
export const scriptedHubs: readonly HubDefinition[] = [
  scripted('plain'),
  scripted('detailed', { detailedErrors: true }),
  scripted('strict', strict),
  scripted('hasty', { detailedErrors: true, handshakeTimeoutMs: 1000 }),
  scripted('parallel', { parallelInvocations: 2 }),
  scripted('greeting', { onConnected: greet }),
  scripted('refusing', {
    onConnected() {
      throw new HubException('not today');
    },
  }),
  scripted('failing', {
    onConnected() {
      throw new InvalidOperationException('broken');
    },
  }),
];
