import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../support/free-port.ts';
import { type Kept, keepRunning } from '../../support/keep-running.ts';
import { type Pick, startBalancer } from '../../support/start-balancer.ts';
import { type RunningGateway, startGateway } from '../../support/start-gateway.ts';
import { type NginxPorts, startNginx } from '../../support/start-nginx.ts';
import { type RunningProcess, startProcess } from '../../support/start-process.ts';
import { startPrometheus } from '../../support/start-prometheus.ts';
import type { Stop } from '../../support/stops.ts';

/** What deploy/compose.yaml runs, on this machine, each a process of its own that is started again when it ends. */
export interface Cluster {
  /** The page. */
  readonly url: string;
  readonly gateways: readonly Kept<RunningGateway>[];
  readonly apps: readonly Kept<RunningProcess>[];
  /** In front of the nodes and the app servers; undefined: a balancer in this process. */
  readonly nginx: Kept<RunningProcess> | undefined;
  /** Undefined: not wanted, or not installed. */
  readonly prometheus: (Kept<RunningProcess> & { readonly url: string }) | undefined;
}

/** What a cluster is made of. */
export interface ClusterOptions {
  readonly redisUrl: string;
  /** Where the page is; 0 is a free one. */
  readonly port: number;
  /** Filled with how to stop what was started. */
  readonly stops: Stop[];
  /** What opens the operators' page of each node; by default there is none. */
  readonly adminToken?: string;
  /** Told of each part that runs, and of what is missing. By default Prometheus is left out. */
  readonly say?: (text: string) => void;
  /**
   * Which gateway node the next TCP connection of a client or an app server goes to, in place of nginx. By default nginx
   * decides, or chance where it is not installed.
   */
  readonly pickNode?: Pick;
}

const nodeCount = 3;
const appCount = 2;
const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** Starts the cluster and waits until all of it is ready. What was started before a failure is in `stops`. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const key = randomBytes(32).toString('base64url');
  const pages = await freePort(options.port);
  const found = Array.from({ length: 1 + 2 * nodeCount + appCount }, () => freePort());
  const [gateway = 0, ...ports] = await Promise.all(found);
  const [nodes, admins] = [ports.slice(0, nodeCount), ports.slice(nodeCount, 2 * nodeCount)];
  const apps = ports.slice(2 * nodeCount);
  const gateways = await startGateways(key, nodes, admins, options);
  const nginx = await startFront({ gateway, nodes, pages, apps }, options);
  const servers = await startApps(`Endpoint=${urlOf(gateway)};AccessKey=${key};Version=1.0;`, apps, options);
  const prometheus = options.say === undefined ? undefined : await startMonitor(admins, options);
  return { url: urlOf(pages), gateways, apps: servers, nginx, prometheus };
}

const urlOf = (port: number): string => `http://127.0.0.1:${port}`;

/** Keeps a program running, to be stopped with the others, and tells of it. */
async function keep<P extends RunningProcess | RunningGateway>(
  { stops, say = () => undefined }: ClusterOptions,
  name: string,
  what: string,
  start: () => Promise<P>,
): Promise<Kept<P>> {
  const kept = await keepRunning(name, start, say);
  stops.push(kept.stop);
  say(`${name}: process ${kept.process.pid}, ${what}`);
  return kept;
}

function startGateways(
  key: string,
  nodes: readonly number[],
  admins: readonly number[],
  options: ClusterOptions,
): Promise<Kept<RunningGateway>[]> {
  const { redisUrl, adminToken } = options;
  const starting = nodes.map((port, at) => {
    const settings = {
      PORT: String(port),
      SIGNALBOX_ADMIN_PORT: String(admins[at]),
      REDIS_URL: redisUrl,
      SIGNALBOX_LABEL: `gateway${at + 1}`,
      ...(adminToken !== undefined && { SIGNALBOX_ADMIN_TOKEN: adminToken }),
    };
    const what = `${urlOf(port)}; operators: ${urlOf(admins[at] ?? 0)}/`;
    return keep(options, `gateway${at + 1}`, what, () => startGateway(key, settings));
  });
  return Promise.all(starting);
}

/** nginx, or where it is not wanted or not installed a balancer that draws lots. */
async function startFront(ports: NginxPorts, options: ClusterOptions): Promise<Kept<RunningProcess> | undefined> {
  const { gateway, nodes, pages, apps } = ports;
  if (options.pickNode === undefined) {
    try {
      return await keep(options, 'nginx', `${urlOf(gateway)} in front of the gateways`, () => startNginx(ports));
    } catch (error) {
      insistUnlessMissing(error);
      options.say?.('nginx is not installed: connections go to nodes at random (apt-get install nginx)');
    }
  }
  const fronts = [await startBalancer(gateway, nodes, options.pickNode), await startBalancer(pages, apps)];
  options.stops.push(...fronts.map((front) => front.stop));
  return undefined;
}

async function startApps(
  connectionString: string,
  ports: readonly number[],
  options: ClusterOptions,
): Promise<Kept<RunningProcess>[]> {
  const starting = ports.map((port, at) => {
    const env = { PORT: String(port), SIGNALBOX_CONNECTION_STRING: connectionString };
    const start = async (): Promise<RunningProcess> => {
      const app = await startProcess(process.execPath, ['--import', 'tsx', main], { ready: /Open http:/, env });
      return { ...app, stop: () => app.stop('SIGINT') };
    };
    return keep(options, `chat${at + 1}`, urlOf(port), start);
  });
  return Promise.all(starting);
}

async function startMonitor(admins: readonly number[], options: ClusterOptions): Promise<Cluster['prometheus']> {
  const port = await freePort();
  try {
    const kept = await keep(options, 'prometheus', urlOf(port), () => startPrometheus(port, admins));
    return Object.assign(kept, { url: urlOf(port) });
  } catch (error) {
    insistUnlessMissing(error);
    options.say?.('Prometheus is not installed: nothing is scraped (apt-get install prometheus)');
    return undefined;
  }
}

function insistUnlessMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
