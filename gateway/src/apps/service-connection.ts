import {
  FrameSplitter,
  keepAlivePing,
  MalformedError,
  offlinePing,
  readServiceMessage,
  type ServiceMessage,
  TooLargeError,
  writeServiceMessage,
} from '@signalbox/app-sdk/protocol';
import type { Config } from '../config.ts';
import type { Socket } from '../http.ts';
import type { Events } from '../observe/events.ts';
import type { Log } from '../observe/log.ts';
import type { Tracing } from '../observe/tracing.ts';
import type { LinkReason } from '../reasons.ts';
import type { CarriedClient, ClientInfo, Link, LinkHost } from './link.ts';
import { LinkClients } from './link-clients.ts';
import { handle, type LinkEars } from './link-handlers.ts';
import { acceptLink, type LinkTerms } from './link-handshake.ts';
import type { LinkNames } from './link-names.ts';
import type { Farewell, ServerLists } from './link-pings.ts';
import { LinkRequests } from './link-requests.ts';
import { LinkWriter, type Sender } from './link-writer.ts';
import type { BeatingLink, LinksHeartbeat } from './links-heartbeat.ts';

/** What all links of a node share. */
export interface LinkParts {
  readonly host: LinkHost;
  readonly names: LinkNames;
  readonly heartbeat: LinksHeartbeat;
  readonly serverLists: ServerLists;
  readonly events: Pick<Events, 'linkOpened' | 'linkClosed' | 'dropped' | 'acknowledged'>;
  readonly log: Pick<Log, 'info' | 'error'>;
  readonly tracing?: Pick<Tracing, 'begin'> | undefined;
  readonly config: Pick<Config, 'linkMessageBytes' | 'linkQueueBytes' | 'linkClientQueueBytes'>;
}

/** Close codes of RFC 6455, section 7.4.1. App servers log any other than the first as an error. */
const normalClosure = 1000;
const unsupportedData = 1003;

const noPayloads = new Map<string, Uint8Array>();

/**
 * Ends that do not wait for an app server to read what it is owed: it does not, and the memory is needed. A close frame
 * behind 16 MiB never arrives: uWebSockets.js drops the socket within seconds (measured).
 */
const abrupt: ReadonlySet<LinkReason> = new Set(['slow', 'silent']);

/** One service connection of an app server: its WebSocket, its handshake, its end; what is said over it goes to its parts. */
export class ServiceConnection implements Link, BeatingLink {
  readonly id: string;
  readonly hub: string;
  readonly server: string;
  lastHeard: number;
  lastSaid: number;
  /** Clients of the hub in the app server's process, and on this link, as it last counted them; undefined before. */
  reported: { readonly inHub: number; readonly onConnection: number } | undefined;
  readonly #parts: LinkParts;
  readonly #splitter: FrameSplitter;
  readonly #clients: LinkClients;
  readonly #ears: LinkEars;
  /** Undefined until its handshake was accepted. */
  #terms: LinkTerms | undefined;
  readonly #farewells = new Set<Farewell>();
  #retired = false;
  #over = false;
  /** Undefined before {@link begin}. */
  #writer: LinkWriter | undefined;

  constructor(hub: string, server: string, parts: LinkParts) {
    const { host, heartbeat, config, names, serverLists, events, log, tracing } = parts;
    const { now } = heartbeat;
    const say = (message: ServiceMessage, sender?: Sender): void => this.#say(message, sender);
    this.id = host.nextLinkId();
    this.hub = hub;
    this.server = server;
    this.lastHeard = now();
    this.lastSaid = this.lastHeard;
    this.#parts = parts;
    this.#splitter = new FrameSplitter({ limit: config.linkMessageBytes });
    this.#clients = new LinkClients({
      queueBytes: config.linkClientQueueBytes,
      say,
      changed: () => host.changed(this),
    });
    const counted = (inHub: number, onConnection: number): void => {
      this.reported = { inHub, onConnection };
    };
    const leaving = (farewell: Farewell): void => this.#leaving(farewell);
    this.#ears = {
      clients: this.#clients,
      requests: new LinkRequests({ link: this.id, hub, router: host.router, names, events, log, tracing, now, say }),
      pinged: { hub, host, serverLists, say, counted, leaving },
      asking: { hub, server, host, say: (message) => this.#sayToServer(message) },
      say,
      later: (work) => void this.#later(work),
    };
  }

  get handshaken(): boolean {
    return this.#terms !== undefined;
  }

  get taking(): boolean {
    return this.#terms?.carries === true && !this.#over && !this.#retired && this.#farewells.size === 0;
  }

  get clients(): number {
    return this.#clients.size;
  }

  open(client: CarriedClient, info: ClientInfo, request: Uint8Array, migratedFrom?: string): void {
    if (this.#over) client.linkLost('link_lost');
    else this.#clients.open(client, info, request, migratedFrom);
  }

  data(connectionId: string, bytes: Uint8Array): void {
    this.#clients.data(connectionId, bytes);
  }

  close(connectionId: string, error: string, migratedTo?: string): void {
    this.#clients.close(connectionId, error, migratedTo);
  }

  expect(connectionId: string, invocationId: string, server: string): void {
    this.#say({ kind: 'ClientInvocation', invocationId, connectionId, callerServerId: server, payloads: noPayloads });
  }

  forget(connectionId: string): void {
    this.#clients.forget(connectionId);
  }

  offline(node: string): void {
    this.#say(offlinePing(node));
  }

  /** Its WebSocket is up. */
  begin(socket: Socket): void {
    const { heartbeat, config, events } = this.#parts;
    this.#writer = new LinkWriter(socket, { queueBytes: config.linkQueueBytes, full: () => this.end('slow') });
    this.lastHeard = heartbeat.now();
    this.lastSaid = this.lastHeard;
    heartbeat.add(this);
    events.linkOpened(this.hub, this.server);
  }

  /** A WebSocket message came: a piece of a stream, cut anywhere. */
  received(bytes: Uint8Array, binary: boolean): void {
    if (this.#over) return;
    this.lastHeard = this.#parts.heartbeat.now();
    if (!binary) {
      this.end('malformed', unsupportedData);
      return;
    }
    try {
      this.#read(bytes);
    } catch (error) {
      if (error instanceof MalformedError) this.end('malformed');
      else if (error instanceof TooLargeError) this.end('too_large');
      else throw error;
    }
  }

  /**
   * The one copy of what an app sends: what lies in the read buffer is lost after this call, and payloads go on to clients
   * as views. A message that came in several pieces was put together by the splitter, and is ours already.
   */
  #read(bytes: Uint8Array): void {
    for (const body of this.#splitter.push(bytes)) {
      this.#heard(readServiceMessage(body.buffer === bytes.buffer ? Buffer.from(body) : body));
      if (this.#over) return;
    }
  }

  /** @param message undefined: of a kind that this version does not know. */
  #heard(message: ServiceMessage | undefined): void {
    if (this.#terms === undefined) this.#shakeHands(message);
    else if (message !== undefined) handle(message, this.#ears);
  }

  #shakeHands(message: ServiceMessage | undefined): void {
    if (message?.kind !== 'HandshakeRequest') {
      this.end('malformed');
      return;
    }
    const terms = acceptLink(message);
    if (terms.kind === 'refused') {
      this.#say({ kind: 'HandshakeResponse', errorMessage: terms.error });
      this.end('refused');
      return;
    }
    this.#terms = terms;
    this.#say({ kind: 'HandshakeResponse', errorMessage: '', connectionId: this.id });
    const { host, log } = this.#parts;
    log.info('link opened', { hub: this.hub, link: this.id, server: this.server, carries: terms.carries });
    host.added(this);
  }

  #say(message: ServiceMessage, sender?: Sender): void {
    if (this.#over) return;
    this.lastSaid = this.#parts.heartbeat.now();
    this.#writer?.write(writeServiceMessage(message), sender);
  }

  say(message: ServiceMessage): void {
    this.#say(message);
  }

  /** On this link, or on another one of its app server when this one is over. */
  #sayToServer(message: ServiceMessage): void {
    if (this.#over) this.#parts.host.sayToServer(this.hub, this.server, message);
    else this.#say(message);
  }

  async #later(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#parts.log.error('a message of a link failed', { link: this.id, error: error as Error });
    }
  }

  keepAlive(): void {
    this.#say(keepAlivePing);
  }

  /** Some of the unsent bytes left. */
  drained(): void {
    this.#writer?.drained();
  }

  /** Acts on the first farewell of each kind; it is repeated until it was answered, and may be followed by a harder one. */
  #leaving(farewell: Farewell): void {
    if (this.#farewells.has(farewell)) return;
    this.#farewells.add(farewell);
    this.#parts.host.changed(this);
    const stays = farewell === 'migrate' && this.#terms?.migrates !== true;
    this.#clients.leave(stays ? 'keep' : farewell);
  }

  /** From now on it takes no new clients: this node is stopping. */
  retire(): void {
    this.#retired = true;
    if (this.#terms !== undefined && !this.#over) this.#parts.host.changed(this);
  }

  /** Ends the link: what is owed, then a close frame. Later calls do nothing. */
  end(reason: LinkReason, code = normalClosure): void {
    const cut = abrupt.has(reason);
    if (!cut) this.#writer?.flush();
    if (this.#over) return;
    this.#finish(reason);
    this.#writer?.end(code, cut);
  }

  /** The WebSocket is over, whoever ended it. */
  closed(): void {
    this.#writer?.gone();
    if (!this.#over) this.#finish('app_left');
  }

  #finish(reason: LinkReason): void {
    const { heartbeat, host, events, log } = this.#parts;
    this.#over = true;
    heartbeat.remove(this);
    const { hub, id: link, server, clients } = this;
    this.#clients.lost(reason === 'drain' ? 'drain' : 'link_lost');
    if (this.#terms !== undefined) host.removed(this);
    events.linkClosed(hub, server, reason);
    log.info('link closed', { hub, link, server, clients, reason });
  }
}
