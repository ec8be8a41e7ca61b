import { startRedis } from '../test/support/redis.ts';
import { Child } from './support/child.ts';
import { printHead, printTable, quantile } from './support/figures.ts';
import { settings } from './support/settings.ts';

/** How much later does the answer of a hub come when the hub is in an app server, here or behind another node? */

const turns = 6;
const echoes = 1_000;
const warmUp = 500;
const links = 5;

interface Path {
  readonly name: string;
  readonly load: Child;
  /** µs of each echo. */
  readonly times: number[];
}

async function path(name: string, home: Child): Promise<Path> {
  const load = new Child('echo-clients.ts');
  await load.call('open', { port: await home.call<number>('port'), count: 1 });
  await load.call('latencies', { echoes: warmUp });
  return { name, load, times: [] };
}

/** An app server whose links are on this node. */
async function app(node: Child): Promise<Child> {
  const server = new Child('scripted-app.ts');
  await server.call('connect', { port: await node.call<number>('port'), links });
  return server;
}

printHead(`echo-latency: one echo after another of one client (${turns * echoes} echoes each, taken in turns)`);
await using redis = await startRedis();
const env = { ...settings, REDIS_URL: redis.url() };
const bare = new Child('echo-server.ts');
const alone = new Child('gateway-server.ts', settings);
const near = new Child('gateway-server.ts', env);
const far = new Child('gateway-server.ts', env);
const apps = [await app(alone), await app(near)];
const paths = [
  await path('bare', bare),
  await path('one node, no Redis', alone),
  await path('link on the same node, Redis', near),
  await path('link on another node', far),
];
for (let turn = 0; turn < turns; turn++) {
  for (const { load, times } of paths) times.push(...(await load.call<number[]>('latencies', { echoes })));
}
const at = (times: readonly number[], part: number): number => quantile(times, part) / 1000;
printTable(
  paths.map(({ name, times }) => ({
    path: name,
    'p50 ms': at(times, 0.5),
    'p95 ms': at(times, 0.95),
    'p99 ms': at(times, 0.99),
    'p50 more than bare': at(times, 0.5) - at(paths[0]!.times, 0.5),
  })),
);
const children = [...paths.map(({ load }) => load), ...apps, bare, alone, near, far];
await Promise.all(children.map((child) => child.stop()));
