import { ConnectionTokens } from '../../src/auth/connection-token.ts';
import { importKeys } from '../../src/auth/keys.ts';
import { Tokens } from '../../src/auth/tokens.ts';
import { Gate } from '../../src/clients/admit.ts';
import type { ConnectionClaims } from '../../src/clients/claims.ts';
import { ConnectRate } from '../../src/clients/connect-rate.ts';
import { Cors } from '../../src/clients/cors.ts';
import { clientEndpoint, clientPaths } from '../../src/clients/endpoint.ts';
import { Owner } from '../../src/clients/owner.ts';
import { RequestDoor } from '../../src/clients/requests.ts';
import { webSocketDoor } from '../../src/clients/websocket.ts';
import type { Clients, Refusal } from '../../src/core/clients.ts';
import { Connection, type ConnectionOwner, type Identity } from '../../src/core/connection.ts';
import { Outbox } from '../../src/core/outbox.ts';
import { Topics } from '../../src/core/topics.ts';
import type { Transport, TransportKind } from '../../src/core/transport.ts';
import { createHttpServer } from '../../src/http.ts';
import type { CloseReason } from '../../src/reasons.ts';
import { testKey } from '../auth/sign.ts';
import { Changes } from '../support/changes.ts';

export interface DoorOptions {
  readonly origins?: readonly string[];
  readonly connectRate?: number;
  readonly queueBytes?: number;
  readonly claims?: ConnectionClaims;
  readonly transports?: readonly TransportKind[];
  readonly pollMs?: number;
  readonly pollGapMs?: number;
  /** In place of the clock of the machine: milliseconds since 1970. */
  readonly time?: () => number;
}

/** The core as a client's transport sees it: it records, and answers the handshake. */
export class FakeClients implements Clients {
  refused: Refusal | undefined;
  readonly arrived: Connection[] = [];
  /** What the gate said of the one that arrived last. */
  identity: Identity | undefined;
  readonly texts: string[] = [];
  /** Told of every message, before it is recorded. */
  heard: (connection: Connection, text: string) => void = () => undefined;
  readonly #ends: { readonly connection: Connection; readonly reason: CloseReason }[] = [];
  readonly #changes = new Changes();
  readonly #owner: ConnectionOwner;

  constructor(queueBytes: number) {
    this.#owner = {
      outbox: new Outbox({ queueBytes, welcomeBytes: 1000, sliceMs: 10 }),
      now: () => performance.now(),
      closeFrame: () => ({ bytes: Buffer.from('{"type":7}\u001e'), binary: false }),
      opened: () => undefined,
      ended: (connection, reason) => {
        this.#ends.push({ connection, reason });
        this.#changes.changed();
      },
    };
  }

  /** Why this connection ended, once for each time that was told. */
  endsOf(connection: Connection): CloseReason[] {
    return this.#ends.filter((end) => end.connection === connection).map(({ reason }) => reason);
  }

  /** Resolves with the reason when the end of this connection was told. */
  async ended(connection: Connection): Promise<CloseReason | undefined> {
    await this.#changes.until(() => this.endsOf(connection).length > 0);
    return this.endsOf(connection)[0];
  }

  refusal(): Refusal | undefined {
    return this.refused;
  }

  arrive(identity: Identity, transport: Transport): Connection {
    this.identity = identity;
    const connection = new Connection(identity, transport, this.#owner);
    this.arrived.push(connection);
    return connection;
  }

  received(connection: Connection, bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString();
    this.heard(connection, text);
    this.texts.push(text);
    if (!text.includes('"protocol"')) return;
    connection.state = 'joining';
    connection.accept({ bytes: Buffer.from('{}\u001e'), binary: false });
  }
}

/** Claims of one process. */
function localClaims(): ConnectionClaims {
  const taken = new Set<string>();
  return {
    claim: async (id) => !taken.has(id) && taken.add(id).has(id),
    owner: async (id) => (taken.has(id) ? 'alone' : undefined),
  };
}

/** Of a node that knows of no other. */
const alone = {
  hold: async () => undefined,
  release: () => undefined,
  fence: async () => true,
  known: () => undefined,
  learn: () => undefined,
  locate: async () => undefined,
  taken: async () => undefined,
  ask: () => {
    throw new TypeError('there is no other node');
  },
};

export type Door = Awaited<ReturnType<typeof startDoor>>;

/** The clients' door on a port of its own, with a fake core behind it. */
export async function startDoor(options: DoorOptions = {}) {
  const queueBytes = options.queueBytes ?? 1_000_000;
  const clients = new FakeClients(queueBytes);
  const keys = await importKeys([testKey]);
  const defects: unknown[] = [];
  const limits: string[] = [];
  const refused: string[] = [];
  const events = {
    limitReached: (limit: string) => void limits.push(limit),
    tokenRefused: () => undefined,
    clientRefused: (code: string) => void refused.push(code),
  };
  const cors = new Cors(options.origins ?? ['*']);
  const connectionClaims = options.claims ?? localClaims();
  const transports = options.transports ?? ['WebSockets', 'ServerSentEvents', 'LongPolling'];
  /** What the tests move to make tokens old. */
  const clock = { aheadMs: 0 };
  const now = (): number => (options.time ?? Date.now)() + clock.aheadMs;
  const connectionTokens = new ConnectionTokens({ keys, firstUseMs: 30_000, now });
  const topics = new Topics('test@0', 'a routing secret of the tests, long enough', false);
  const mint = (hub: string, user: string | undefined): string => topics.mint(hub, user);
  const gate = new Gate({
    tokens: new Tokens({ keys, hosts: [], events }),
    connectionTokens,
    clients,
    connectionClaims,
    rate: new ConnectRate(options.connectRate ?? 1000, now),
    cors,
    mint,
    events,
    config: { userIdChars: 20, handshakeMs: 15_000, transports },
    now,
  });
  const { pollMs = 25_000, pollGapMs = 15_000 } = options;
  const registered = (_hub: string, id: string): boolean =>
    clients.arrived.some((one) => one.id === id && one.state !== 'closed');
  const config = { pollMs, pollGapMs, clientQueueBytes: queueBytes };
  const owner = new Owner({ clients, requests: alone, registered, config });
  const requests = new RequestDoor({
    gate,
    cors,
    owner,
    requests: alone,
    connectionClaims,
    node: 'alone',
    pollMs,
    postBytes: 10_000,
    hearing: () => true,
  });
  let polls = 0;
  let drops = 0;
  const taken = owner.takenHere.bind(owner);
  owner.takenHere = (connection, key, was) => {
    taken(connection, key, was);
    if (!was) drops++;
  };
  const serve = owner.serve.bind(owner);
  owner.serve = (asked, waiting) => {
    serve(asked, waiting);
    if (asked.what === 'poll') polls++;
  };
  const server = await createHttpServer({ bodyBytes: 10_000, defect: (error) => defects.push(error) });
  server.mount(clientEndpoint({ gate, cors, connectionTokens, mint, requests, events, transports }));
  server.upgrade(
    clientPaths,
    webSocketDoor({
      gate,
      cors,
      events,
      clients,
      config: { clientMessageBytes: 1_000_000, clientQueueBytes: queueBytes },
    }),
  );
  const port = await server.listen('127.0.0.1', 0, true);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    clients,
    owner,
    /** Polls that came so far. */
    polls: () => polls,
    /** Polls whose client went before they were answered. */
    drops: () => drops,
    defects,
    limits,
    /** Error codes of refusals. */
    refused,
    clock,
    [Symbol.dispose]: () => server.close(),
  };
}
