import { startRedis } from '../test/support/redis.ts';
import { Child } from './support/child.ts';
import { printHead, printTable, quantile } from './support/figures.ts';
import { settings } from './support/settings.ts';

/** How long does a REST send take to reach a client on another node? */

const requests = 3_000;
const warmUp = 500;
const body = JSON.stringify({ target: 'note', arguments: ['x'.repeat(160)] });

interface Times {
  readonly receipts: number[];
  readonly answers: number[];
}

/** One client at `home`, one caller at `door`, in one process: one clock. */
async function measure(door: Child, home: Child): Promise<Times> {
  const load = new Child('clients.ts');
  await load.call('open', { port: await home.call<number>('port'), count: 1, protocol: 'json', users: true });
  const calling = { port: await door.call<number>('port'), requests, users: 1, freshTokens: true, body };
  await load.call('prepare', calling);
  await load.call('latencies', { ...calling, requests: warmUp });
  const times = await load.call<Times>('latencies', calling);
  await load.stop();
  return times;
}

function row(name: string, values: readonly number[]): Record<string, string | number> {
  const at = (part: number): number => quantile(values, part) / 1000;
  return { path: name, 'p50 ms': at(0.5), 'p95 ms': at(0.95), 'p99 ms': at(0.99) };
}

printHead(`latency: one REST send after another, from its first byte (${requests} sends)`);
await using redis = await startRedis();
const env = { ...settings, REDIS_URL: redis.url() };
const nodes = [new Child('gateway-server.ts', env), new Child('gateway-server.ts', env)] as const;
const alone = new Child('gateway-server.ts', settings);
const one = await measure(alone, alone);
const same = await measure(nodes[0], nodes[0]);
const other = await measure(nodes[0], nodes[1]);
printTable([
  row('one node, no Redis: receipt', one.receipts),
  row('one node, no Redis: answer', one.answers),
  row('same node, by the echo: receipt', same.receipts),
  row('same node, by the echo: answer', same.answers),
  row('other node: receipt', other.receipts),
  row('other node: answer', other.answers),
]);
await Promise.all([...nodes, alone].map((node) => node.stop()));
