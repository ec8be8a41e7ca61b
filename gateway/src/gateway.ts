import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { accessKeyTexts, loopback } from './auth/keys.ts';
import type { Config } from './config.ts';
import type { Core } from './core/core.ts';
import { type DrainStep, drain } from './drain.ts';
import { type Basis, createBasis } from './gateway-basis.ts';
import { createAdminPort, createServers, type Servers } from './gateway-doors.ts';
import { watchHealth } from './gateway-sight.ts';
import { CertificateWatch } from './http-tls.ts';
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
  /** Of the operators' page, with its token; only when that was made at this start. */
  readonly operatorsPage: string | undefined;
  /** Stops in order. False: the deadline cut it short. */
  stop(): Promise<boolean>;
}

/**
 * Builds every part of a node, joins them and starts them. The ports of clients and apps are this process' alone, unless
 * `sharesPorts` says that it is one of several workers.
 * @throws {ConfigError | StartRefused | GatewayError} with one line for people: nothing is left running.
 */
export async function startGateway(config: Config, { sharesPorts = false } = {}): Promise<Gateway> {
  const keyTexts = accessKeyTexts(config, 'one');
  const basis = await createBasis(config, keyTexts);
  try {
    const madeKey = config.accessKeys.length === 0 ? keyTexts[0] : undefined;
    return await openDoors(basis, { madeKey, exclusive: !sharesPorts });
  } catch (error) {
    await basis.core.stop();
    basis.prometheus.close();
    throw error;
  }
}

/** Where clients and apps reach a node that listens on this port. */
export function endpointOf({ publicUrl, host, tlsCert }: Config, port: number): string {
  const scheme = tlsCert === undefined ? 'http' : 'https';
  return publicUrl ?? `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What an app reads from `SIGNALBOX_CONNECTION_STRING`. */
export function connectionStringOf(endpoint: string, key: string): string {
  return `Endpoint=${endpoint};AccessKey=${key};Version=1.0;`;
}

interface DoorOptions {
  readonly madeKey: string | undefined;
  readonly exclusive: boolean;
}

async function openDoors(basis: Basis, { madeKey, exclusive }: DoorOptions): Promise<Gateway> {
  const { config, log, health, node } = basis;
  watchHealth(health, config, basis.backbone, basis.core);
  const servers = await createServers(basis);
  const adminToken = config.adminToken ?? madeToken(config, madeKey !== undefined);
  const admin = createAdminPort(basis, adminToken);
  const port = await servers.clients.listen(config.host, config.port, exclusive);
  const appPort =
    servers.apps === servers.clients ? port : await servers.apps.listen(config.appHost, config.appPort ?? 0, exclusive);
  const adminPort = await admin.listen(config.adminHost, config.adminPort);
  const endpoint = endpointOf(config, port);
  const certificate = watchCertificate(basis, servers);
  const has = { tls: basis.tls !== undefined, redis: config.redisUrl !== undefined };
  log.info('listening', { host: config.host, port, appPort, adminPort, version, ...has });
  return {
    operatorsPage:
      adminToken && config.adminToken === undefined ? pageUrl(config.adminHost, adminPort, adminToken) : undefined,
    node,
    endpoint,
    port,
    appPort,
    adminPort,
    connectionString: madeKey && connectionStringOf(endpoint, madeKey),
    stop: () => {
      certificate?.stop();
      return stop(basis, servers, () => admin.close());
    },
  };
}

function watchCertificate({ config, log, prometheus, tls }: Basis, servers: Servers): CertificateWatch | undefined {
  if (tls === undefined) return undefined;
  const renew = async (): Promise<void> => {
    for (const server of new Set([servers.clients, servers.apps])) await server.renewCertificate();
  };
  const { events } = prometheus;
  const watch = new CertificateWatch({ tls, everyMs: config.tlsCheckMs, renew, events, log: log.child('tls') });
  watch.start();
  return watch;
}

/** Only where an access key was made and printed, too: what a supervisor keeps of standard error must hold no secret. */
function madeToken({ adminHost }: Config, madeKey: boolean): string | undefined {
  if (!madeKey || !loopback.has(adminHost)) return undefined;
  return randomBytes(32).toString('base64url');
}

/** The token stands behind the hash, which no browser sends to anybody. */
function pageUrl(host: string, port: number, token: string): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/#token=${token}`;
}

/** The order of architecture, section 11. */
function stop(basis: Basis, servers: Servers, closeAdmin: () => Promise<void>): Promise<boolean> {
  const { config, core, log, prometheus } = basis;
  const drainLog = log.child('drain');
  const steps: readonly DrainStep[] = [
    { name: 'not ready', run: () => unready(basis) },
    { name: 'no new connections', run: () => refuseNew(core, servers) },
    {
      name: 'links made elsewhere',
      run: () => basis.hubs.handOver.run(),
      left: () => basis.hubs.handOver.left,
    },
    { name: 'links take nobody', run: () => servers.links.retire() },
    { name: 'clients closed in waves', run: () => core.closeClients(), left: () => clientsOf(core) },
    {
      name: 'clients elsewhere closed',
      run: () => basis.hubs.nodeLinks.release(core.waves),
      left: () => core.waves.left,
    },
    { name: 'requests answered', run: () => lastAnswers(servers) },
    { name: 'webhooks posted', run: () => postWebhooks(basis) },
    { name: 'links closed', run: () => servers.links.close() },
    { name: 'backplane left', run: () => core.stop() },
    { name: 'upstream left', run: () => basis.hubs.upstream?.close() },
    { name: 'sockets closed', run: () => closeSockets(servers) },
    { name: 'admin port closed', run: closeAdmin },
    { name: 'traces sent', run: () => basis.traces.close() },
    { name: 'metrics stopped', run: () => prometheus.close() },
  ];
  return drain(steps, {
    deadlineMs: config.drainMs,
    progress: (step, ms, left) => drainLog.info('stopping', { step, ms, ...(left !== undefined && { left }) }),
    failed: (step, error) => drainLog.error('a step of the stop failed', { step, error: error as Error }),
  });
}

/** Balancers that ask for it turn away; until they do, whoever comes is taken. */
function unready({ config, health }: Basis): Promise<void> {
  health.drain();
  return setTimeout(config.unreadyMs);
}

/** Clients that are here, those before their handshake too. */
function clientsOf({ arrivals, registry }: Core): number {
  return registry.size + arrivals.opening.size;
}

async function lastAnswers({ clients, apps, requests }: Servers): Promise<void> {
  await requests.leave();
  await Promise.all([clients.idle(), apps.idle()]);
}

function refuseNew(core: Core, { clients, apps }: Servers): void {
  core.limits.draining = true;
  for (const server of [clients, apps]) server.stopListening();
}

function postWebhooks({ hubs }: Basis): Promise<void> | undefined {
  hubs.stop();
  return hubs.upstream?.idle();
}

function closeSockets({ clients, apps }: Servers): void {
  for (const server of new Set([clients, apps])) server.close();
}
