import { startRedis } from '../test/support/redis.ts';
import { Child } from './support/child.ts';
import { cpuDuring, median, printHead, printTable } from './support/figures.ts';
import { inTurns, type Reading, type Subject } from './support/rounds.ts';
import { settings } from './support/settings.ts';

/** What does a client cost that comes and goes: negotiate, upgrade, handshake, end? */

const rounds = 5;
const count = 1_000;

await using redis = await startRedis();
const bare = new Child('bare-server.ts');
const gateway = new Child('gateway-server.ts', settings);
const withRedis = new Child('gateway-server.ts', { ...settings, REDIS_URL: redis.url() });
const load = new Child('clients.ts');

function subject(name: string, server: Child, negotiates: boolean): Subject {
  const measure = async (): Promise<Reading> => {
    const port = await server.call<number>('port');
    let ms = 0;
    const cpu = await cpuDuring(server, async () => {
      ms = await load.call<number>('connectAndLeave', { port, count, negotiates });
    });
    return { cost: cpu / count, rate: (count / ms) * 1000 };
  };
  return { name, measure };
}

printHead(`connect: ${count} clients, 64 at a time (median of ${rounds} runs, taken in turns)`);
const taken = await inTurns(rounds, [
  subject('bare: upgrade, first message', bare, false),
  subject('gateway: upgrade, handshake', gateway, false),
  subject('gateway: negotiate, upgrade, handshake', gateway, true),
  subject('the same with Redis', withRedis, true),
]);
printTable(
  taken.map(({ name, costs, rates }) => ({
    server: name,
    'µs a client': median(costs),
    'clients a second': median(rates),
  })),
);
await Promise.all([bare, gateway, withRedis, load].map((child) => child.stop()));
