import { describe } from '../address.ts';
import type { HubContract } from '../contract.ts';
import type { Activity } from '../hub/activity.ts';
import { userIdOf } from '../hub/claims.ts';
import type { HubConnection } from '../hub/connection.ts';
import type { OutputKind } from '../hub/gateway.ts';
import type { HubRuntime } from '../hub/runtime.ts';
import type { DisconnectReason } from '../hub.ts';
import type { CallOptions } from '../hub-context.ts';
import { pathAndQuery, redirectQuery } from '../negotiate.ts';
import { clientClaims } from '../negotiate-claims.ts';
import type { HubProtocol } from '../protocol/hub.ts';
import { hubProtocol } from '../protocol/hub-protocols.ts';
import type { Guest, MemoryGateway } from './memory-gateway.ts';
import { TestClient } from './test-client.ts';
import type { ConnectOptions, TestConnection } from './test-connection.ts';
import { turn } from './turn.ts';

/** What a client in memory is connected to. */
export interface Meeting {
  readonly runtime: HubRuntime;
  readonly gateway: MemoryGateway;
  readonly activity: Activity;
  readonly serverId: string;
}

/** The claims of a token as the service hands them over: lists as repeated pairs, all of it text. */
function claimPairs(options: ConnectOptions, serverId: string): [string, string][] {
  return Object.entries(clientClaims(options, serverId)).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, String(one)]),
  );
}

function protocolOf(name: string): HubProtocol {
  const protocol = hubProtocol(name);
  if (protocol === undefined) throw new TypeError(`"protocol" must be json or messagepack, got ${describe(name)}`);
  return protocol;
}

/** A client as the hub's host and the service in memory see it, joined to the client itself. */
class Link implements Guest {
  readonly connectionId: string;
  readonly userId: string | undefined;
  readonly groups = new Set<string>();
  readonly client: TestClient;
  protocol: string | undefined;
  readonly #protocol: HubProtocol;
  readonly #meeting: Meeting;
  readonly #detailedErrors: boolean;
  readonly #connection: HubConnection;

  constructor(meeting: Meeting, connectionId: string, options: ConnectOptions) {
    const claims = claimPairs(options, meeting.serverId);
    this.connectionId = connectionId;
    this.userId = userIdOf(claims);
    this.#meeting = meeting;
    this.#protocol = protocolOf(options.protocol ?? 'json');
    this.#detailedErrors = options.detailedErrors ?? false;
    this.client = new TestClient(this.#protocol, meeting.activity, {
      receive: (bytes) => this.#connection.receive(bytes),
      end: (kind) => this.#end(kind, undefined),
    });
    this.#connection = meeting.runtime.open({
      connectionId,
      claims,
      headers: Object.entries(options.headers ?? {}),
      query: redirectQuery(pathAndQuery(options.request ?? {}), options.requestId ?? 'test'),
      remoteAddress: '127.0.0.1',
      gateway: meeting.gateway,
      wire: { write: (bytes, kind) => this.#write(bytes, kind), close: () => this.#leave() },
    });
  }

  deliver(frame: Uint8Array): void {
    this.client.deliver(frame);
  }

  /** As the service does it: it writes the last message itself, and tells the app. */
  close(reason: string | undefined): void {
    const error = (this.#detailedErrors && reason) || undefined;
    this.client.deliver(this.#protocol.write({ kind: 'close', error, allowReconnect: true }));
    this.client.close();
    void this.#end('closed_by_app', reason);
  }

  #end(kind: DisconnectReason['kind'], reason: string | undefined): Promise<void> {
    this.#leave();
    return this.#connection.end({ kind, ...(reason !== undefined && { error: new Error(reason) }) });
  }

  #leave(): void {
    this.#meeting.gateway.leave(this.connectionId);
    this.client.close();
  }

  /** Resolves a turn later, so that a stream without an end leaves others their time. */
  async #write(bytes: Uint8Array, kind: OutputKind): Promise<void> {
    if (kind === 'handshake') this.protocol = this.#protocol.name;
    this.client.deliver(bytes);
    await turn();
  }
}

/** Connects a client. Rejects when the hub refuses its handshake, and with `TypeError` for options out of range. */
export async function connectClient<C extends HubContract>(
  meeting: Meeting,
  connectionId: string,
  options: ConnectOptions,
): Promise<TestConnection<C>> {
  const link = new Link(meeting, connectionId, options);
  const { client } = link;
  meeting.gateway.enter(link);
  client.start();
  await client.opened;
  const connection = {
    connectionId,
    received: client.inbox.received,
    closed: client.closed,
    on: (target: string, handler: (...args: readonly unknown[]) => unknown) => client.on(target, handler),
    next: (target: string, wait?: CallOptions) => client.inbox.next(target, wait),
    invoke: (method: string, ...args: readonly unknown[]) => client.invoke(method, args),
    send: (method: string, ...args: readonly unknown[]) => client.send(method, args),
    stream: (method: string, ...args: readonly unknown[]) => client.stream(method, args),
    stop: () => client.stop(),
    drop: () => client.drop(),
  };
  return connection as unknown as TestConnection<C>;
}
