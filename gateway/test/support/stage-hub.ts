import { setTimeout } from 'node:timers/promises';
import { defineHub, type HubCallerClients, type HubContract, HubException, type Stream } from '@signalbox/app-sdk';

/** Where a client is, and who runs its hub. */
export interface WhereAmI {
  /** Name of the app server. */
  readonly app: string;
  /** Node that holds the client. */
  readonly node: string;
}

/** The hub of the app servers that tests start: each thing that a hub can do, as a method. */
export interface Stage extends HubContract {
  server: {
    echo(value: unknown): unknown;
    refuse(text: string): void;
    where(): WhereAmI;
    count(to: number): Stream<number>;
    endless(): Stream<number>;
    /** As fast as the link takes it. */
    flood(): Stream<number>;
    sum(numbers: Stream<number>): number;
    join(group: string): void;
    leave(group: string): void;
    tell(to: TargetName, names: readonly string[], value: unknown): void;
    mix(count: number, group: string): void;
    ask(connectionId: string): string;
    askCaller(): string;
    end(): void;
  };
  client: { news(value: unknown): void; askName(): string };
}

/** What a hub tells of its clients. */
export interface StageEvents {
  connected(facts: { connection: string; node: string }): void;
  disconnected(facts: { connection: string; reason: string }): void;
  cancelled(facts: { connection: string }): void;
}

type Clients = HubCallerClients<Stage>;
type Teller = Pick<Clients['all'], 'news'>;

const targets = {
  all: ({ all }) => all,
  others: ({ others }) => others,
  caller: ({ caller }) => caller,
  allExcept: ({ allExcept }, ids) => allExcept(ids),
  client: ({ client }, [id = '']) => client(id),
  clients: ({ clients }, ids) => clients(ids),
  group: ({ group }, [name = '']) => group(name),
  groups: ({ groups }, names) => groups(names),
  groupExcept: ({ groupExcept }, [name = '', ...ids]) => groupExcept(name, ids),
  othersInGroup: ({ othersInGroup }, [name = '']) => othersInGroup(name),
  user: ({ user }, [id = '']) => user(id),
  users: ({ users }, ids) => users(ids),
} as const satisfies Record<string, (clients: Clients, names: readonly string[]) => Teller>;

/** Who a method can tell something. */
export type TargetName = keyof typeof targets;

/** Claim of clients that are greeted by a broadcast to a group which they joined in `onConnected`. */
export const greetClaim = 'greet';

/** The hub of an app server of this name. */
export function stageHub(name: string, app: string, events: StageEvents, keepAliveMs?: number) {
  return defineHub<Stage>({
    name,
    ...(keepAliveMs !== undefined && { keepAliveMs, clientTimeoutMs: 2 ** 31 - 1 }),
    methods: {
      echo: (_hub, value) => value,
      refuse(_hub, text) {
        throw new HubException(text);
      },
      where: (hub) => ({ app, node: hub.context.headers.get('asrs-instance-id') ?? '' }),
      async *count(_hub, to) {
        for (let n = 1; n <= to; n++) yield n;
      },
      async *endless(hub) {
        try {
          for (let n = 1; ; n++) {
            yield n;
            await setTimeout(1);
          }
        } finally {
          events.cancelled({ connection: hub.context.connectionId });
        }
      },
      async *flood(hub) {
        try {
          for (let n = 1; ; n++) yield n;
        } finally {
          events.cancelled({ connection: hub.context.connectionId });
        }
      },
      async sum(_hub, numbers) {
        let sum = 0;
        for await (const n of numbers) sum += n;
        return sum;
      },
      join: (hub, group) => hub.groups.join(group),
      leave: (hub, group) => hub.groups.leave(group),
      tell: (hub, to, names, value) => targets[to](hub.clients, names).news(value),
      async mix(hub, count, group) {
        const { caller, all, user } = hub.clients;
        const ways: readonly Teller[] = [caller, all, hub.clients.group(group), user(hub.context.userId ?? '')];
        for (let n = 0; n < count; n++) await ways[n % ways.length]?.news(n);
      },
      ask: (hub, connectionId) => hub.clients.client(connectionId).invoke('askName'),
      askCaller: (hub) => hub.clients.caller.invoke('askName'),
      end: (hub) => hub.context.abort(),
    },
    async onConnected(hub) {
      const { connectionId: connection, headers, claims } = hub.context;
      events.connected({ connection, node: headers.get('asrs-instance-id') ?? '' });
      if (!claims.has(greetClaim)) return;
      await hub.groups.join('arrivals');
      await hub.clients.group('arrivals').news(connection);
    },
    onDisconnected: (hub, reason) => events.disconnected({ connection: hub.context.connectionId, reason: reason.kind }),
  });
}
