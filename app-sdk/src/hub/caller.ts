import type { HubContract } from '../contract.ts';
import type { DepartedHub, Hub, HubCallerClients, HubCallerContext } from '../hub.ts';
import type { GroupManager, HubClients, UserGroupManager } from '../hub-context.ts';
import type { HubHeaders } from '../protocol/hub.ts';
import { createClients, type Sender } from '../targets.ts';
import type { LazySignal } from './lazy-signal.ts';

/** How the hub of a call reaches others. Over a link all three share its line, so that what a call does keeps its order. */
export interface Door {
  readonly sender: Sender;
  /** Made over `sender`. */
  readonly clients: HubClients<HubContract>;
  readonly groups: GroupManager;
  readonly userGroups: UserGroupManager;
}

/** What the hub of one call is made of. */
export interface CallFacts {
  readonly door: Door;
  readonly context: HubCallerContext<unknown>;
  readonly headers: HubHeaders | undefined;
  readonly signal: LazySignal;
  /** Runs when the call asks a client for a result: its place in line is free then, as in ASP.NET Core. */
  readonly asks: () => void;
}

type Clients = HubCallerClients<HubContract>;

function departedClients({ clients }: Door, connectionId: string): Omit<Clients, 'caller'> {
  return {
    ...clients,
    get others() {
      return clients.allExcept(connectionId);
    },
    othersInGroup: (group) => clients.groupExcept(group, connectionId),
  };
}

function callerClients({ door, context, asks }: CallFacts): Clients {
  const { sender, clients } = door;
  const { connectionId } = context;
  const asking: Sender = {
    send: (...send) => sender.send(...send),
    invoke: (...question) => {
      asks();
      return sender.invoke(...question);
    },
  };
  let own: HubClients<HubContract> | undefined;
  const single: Clients['client'] = (id, options) => {
    own ??= createClients<HubContract>(asking);
    return own.client(id, options);
  };
  return {
    ...clients,
    client: single,
    get caller() {
      return single(connectionId);
    },
    get others() {
      return clients.allExcept(connectionId);
    },
    othersInGroup: (group) => clients.groupExcept(group, connectionId),
  };
}

/** The hub of one call. Its parts are made when they are asked for. */
class CallHub implements Hub<HubContract> {
  readonly context: HubCallerContext<unknown>;
  readonly userGroups: UserGroupManager;
  readonly #facts: CallFacts;
  #clients: Clients | undefined;
  #groups: Hub<HubContract>['groups'] | undefined;

  constructor(facts: CallFacts) {
    this.#facts = facts;
    this.context = facts.context;
    this.userGroups = facts.door.userGroups;
  }

  get clients(): Clients {
    this.#clients ??= callerClients(this.#facts);
    return this.#clients;
  }

  get groups(): Hub<HubContract>['groups'] {
    const { groups } = this.#facts.door;
    const { connectionId } = this.context;
    this.#groups ??= {
      ...groups,
      join: (group) => groups.addToGroup(connectionId, group),
      leave: (group) => groups.removeFromGroup(connectionId, group),
    };
    return this.#groups;
  }

  get signal(): AbortSignal {
    return this.#facts.signal.signal;
  }

  get headers(): ReadonlyMap<string, string> {
    return new Map(Object.entries(this.#facts.headers ?? {}));
  }
}

/** The hub that a method gets. */
export function callHub(facts: CallFacts): Hub<HubContract> {
  return new CallHub(facts);
}

/** The hub that `onDisconnected` gets. */
export function departedHub(door: Door, context: HubCallerContext<unknown>): DepartedHub<HubContract> {
  const { groups, userGroups } = door;
  const { signal } = new AbortController();
  return {
    clients: departedClients(door, context.connectionId),
    groups,
    userGroups,
    context,
    signal,
    headers: new Map(),
  };
}
