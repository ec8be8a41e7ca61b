import { type Admin, createAdmin } from './admin/admin.ts';
import { createOperatorsApi } from './admin/operators-api.ts';
import { createRestApi } from './apps/rest-api.ts';
import { batchBodyBytes } from './apps/rest-batch.ts';
import { type ServiceDoor, serverPaths, serviceDoor } from './apps/service-door.ts';
import { createClientTokens } from './auth/client-tokens.ts';
import { createIssuers } from './auth/issuers.ts';
import { Tokens } from './auth/tokens.ts';
import { Gate } from './clients/admit.ts';
import { NodeClaims } from './clients/claims.ts';
import { ConnectRate } from './clients/connect-rate.ts';
import { Cors } from './clients/cors.ts';
import { clientBodyBytes, clientEndpoint, clientPaths, isClientPath } from './clients/endpoint.ts';
import { Owner } from './clients/owner.ts';
import { RequestDoor, type RequestDoorOptions } from './clients/requests.ts';
import { webSocketDoor } from './clients/websocket.ts';
import { clientBatchBytes } from './core/limits.ts';
import type { Basis } from './gateway-basis.ts';
import { createHttpServer, type HttpServer } from './http.ts';
import { TrustedProxies } from './http-forwarded.ts';
import { version } from './version.ts';

/** Makes the servers of a node, with every door mounted; none listens yet. */
export async function createServers(basis: Basis): Promise<Servers> {
  const { config, log } = basis;
  const httpLog = log.child('http');
  const options = {
    tls: basis.tls,
    trustedProxies: new TrustedProxies(config.trustedProxies),
    bodyBytes: config.messageBytes,
    bodyBytesAt: (path: string) => clientBodyBytes(path, config) ?? batchBodyBytes(path, config.batchBytes),
    // Clients that poll are told to go in their wave.
    staysAt: isClientPath,
    defect: (error: unknown, facts: { method: string; path: string }) =>
      httpLog.error('a request failed', { ...facts, error: error instanceof Error ? error : String(error) }),
  };
  const clients = await createHttpServer(options);
  const apps = config.appPort === undefined ? clients : await createHttpServer(options);
  return { clients, apps, ...mountDoors(basis, clients, apps) };
}

/** Where clients and apps come in. */
export interface Servers {
  readonly clients: HttpServer;
  /** The same as {@link clients} without SIGNALBOX_APP_PORT. */
  readonly apps: HttpServer;
  readonly links: ServiceDoor;
  readonly requests: Pick<RequestDoor, 'leave'>;
}

function mountDoors(basis: Basis, clients: HttpServer, apps: HttpServer): Pick<Servers, 'links' | 'requests'> {
  const { config, connectionTokens, core, keys, log, node, prometheus, backbone, topics } = basis;
  const { events } = prometheus;
  const { tracing } = basis.traces;
  const issuers = createIssuers({ issuers: basis.issuers, config, events, log: log.child('auth'), fetch });
  const tokens = new Tokens({ keys, hosts: config.hosts, knownTokens: config.knownTokens, events, issuers });
  const cors = new Cors(config.corsOrigins);
  const mint = (hub: string, user: string | undefined): string => topics.mint(hub, user);
  const connectionClaims = new NodeClaims(backbone.records, node);
  const gate = new Gate({
    tokens,
    connectionTokens,
    clients: core.arrivals,
    connectionClaims,
    rate: new ConnectRate(config.connectRate),
    cors,
    mint,
    events,
    config,
  });
  clients.upgrade(clientPaths, webSocketDoor({ gate, cors, events, clients: core.arrivals, config }));
  const requests = requestDoor(basis, { gate, cors, connectionClaims });
  clients.mount(
    clientEndpoint({ gate, cors, events, connectionTokens, mint, requests, transports: config.transports }),
  );
  const links = serviceDoor({ host: basis.hubs.nodeLinks, tokens, events, log: log.child('links'), tracing, config });
  apps.upgrade(serverPaths, links);
  apps.mount(
    createRestApi({
      router: core.router,
      inquiries: core.inquiries,
      invocations: core.invocations,
      logins: core.logins,
      connectionOf: (token, hub) => basis.connectionTokens.peek(token, hub),
      clientTokens: createClientTokens(keys),
      tokens,
      events,
      log: log.child('rest'),
      tracing,
      limits: config,
      version,
    }),
  );
  return { links, requests };
}

function requestDoor(
  { backbone, config, core, node }: Basis,
  parts: Pick<RequestDoorOptions, 'gate' | 'cors' | 'connectionClaims'>,
): RequestDoor {
  const { clientRequests: requests } = core;
  const registered = (hub: string, id: string): boolean => core.registry.hub(hub)?.connections.has(id) ?? false;
  const owner = new Owner({ clients: core.arrivals, requests, registered, config });
  requests.attach(owner);
  const { pollMs } = config;
  const postBytes = clientBatchBytes(config.clientMessageBytes);
  const hearing = (): boolean => backbone.bus.hearing;
  return new RequestDoor({ ...parts, owner, requests, node, pollMs, postBytes, hearing });
}

/** Makes the inner port. @param token undefined: without the operators' page. */
export function createAdminPort(basis: Basis, token: string | undefined): Admin {
  const { config, core, health, log, node, prometheus } = basis;
  const { events } = prometheus;
  const adminLog = log.child('admin');
  const limitReached = (): void => events.limitReached('SIGNALBOX_ADMIN_FOLLOWERS');
  const { operators, router } = core;
  const api = createOperatorsApi({ operators, router, node, config, log: adminLog, limitReached });
  return createAdmin({
    health,
    prometheus,
    log: adminLog,
    hosts: config.adminHosts,
    operators:
      token === undefined
        ? undefined
        : { token, api, followers: config.adminFollowers, refused: () => events.tokenRefused('admin') },
  });
}
