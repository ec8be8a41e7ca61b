import {
  type Ping,
  type PingMeaning,
  readPing,
  type ServiceMessage,
  serversPing,
  shutdownPing,
  statusPing,
} from '@signalbox/app-sdk/protocol';
import type { LinkHost } from './link.ts';

/** How an app server leaves: its clients are closed, moved, or kept until they leave. */
export type Farewell = 'close' | 'migrate' | 'keep';

/** What the pings of one link need. */
export interface PingedLink {
  readonly hub: string;
  readonly host: Pick<LinkHost, 'hasClients' | 'servers'>;
  readonly serverLists: ServerLists;
  say(message: ServiceMessage): void;
  /** Load as the app server counts it. */
  counted(inHub: number, onConnection: number): void;
  /** The app server leaves; it may say so more than once. */
  leaving(farewell: Farewell): void;
}

/** Stamps the lists of app servers: each later than the one before, over all links of the node (service protocol, 8). */
export class ServerLists {
  #last = 0;

  /** A list that is newer than all before. */
  next(ids: readonly string[]): Ping {
    this.#last = Math.max(this.#last + 1, Date.now());
    return serversPing(this.#last, ids);
  }
}

const farewells: Readonly<Record<string, Farewell>> = { 'fin:0': 'close', 'fin:1': 'migrate', 'fin:2': 'keep' };

type Topic = PingMeaning['topic'];
type Answer<T extends Topic> = (meaning: Extract<PingMeaning, { topic: T }>, link: PingedLink) => void;

/** What only we ask (`target`, `offline`, `echo`, `messageLog`) needs no answer when it comes back. */
const answers: { readonly [T in Topic]?: Answer<T> } = {
  clientCount: ({ inHub, onConnection }, link) => link.counted(inHub, onConnection),
  status: (_, link) => void answerStatus(link),
  servers: (_, link) => link.say(link.serverLists.next(link.host.servers(link.hub))),
  shutdown({ stage }, link) {
    const farewell = farewells[stage];
    if (farewell === undefined) return;
    // First the note that it was heard: without it the app server waits for minutes.
    link.say(shutdownPing('finack'));
    link.leaving(farewell);
  },
};

/** Acts on a ping of an app server (service protocol, 8). */
export function answerPing(ping: Ping, link: PingedLink): void {
  const meaning = readPing(ping);
  (answers[meaning.topic] as Answer<Topic> | undefined)?.(meaning, link);
}

async function answerStatus({ hub, host, say }: PingedLink): Promise<void> {
  try {
    say(statusPing(await host.hasClients(hub)));
  } catch {
    // Not certain now. No answer counts as active, a wrong 0 would turn new clients away; it asks again in 10 s.
  }
}
