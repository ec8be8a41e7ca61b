import type { ServiceMessageOf } from '@signalbox/app-sdk/protocol';
import { ScriptedApp } from '../apps/scripted-app.ts';
import { RawClient } from '../support/raw-client.ts';
import type { Service } from '../support/service.ts';
import { signToken } from '../support/tokens.ts';

/** A link of a scripted app server. */
export interface LinkPlan {
  readonly at: number;
  readonly hub: string;
  readonly server?: string;
  readonly handshake?: Partial<ServiceMessageOf<'HandshakeRequest'>>;
}

/** A client whose handshake a scripted app server answered. */
export interface JoinedClient {
  readonly id: string;
  readonly client: RawClient;
  /** The link that carries it. */
  readonly app: ScriptedApp;
}

/** Payloads of a send to `news`, for clients of JSON. */
export function saying(value: unknown): ReadonlyMap<string, Uint8Array> {
  return new Map([['json', jsonNews(value)]]);
}

/** A hub message to `news` as JSON. */
export function jsonNews(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify({ type: 1, target: 'news', arguments: [value] })}\x1e`);
}

/** A broadcast to all clients of the hub. */
export function broadcast(value: unknown): ServiceMessageOf<'BroadcastData'> {
  return { kind: 'BroadcastData', excludedConnectionIds: [], payloads: saying(value) };
}

/** A send to a group. */
export function toGroup(group: string, value: unknown): ServiceMessageOf<'GroupBroadcastData'> {
  return {
    kind: 'GroupBroadcastData',
    group,
    excludedConnectionIds: [],
    excludedUserIds: [],
    payloads: saying(value),
  };
}

/** What a client heard: the first arguments, in order. */
export function heardBy({ client }: JoinedClient): unknown[] {
  return client.inbox.items.flatMap((message) => (Array.isArray(message['arguments']) ? message['arguments'] : []));
}

/** Scripted app servers of a service, and the clients they carry. */
export class Scripts {
  readonly #service: Service;
  readonly #apps: ScriptedApp[] = [];
  readonly #clients: RawClient[] = [];

  constructor(service: Service) {
    this.#service = service;
  }

  /** A link to one node; the first that carries clients of a default hub is known to all nodes when this resolves. */
  async link({ at, hub, server = 'srvA', handshake = {} }: LinkPlan): Promise<ScriptedApp> {
    const token = await signToken(`http://localhost/server/?hub=${hub}`, { nameid: server });
    const options = { hub, token, headers: { 'x-asrs-server-id': server }, handshake };
    const app = await ScriptedApp.connect(this.#service.node(at).port, options);
    this.#apps.push(app);
    if (handshake.connectionType !== 2) await this.#service.serves(hub);
    return app;
  }

  /** A client on this node, carried by one of these links. */
  async join(at: number, hub: string, apps: readonly ScriptedApp[], user?: string): Promise<JoinedClient> {
    const opened = apps.map((app) => app.of('OpenConnection').length);
    const who = user === undefined ? {} : { user };
    const client = await RawClient.open(this.#service.node(at).port, { hub, ...who });
    this.#clients.push(client);
    client.say({ protocol: 'json', version: 1 });
    const isNew = (app: ScriptedApp, i: number): boolean => app.of('OpenConnection').length > (opened[i] ?? 0);
    await Promise.race(apps.map((app, i) => app.until(() => isNew(app, i))));
    const app = apps.find(isNew);
    const id = app?.of('OpenConnection').at(-1)?.connectionId;
    if (app === undefined || id === undefined) throw new Error('no link carries the client');
    app.say({ kind: 'ConnectionData', connectionId: id, payload: Buffer.from('{}\x1e') });
    await client.inbox.until('the handshake response', (items) => items.length > 0);
    return { id, client, app };
  }

  close(): void {
    for (const client of this.#clients) client.leave();
    for (const app of this.#apps) app.leave();
  }
}
