import { startRedis } from '../test/support/redis.ts';
import { Child } from './support/child.ts';
import { printHead, printTable } from './support/figures.ts';
import { settings } from './support/settings.ts';
import type { Usage } from './support/usage.ts';

/** What does a client cost that does nothing and is bound to a link, on its own node and on the link's? */

const links = 5;
/** A process may have 20,000 file descriptors: more clients take more nodes, and as many processes that are clients. */
const clients = 50_000;
const homes = 3;
const perHome = Math.ceil(clients / homes);
/** Clients of each node that come and go first, so that what is made once does not count. */
const warmUp = 1_000;

interface Growth {
  readonly rss: number;
  readonly heap: number;
}

/** Bytes that each node grows by for one of `count` clients, when `act` brings them. */
async function growth(nodes: readonly Child[], counts: readonly number[], act: () => Promise<void>): Promise<Growth[]> {
  const measured = (): Promise<Usage[]> => Promise.all(nodes.map((node) => node.call<Usage>('settledUsage')));
  const before = await measured();
  await act();
  const after = await measured();
  return nodes.map((_, at) => ({
    rss: (after[at]!.rss - before[at]!.rss) / counts[at]!,
    heap: (after[at]!.heap - before[at]!.heap) / counts[at]!,
  }));
}

async function open(load: Child, node: Child, count: number): Promise<void> {
  await load.call('open', { port: await node.call<number>('port'), count, protocol: 'json' });
}

/** Clients on these nodes, all carried by links of the node that is named first. */
async function measure(linkNode: Child, clientNodes: readonly Child[], others: readonly Child[]): Promise<Growth[]> {
  const app = new Child('scripted-app.ts');
  await app.call('connect', { port: await linkNode.call<number>('port'), links });
  const loads = clientNodes.map(() => new Child('clients.ts'));
  const all = async (count: number): Promise<void> => {
    await Promise.all(clientNodes.map((node, at) => open(loads[at]!, node, count)));
  };
  await all(warmUp);
  await Promise.all(loads.map((load) => load.call('leave')));
  const counts = [...clientNodes.map(() => perHome), ...others.map(() => perHome * clientNodes.length)];
  const grown = await growth([...clientNodes, ...others], counts, () => all(perHome));
  await Promise.all([...loads, app].map((child) => child.stop()));
  return grown;
}

function row(name: string, { rss, heap }: Growth): Record<string, string | number> {
  return { node: name, 'resident memory': rss, 'live heap': heap };
}

printHead(`bound: idle clients bound to ${links} links, bytes for each`);
const alone = new Child('gateway-server.ts', settings);
const [both] = await measure(alone, [alone], []);
await alone.stop();

await using redis = await startRedis();
const env = { ...settings, REDIS_URL: redis.url() };
const carrying = new Child('gateway-server.ts', env);
const holding = Array.from({ length: homes }, () => new Child('gateway-server.ts', env));
const grown = await measure(carrying, holding, [carrying]);
printTable([
  row(`${perHome} clients and the links on one node, no Redis`, both!),
  ...holding.map((_, at) => row(`${perHome} clients, links on another node`, grown[at]!)),
  row(`links of ${homes * perHome} clients on other nodes`, grown[homes]!),
]);
await Promise.all([...holding, carrying].map((node) => node.stop()));
