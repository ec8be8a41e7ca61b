import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { createAdmin } from './admin/admin.ts';
import { createRestApi } from './apps/rest-api.ts';
import { batchBodyBytes } from './apps/rest-batch.ts';
import { type ServiceDoor, serverPaths, serviceDoor } from './apps/service-door.ts';
import { createClientTokens } from './auth/client-tokens.ts';
import { ConnectionTokens } from './auth/connection-token.ts';
import { type AccessKeys, importKeys } from './auth/keys.ts';
import { Tokens } from './auth/tokens.ts';
import { type Backbone, createBackbone } from './backbone.ts';
import { Gate } from './clients/admit.ts';
import { NodeClaims } from './clients/claims.ts';
import { ConnectRate } from './clients/connect-rate.ts';
import { Cors } from './clients/cors.ts';
import { clientBodyBytes, clientEndpoint, clientPaths } from './clients/endpoint.ts';
import { Owner } from './clients/owner.ts';
import { RequestDoor, type RequestDoorOptions } from './clients/requests.ts';
import { webSocketDoor } from './clients/websocket.ts';
import { type Config, ConfigError } from './config.ts';
import { Core } from './core/core.ts';
import { clientBatchBytes } from './core/limits.ts';
import { Topics } from './core/topics.ts';
import { type DrainStep, drain } from './drain.ts';
import { createHttpServer, type HttpServer } from './http.ts';
import { Hubs } from './hubs.ts';
import { Health, type PartState } from './observe/health.ts';
import { createLog, type Log } from './observe/log.ts';
import { createPrometheus, type Prometheus } from './observe/prometheus.ts';
import { envelopeVersion } from './protocol/envelope.ts';
import { readUpstream } from './upstream/settings.ts';
import { version } from './version.ts';

/** A running gateway node. */
export interface Gateway {
  readonly node: string;
  /** Where clients and apps reach it, as printed. */
  readonly endpoint: string;
  readonly port: number;
  /** Where apps reach it; the same as {@link port} without SIGNALBOX_APP_PORT. */
  readonly appPort: number;
  readonly adminPort: number;
  /** For apps; only when the access key was made at this start, for nobody else knows it. */
  readonly connectionString: string | undefined;
  /** Stops in order. False: the deadline cut it short. */
  stop(): Promise<boolean>;
}

/** What every part is built from. */
interface Basis {
  readonly config: Config;
  readonly node: string;
  readonly keys: AccessKeys;
  readonly log: Log;
  readonly prometheus: Prometheus;
  readonly backbone: Backbone;
  readonly core: Core;
  readonly topics: Topics;
  readonly hubs: Hubs;
  readonly connectionTokens: ConnectionTokens;
  readonly health: Health;
}

/**
 * Builds every part of a node, joins them and starts them.
 * @throws {ConfigError | StartRefused | GatewayError} with one line for people: nothing is left running.
 */
export async function startGateway(config: Config): Promise<Gateway> {
  const keyText = accessKeyTexts(config);
  const basis = await createBasis(config, keyText);
  try {
    return await openDoors(basis, config.accessKeys.length === 0 ? keyText[0] : undefined);
  } catch (error) {
    await basis.core.stop();
    basis.prometheus.close();
    throw error;
  }
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

function accessKeyTexts(config: Config): readonly string[] {
  if (config.accessKeys.length > 0) return config.accessKeys;
  const outside = [config.host, ...(config.appPort === undefined ? [] : [config.appHost])].find(
    (host) => !loopback.has(host),
  );
  if (outside !== undefined) {
    throw new ConfigError(`SIGNALBOX_ACCESS_KEY must be set to listen beyond loopback, on ${outside}`);
  }
  if (config.redisUrl !== undefined) {
    throw new ConfigError(
      'SIGNALBOX_ACCESS_KEY must be set together with REDIS_URL: all nodes verify with the same key',
    );
  }
  return [randomBytes(32).toString('base64url')];
}

async function createBasis(config: Config, keyTexts: readonly string[]): Promise<Basis> {
  const templates = readUpstream(config);
  const keys = await importKeys(keyTexts);
  const node = randomBytes(9).toString('base64url');
  const label = config.label ?? `${hostname()}-${process.pid}`;
  const log = createLog({ level: config.logLevel, node, label });
  const late: Late = {};
  const prometheus = createPrometheus({ version, node, label }, gaugesOf(late));
  const backbone = createBackbone({ config, node, events: prometheus.events, log: log.child('backplane') });
  late.backbone = backbone;
  await backbone.bus.start({
    commands: (topic, from, commands) => late.core?.handlers.commands(topic, from, commands),
    deaf: () => late.core?.handlers.deaf(),
    hearing: () => late.core?.handlers.hearing(),
  });
  const health = new Health();
  const secret = config.routingSecret ?? (await backbone.records.secret(() => randomBytes(32).toString('base64url')));
  const topics = new Topics(backbone.prefix, secret, backbone.bus.hashTags);
  const coreLog = log.child('core');
  const core = new Core({
    node,
    config,
    bus: backbone.bus,
    records: backbone.records,
    topics,
    events: prometheus.events,
    appOf: (hub) => hubsOf(late).appOf(hub),
    serves: (hub) => hubsOf(late).serves(hub),
    warn: (text, error) => coreLog.warn(text, error instanceof Error ? { error } : {}),
  });
  late.core = core;
  const connectionTokens = new ConnectionTokens({ keys, firstUseMs: config.negotiateMs });
  const connectionOf = (token: string, hub: string): string | undefined => connectionTokens.peek(token, hub);
  const { events } = prometheus;
  const upstream = { templates, accessKeys: keyTexts, log: log.child('upstream') };
  late.hubs = new Hubs({ config, core, bus: backbone.bus, topics, node, label, events, connectionOf, upstream });
  const accessKeys = keys.map((key) => key.fingerprint);
  await core.start({ accessKeys, routingSecret: topics.fingerprint, envelope: envelopeVersion, data: { label } });
  return { config, node, keys, log, prometheus, backbone, core, topics, hubs: hubsOf(late), connectionTokens, health };
}

/** Parts that others need before they can be built; none of it is asked before the doors open. */
interface Late {
  core?: Core;
  backbone?: Backbone;
  hubs?: Hubs;
}

function hubsOf({ hubs }: Late): Hubs {
  if (hubs === undefined) throw new TypeError('the doors must open after the hubs were built');
  return hubs;
}

function gaugesOf(late: Late): Parameters<typeof createPrometheus>[1] {
  return {
    connections: () => late.core?.registry.counts() ?? [],
    watchedTopics: () => late.core?.watches.size ?? 0,
    outstandingBytes: () => late.backbone?.outstandingBytes() ?? 0,
    knownNodes: () => late.core?.nodes.known ?? 0,
  };
}

async function openDoors(basis: Basis, madeKey: string | undefined): Promise<Gateway> {
  const { config, log, health, prometheus, node } = basis;
  watchBackplane(basis);
  const servers = await createServers(basis);
  const admin = createAdmin({ health, prometheus, log: log.child('admin') });
  const port = await servers.clients.listen(config.host, config.port, true);
  const appPort =
    servers.apps === servers.clients ? port : await servers.apps.listen(config.appHost, config.appPort ?? 0, true);
  const adminPort = await admin.listen(config.adminHost, config.adminPort);
  const endpoint = config.publicUrl ?? `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
  log.info('listening', { host: config.host, port, appPort, adminPort, version, redis: config.redisUrl !== undefined });
  return {
    node,
    endpoint,
    port,
    appPort,
    adminPort,
    connectionString: madeKey && `Endpoint=${endpoint};AccessKey=${madeKey};Version=1.0;`,
    stop: () => stop(basis, servers, () => admin.close()),
  };
}

function watchBackplane({ backbone, config, core, health }: Basis): void {
  let since: number | undefined;
  const state = (): PartState => {
    const up = backbone.bus.hearing && core.nodes.leased;
    since = up ? undefined : (since ?? Date.now());
    return since === undefined ? { up: true } : { up: false, since, why: 'Redis does not answer' };
  };
  setInterval(state, 500).unref(); // so that "since" is right even when nobody asks
  health.register({ name: 'backplane', state, graceMs: config.readyGraceMs });
}

async function createServers(basis: Basis): Promise<Servers> {
  const { config, log } = basis;
  const httpLog = log.child('http');
  const options = {
    bodyBytes: config.messageBytes,
    bodyBytesAt: (path: string) => clientBodyBytes(path, config) ?? batchBodyBytes(path, config.batchBytes),
    defect: (error: unknown, facts: { method: string; path: string }) =>
      httpLog.error('a request failed', { ...facts, error: error instanceof Error ? error : String(error) }),
  };
  const clients = await createHttpServer(options);
  const apps = config.appPort === undefined ? clients : await createHttpServer(options);
  return { clients, apps, links: mountDoors(basis, clients, apps) };
}

interface Servers {
  readonly clients: HttpServer;
  /** The same as {@link clients} without SIGNALBOX_APP_PORT. */
  readonly apps: HttpServer;
  readonly links: ServiceDoor;
}

function mountDoors(basis: Basis, clients: HttpServer, apps: HttpServer): ServiceDoor {
  const { config, connectionTokens, core, keys, log, node, prometheus, backbone, topics } = basis;
  const { events } = prometheus;
  const tokens = new Tokens({ keys, hosts: config.hosts, events });
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
  clients.upgrade(clientPaths, webSocketDoor({ gate, cors, clients: core.arrivals, config }));
  const requests = requestDoor(basis, { gate, cors, connectionClaims });
  clients.mount(clientEndpoint({ gate, cors, connectionTokens, mint, requests, transports: config.transports }));
  const links = serviceDoor({ host: basis.hubs.nodeLinks, tokens, events, log: log.child('links'), config });
  apps.upgrade(serverPaths, links);
  apps.mount(
    createRestApi({
      router: core.router,
      inquiries: core.inquiries,
      invocations: core.invocations,
      clientTokens: createClientTokens(keys),
      tokens,
      events,
      log: log.child('rest'),
      limits: config,
      version,
    }),
  );
  return links;
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

/** The order of architecture, section 11. */
function stop(basis: Basis, servers: Servers, closeAdmin: () => Promise<void>): Promise<boolean> {
  const { config, core, health, log, prometheus } = basis;
  const drainLog = log.child('drain');
  const steps: readonly DrainStep[] = [
    { name: 'not ready', run: () => health.drain() },
    { name: 'no new connections', run: () => refuseNew(core, servers) },
    { name: 'links take nobody', run: () => servers.links.retire() },
    { name: 'clients closed in waves', run: () => core.closeClients() },
    { name: 'clients elsewhere closed', run: () => basis.hubs.nodeLinks.release(core.waves) },
    { name: 'webhooks posted', run: () => basis.hubs.upstream?.idle() },
    { name: 'links closed', run: () => servers.links.close() },
    { name: 'backplane left', run: () => core.stop() },
    { name: 'upstream left', run: () => basis.hubs.upstream?.close() },
    { name: 'sockets closed', run: () => closeSockets(servers) },
    { name: 'admin port closed', run: closeAdmin },
    { name: 'metrics stopped', run: () => prometheus.close() },
  ];
  return drain(steps, {
    deadlineMs: config.drainMs,
    progress: (step, ms) => drainLog.info('stopping', { step, ms }),
    failed: (step, error) => drainLog.error('a step of the stop failed', { step, error: error as Error }),
  });
}

function refuseNew(core: Core, { clients, apps }: Servers): void {
  core.limits.draining = true;
  for (const server of [clients, apps]) server.stopListening();
}

function closeSockets({ clients, apps }: Servers): void {
  for (const server of new Set([clients, apps])) server.close();
}
