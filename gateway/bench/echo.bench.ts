import { startRedis } from '../test/support/redis.ts';
import { Child } from './support/child.ts';
import { median, printHead, printTable } from './support/figures.ts';
import { settings } from './support/settings.ts';

/** What does a call of a hub in an app server cost the gateway, next to an echo of uWebSockets.js alone? */

const runs = 5;
const clients = 200;
const echoes = 40_000;
const links = 5;
/** Calls of one client under way at a time. */
const depths = [1, 4] as const;

/** Processes whose time is told: the node of the clients (or the bare echo), the node of the links where that is another, the app server. */
const roles = ['server', 'linkNode', 'app'] as const;
type Role = (typeof roles)[number];

interface Subject {
  readonly name: string;
  readonly load: Child;
  readonly parts: Readonly<Partial<Record<Role, Child>>>;
  /** µs for an echo, of each run. */
  readonly costs: Readonly<Record<Role, number[]>>;
  readonly rates: number[];
}

async function start(name: string, parts: Subject['parts'] & { readonly server: Child }): Promise<Subject> {
  const load = new Child('echo-clients.ts');
  const { server, linkNode = server, app } = parts;
  await app?.call('connect', { port: await linkNode.call<number>('port'), links });
  await load.call('open', { port: await server.call<number>('port'), count: clients });
  return { name, load, parts, costs: { server: [], linkNode: [], app: [] }, rates: [] };
}

async function run({ load, parts, costs, rates }: Subject, inFlight: number): Promise<void> {
  const used = (): Promise<number[]> => Promise.all(roles.map(async (role) => (await parts[role]?.usage())?.cpu ?? 0));
  const before = await used();
  const ms = await load.call<number>('run', { echoes, inFlight });
  const after = await used();
  roles.forEach((role, at) => void costs[role].push((after[at]! - before[at]!) / echoes));
  rates.push((echoes / ms) * 1000);
}

function report(subjects: readonly Subject[], inFlight: number): void {
  const bare = subjects[0]!.costs.server;
  console.log(`\n${inFlight} in flight for each client`);
  printTable(
    subjects.map(({ name, costs, rates }) => ({
      server: name,
      'µs an echo': median(costs.server),
      'echoes a second and core': 1e6 / median(costs.server),
      'times bare': median(costs.server.map((cost, turn) => cost / bare[turn]!)),
      "µs of the links' node": median(costs.linkNode),
      'µs of the app server': median(costs.app),
      'echoes a second here': median(rates),
    })),
  );
}

function forget({ costs, rates }: Subject): void {
  for (const role of roles) costs[role].length = 0;
  rates.length = 0;
}

printHead(`echo: 100 bytes, ${clients} clients, ${links} links (median of ${runs} runs, taken in turns)`);
await using redis = await startRedis();
const withRedis = { ...settings, REDIS_URL: redis.url() };
const node = (env = settings): Child => new Child('gateway-server.ts', env);
const subjects: readonly Subject[] = [
  await start('bare', { server: new Child('echo-server.ts') }),
  await start('gateway, scripted app server', { server: node(), app: new Child('scripted-app.ts') }),
  await start('gateway, AppServer', { server: node(), app: new Child('hub-app.ts') }),
  await start('gateway, links on another node', {
    linkNode: node(withRedis),
    server: node(withRedis),
    app: new Child('scripted-app.ts'),
  }),
];
for (const inFlight of depths) {
  for (const subject of subjects) await run(subject, inFlight);
  for (const subject of subjects) forget(subject);
  for (let turn = 0; turn < runs; turn++) {
    for (const subject of subjects) await run(subject, inFlight);
  }
  report(subjects, inFlight);
}
const children = subjects.flatMap(({ load, parts }) => [load, ...Object.values(parts)]);
await Promise.all(children.map((child) => child.stop()));
