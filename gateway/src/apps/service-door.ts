import { type Claims, firstClaim } from '../auth/claims.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { Config } from '../config.ts';
import { GatewayError } from '../errors.ts';
import type { HttpRequest, SocketDoor } from '../http.ts';
import type { Events } from '../observe/events.ts';
import type { Log } from '../observe/log.ts';
import type { Tracing } from '../observe/tracing.ts';
import type { LinkHost } from './link.ts';
import { type LinkNameLimits, LinkNames } from './link-names.ts';
import { ServerLists } from './link-pings.ts';
import { LinksHeartbeat } from './links-heartbeat.ts';
import { fullHub } from './rest-names.ts';
import { type LinkParts, ServiceConnection } from './service-connection.ts';

/** Where app servers connect; the SDK asks for the one with the slash. */
export const serverPaths = ['/server', '/server/'] as const;

export interface ServiceDoorOptions {
  readonly host: LinkHost;
  readonly tokens: Pick<Tokens, 'verify'>;
  readonly events: Pick<Events, 'linkOpened' | 'linkClosed' | 'dropped' | 'acknowledged'>;
  readonly log: Pick<Log, 'info' | 'error'>;
  /** Follows messages with a tracing id; absent: nobody does. */
  readonly tracing?: Pick<Tracing, 'begin'>;
  readonly config: LinkParts['config'] & LinkNameLimits & Pick<Config, 'linkQueueBytes'>;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

/** App servers over WebSocket: a link for each. */
export interface ServiceDoor extends SocketDoor<ServiceConnection> {
  /** The node is stopping: no new links, and the ones there are take no new clients. */
  retire(): void;
  /** Ends every link. */
  close(): void;
}

/** Room for a whole message beside others in one WebSocket message: a larger one is cut off without a word. */
const roomBytes = 64 * 1024;

/** The list of app servers joins their ids with semicolons. */
const serverForm = /^[^;]{1,256}$/;

/** Makes the door for {@link serverPaths}. */
export function serviceDoor(options: ServiceDoorOptions): ServiceDoor {
  const { host, events, log, tracing, config } = options;
  const names = new LinkNames(config);
  const parts: LinkParts = {
    host,
    names,
    events,
    log,
    tracing,
    config,
    heartbeat: new LinksHeartbeat(options.now),
    serverLists: new ServerLists(),
  };
  const links = new Set<ServiceConnection>();
  let stopping = false;
  return {
    maxPayloadBytes: 2 * config.linkMessageBytes + roomBytes,
    maxBufferedBytes: config.linkQueueBytes,
    async admit(request) {
      if (stopping) throw new GatewayError('draining', 'this node is stopping: connect again');
      const hub = fullHub(request.query.get('hub') ?? '', undefined);
      const claims = await options.tokens.verify(bearerOf(request), { role: 'server', hub });
      return new ServiceConnection(hub, serverOf(request, claims), parts);
    },
    opened(socket, link) {
      links.add(link);
      link.begin(socket);
      if (stopping) link.end('drain');
    },
    received: (link, bytes, binary) => link.received(bytes, binary),
    drained: (link) => link.drained(),
    closed(link) {
      links.delete(link);
      link.closed();
    },
    retire() {
      stopping = true;
      for (const link of links) link.retire();
    },
    close() {
      stopping = true;
      for (const link of [...links]) link.end('drain');
    },
  };
}

function bearerOf(request: HttpRequest): string | undefined {
  return /^bearer +(\S+) *$/i.exec(request.header('authorization') ?? '')?.[1];
}

/** Id of the app server's process: its header, the same in its token, or for others the id of this one connection. */
function serverOf(request: HttpRequest, claims: Claims): string {
  const server = request.header('x-asrs-server-id') || firstClaim(claims, 'nameid') || request.query.get('cid') || '';
  if (serverForm.test(server)) return server;
  throw new GatewayError(
    'request_invalid',
    `the server id ("X-ASRS-Server-Id", else claim "nameid", else "cid") must be 1 to 256 characters without ";", got ${server.length}`,
  );
}
