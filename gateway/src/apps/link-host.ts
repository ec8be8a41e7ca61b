import type { ServiceMessage } from '@signalbox/app-sdk/protocol';
import type { Inquiries } from '../core/inquiries.ts';
import type { Invocations } from '../core/invocations.ts';
import type { Logins } from '../core/logins.ts';
import type { NodesListener } from '../core/nodes.ts';
import type { Registry } from '../core/registry.ts';
import type { Router } from '../core/router.ts';
import type { StreamPeer, Streams } from '../core/streams.ts';
import type { Waves } from '../core/waves.ts';
import type { Verdict } from '../protocol/command.ts';
import type {
  StreamClaims,
  StreamCommand,
  StreamDown,
  StreamEnded,
  StreamExpect,
  StreamLeft,
  StreamOpen,
  StreamUp,
} from '../protocol/stream.ts';
import { BoundClient } from './bound-client.ts';
import { ForeignClient, type ForeignClientHost } from './foreign-client.ts';
import type { Link, LinkHost } from './link.ts';
import type { Links } from './links.ts';
import type { ServiceApp } from './service-app.ts';

export interface NodeLinksOptions {
  readonly node: string;
  readonly router: Router;
  readonly invocations: Invocations;
  readonly inquiries: Inquiries;
  readonly logins: Logins;
  readonly connectionOf: (token: string, hub: string) => string | undefined;
  readonly links: Links;
  readonly streams: Streams;
  readonly registry: Registry;
  readonly app: ServiceApp;
  /** Does the hub have a client on any node? */
  readonly hasClients: (hub: string) => Promise<boolean>;
  readonly pieceBytes: number;
  /** A node without Redis for so long ends its streams: the other ends did so long ago. */
  readonly cutOffMs: number;
}

/** The links of this node, its clients that are carried elsewhere, and the clients of other nodes that it carries. */
export class NodeLinks implements LinkHost, StreamPeer, NodesListener {
  readonly node: string;
  readonly router: Router;
  readonly invocations: Invocations;
  readonly inquiries: Inquiries;
  readonly logins: Logins;
  readonly #options: NodeLinksOptions;
  readonly #foreign = new Map<string, ForeignClient>();
  readonly #foreignHost: ForeignClientHost;
  #cutOff: NodeJS.Timeout | undefined;

  constructor(options: NodeLinksOptions) {
    this.#options = options;
    this.node = options.node;
    this.router = options.router;
    this.invocations = options.invocations;
    this.inquiries = options.inquiries;
    this.logins = options.logins;
    const { node, streams, pieceBytes } = options;
    this.#foreignHost = { streams, node, pieceBytes, ended: (client) => this.#foreign.delete(client.connectionId) };
    streams.attach(this);
  }

  nextLinkId(): string {
    return this.#options.links.nextId();
  }

  connectionOf(token: string, hub: string): string | undefined {
    return this.#options.connectionOf(token, hub);
  }

  sayToServer(hub: string, server: string, message: ServiceMessage): void {
    for (const link of this.#options.links.here) {
      if (link.hub !== hub || link.server !== server) continue;
      link.say(message);
      return;
    }
  }

  added(link: Link): void {
    void this.#listenThenAdd(link);
  }

  /** Told to the others only when streams to this node arrive here. */
  async #listenThenAdd(link: Link): Promise<void> {
    const { links, streams } = this.#options;
    try {
      await streams.listen(link.hub);
    } catch {
      // Redis is down: the topic is held, and watched when it is back
    }
    links.add(link);
    this.#options.app.linksChanged();
  }

  changed(link: Link): void {
    this.#options.links.changed(link);
  }

  removed(link: Link): void {
    this.#options.links.remove(link);
    this.#options.streams.unlisten(link.hub);
  }

  hasClients(hub: string): Promise<boolean> {
    return this.#options.hasClients(hub);
  }

  servers(hub: string): readonly string[] {
    return this.#options.links.servers(hub);
  }

  opened(command: StreamOpen): Verdict {
    const link = this.#options.links.find(command.link);
    if (link === undefined || !link.taking || link.hub !== command.hub) return 'no';
    const { connection: connectionId, claims, headers, queryString, protocol, request, migratedFrom } = command;
    const client = new ForeignClient(command, link, this.#foreignHost);
    this.#foreign.set(connectionId, client);
    link.open(client, { connectionId, claims, headers, queryString, protocol }, request, migratedFrom);
    return 'yes';
  }

  came(command: Exclude<StreamCommand, StreamOpen>): void {
    switch (command.kind) {
      case 'streamUp':
        this.#up(command);
        return;
      case 'streamExpect':
        this.#foreignOf(command)?.link.expect(command.connection, command.invocationId, command.server);
        return;
      case 'streamClaims': {
        const { connection: connectionId, claims } = command;
        this.#foreignOf(command)?.link.say({ kind: 'UpdateConnectionClaims', connectionId, claims });
        return;
      }
      case 'streamLeft':
        this.#left(command);
        return;
      case 'streamDown':
        this.#boundOf(command)?.piece(command.number, command.bytes);
        return;
      case 'streamEnded':
        this.#ended(command);
    }
  }

  #foreignOf(command: StreamUp | StreamExpect | StreamClaims | StreamLeft): ForeignClient | undefined {
    const client = this.#foreign.get(command.connection);
    return client?.stream === command.stream ? client : undefined;
  }

  #up(command: StreamUp): void {
    const { hub, connection, stream, number, bytes } = command;
    const client = this.#foreignOf(command);
    if (client === undefined) {
      const gone = { kind: 'streamEnded', hub, connection, stream, node: this.node, cause: 'gone', error: '' } as const;
      void this.#options.streams.send(command.node, gone);
    } else if (!client.piece(number, bytes)) client.broken();
  }

  #left(command: StreamLeft): void {
    const client = this.#foreignOf(command);
    if (client === undefined) return;
    this.#foreign.delete(command.connection);
    client.link.close(command.connection, command.error, command.migratedTo);
  }

  /**
   * The client here that is carried there, by this very way. Whoever is not here any more is reported gone: since a client
   * that leaves is told of at once, what told of this one was lost.
   */
  #boundOf(command: Extract<StreamCommand, StreamDown | StreamEnded>): BoundClient | undefined {
    const { hub, connection, stream } = command;
    const app = this.#options.registry.hub(hub)?.connections.get(connection)?.app;
    if (app instanceof BoundClient) return app.stream === stream ? app : undefined;
    if (command.kind === 'streamDown') {
      const error = 'Closed by the service: stream_gap.';
      const left = { kind: 'streamLeft', hub, connection, stream, error, migratedTo: undefined } as const;
      void this.#options.streams.send(command.node, left);
    }
    return undefined;
  }

  #ended(command: StreamEnded): void {
    const client = this.#boundOf(command);
    switch (command.cause) {
      case 'migrate':
        client?.migrate();
        return;
      case 'closed_by_app':
        client?.closed(command.error);
        return;
      case 'gap':
        client?.linkLost('stream_gap');
        return;
      case 'gone':
        client?.linkLost('link_lost');
        return;
      default:
        client?.linkLost(command.cause);
    }
  }

  /** Perhaps its links, which `links.ts` keeps. */
  nodeChanged(): void {
    this.#options.app.linksChanged();
  }

  /** It has told of each client already; what is left of it here ends now. */
  nodeLeft(node: string): void {
    for (const client of this.#foreignFrom(node)) client.link.close(client.connectionId, '');
    this.#endAway((bound) => bound.carrier?.node === node, 'link_lost');
  }

  /** The apps drop its clients by themselves; its links carry nobody any more. */
  nodeLost(node: string): void {
    this.#options.invocations.nodeLost(node);
    for (const client of this.#foreignFrom(node)) client.link.forget(client.connectionId);
    for (const link of this.#options.links.here) link.offline(node);
    this.#endAway((bound) => bound.carrier?.node === node, 'node_lost');
  }

  /** The node is stopping: clients of other nodes that it carries end in waves, as its own do. */
  release(waves: Pick<Waves, 'close'>): Promise<void> {
    const dismissed = this.#foreignFrom().map((client) => ({ close: () => dismiss(client) }));
    return waves.close(dismissed, 'drain');
  }

  #foreignFrom(node?: string): ForeignClient[] {
    const clients = [...this.#foreign.values()].filter((client) => node === undefined || client.node === node);
    for (const client of clients) this.#foreign.delete(client.connectionId);
    return clients;
  }

  #endAway(which: (bound: BoundClient) => boolean, reason: 'link_lost' | 'node_lost'): void {
    for (const bound of [...this.#options.app.away].filter(which)) bound.linkLost(reason);
  }

  /** Redis is known down. */
  deaf(): void {
    this.#cutOff ??= setTimeout(() => this.#cut(), this.#options.cutOffMs);
  }

  /** Redis is back. */
  hearing(): void {
    clearTimeout(this.#cutOff);
    this.#cutOff = undefined;
  }

  #cut(): void {
    for (const client of this.#foreignFrom())
      client.link.close(client.connectionId, 'Closed by the service: node_lost.');
    this.#endAway(() => true, 'node_lost');
  }
}

function dismiss(client: ForeignClient): void {
  client.link.close(client.connectionId, '');
  client.linkLost('drain');
}
