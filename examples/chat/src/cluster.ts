import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type Pick, startBalancer } from '../../support/start-balancer.ts';
import { type RunningGateway, startGateway } from '../../support/start-gateway.ts';
import { type RunningProcess, startProcess } from '../../support/start-process.ts';
import type { Stop } from '../../support/stops.ts';

/** Two gateway nodes and two app servers, each a process of its own, and a balancer in front of each pair. */
export interface Cluster {
  readonly url: string;
  readonly gateways: readonly RunningGateway[];
  readonly apps: readonly RunningProcess[];
}

/** What a cluster is made of. */
export interface ClusterOptions {
  readonly redisUrl: string;
  /** Where the page is; 0 is a free one. */
  readonly port: number;
  /** Filled with how to stop what was started. */
  readonly stops: Stop[];
  readonly say?: (text: string) => void;
  /** Which gateway node the next TCP connection of a client or an app server goes to; by default at random. */
  readonly pickNode?: Pick;
}

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** Starts the cluster and waits until all of it is ready. What was started before a failure is in `stops`. */
export async function startCluster({ redisUrl, port, stops, say, pickNode }: ClusterOptions): Promise<Cluster> {
  const key = randomBytes(32).toString('base64url');
  const starting = [1, 2].map(async () => {
    const gateway = await startGateway(key, { REDIS_URL: redisUrl });
    stops.push(gateway.stop);
    return gateway;
  });
  const gateways = await Promise.all(starting);
  const nodes = await startBalancer(
    0,
    gateways.map(({ endpoint }) => portOf(endpoint)),
    pickNode,
  );
  stops.push(nodes.stop);
  say?.(`gateway nodes: ${gateways.map(({ endpoint }) => endpoint).join(' and ')}, balanced at ${nodes.url}`);

  const apps = await startApps(`Endpoint=${nodes.url};AccessKey=${key};Version=1.0;`, stops);
  const pages = await startBalancer(
    port,
    apps.map(({ said }) => portOf(said[1])),
  );
  stops.push(pages.stop);
  say?.(`app servers: processes ${apps.map(({ pid }) => pid).join(' and ')}`);
  return { url: pages.url, gateways, apps };
}

async function startApps(connectionString: string, stops: Stop[]): Promise<RunningProcess[]> {
  const env = { PORT: '0', SIGNALBOX_CONNECTION_STRING: connectionString };
  const starting = [1, 2].map(async () => {
    const app = await startProcess(process.execPath, ['--import', 'tsx', main], { ready: /Open (http:\S+)\//, env });
    stops.push(() => app.stop('SIGINT'));
    return app;
  });
  return Promise.all(starting);
}

function portOf(url: string | undefined): number {
  return Number(new URL(url ?? '').port);
}
