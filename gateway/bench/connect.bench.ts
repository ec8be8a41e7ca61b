import { startRedis } from '../test/support/redis.ts';
import { Child } from './support/child.ts';
import { cpuDuring, median, printHead, printTable } from './support/figures.ts';
import { settings } from './support/settings.ts';

/** What does a client cost that comes and goes: negotiate, upgrade, handshake, end? */

const pairs = 5;
const count = 1_000;

await using redis = await startRedis();
const bare = new Child('bare-server.ts');
const gateway = new Child('gateway-server.ts', settings);
const withRedis = new Child('gateway-server.ts', { ...settings, REDIS_URL: redis.url() });
const load = new Child('clients.ts');

interface Subject {
  readonly name: string;
  readonly server: Child;
  readonly negotiates: boolean;
  readonly costs: number[];
  readonly rates: number[];
}

const subjects: readonly Subject[] = [
  { name: 'bare: upgrade, first message', server: bare, negotiates: false, costs: [], rates: [] },
  { name: 'gateway: upgrade, handshake', server: gateway, negotiates: false, costs: [], rates: [] },
  { name: 'gateway: negotiate, upgrade, handshake', server: gateway, negotiates: true, costs: [], rates: [] },
  { name: 'the same with Redis', server: withRedis, negotiates: true, costs: [], rates: [] },
];

async function run({ server, negotiates, costs, rates }: Subject): Promise<void> {
  const port = await server.call<number>('port');
  let ms = 0;
  const cpu = await cpuDuring(server, async () => {
    ms = await load.call<number>('connectAndLeave', { port, count, negotiates });
  });
  costs.push(cpu / count);
  rates.push((count / ms) * 1000);
}

printHead(`connect: ${count} clients, 64 at a time (median of ${pairs} runs, taken in turns)`);
for (const subject of subjects) await run(subject);
for (const { costs, rates } of subjects) costs.length = rates.length = 0;
for (let pair = 0; pair < pairs; pair++) {
  for (const subject of subjects) await run(subject);
}
printTable(
  subjects.map(({ name, costs, rates }) => ({
    server: name,
    'µs a client': median(costs),
    'clients a second': median(rates),
  })),
);
await Promise.all([bare, gateway, withRedis, load].map((child) => child.stop()));
