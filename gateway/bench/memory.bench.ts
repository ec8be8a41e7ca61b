import { startRedis } from '../test/support/redis.ts';
import { Child } from './support/child.ts';
import { median, printHead, printTable } from './support/figures.ts';
import { settings } from './support/settings.ts';
import type { Usage } from './support/usage.ts';

/** What does a connection cost that does nothing? */

const connections = 10_000;
/** Connections that come and go first, so that what is made once does not count. */
const warmUp = 1_000;
const runs = 3;

type Protocol = 'json' | 'messagepack';

interface Subject {
  readonly name: string;
  readonly file: string;
  readonly protocol: Protocol;
  readonly env: Readonly<Record<string, string>>;
  readonly users?: boolean;
}

async function measure({ file, protocol, env, users = false }: Subject): Promise<{ rss: number; heap: number }> {
  const server = new Child(file, env);
  const load = new Child('clients.ts');
  const port = await server.call<number>('port');
  await load.call('open', { port, count: warmUp, protocol, users });
  await load.call('leave');
  const base = await server.call<Usage>('settledUsage');
  await load.call('open', { port, count: connections, protocol, users });
  const full = await server.call<Usage>('settledUsage');
  await Promise.all([load.stop(), server.stop()]);
  return { rss: (full.rss - base.rss) / connections, heap: (full.heap - base.heap) / connections };
}

await using redis = await startRedis();
const gateway = { file: 'gateway-server.ts', env: settings };
const withRedis = { ...settings, REDIS_URL: redis.url() };
const subjects: readonly Subject[] = [
  { name: 'bare', file: 'bare-server.ts', protocol: 'json', env: { BARE_TOPICS: 'no' } },
  { name: 'bare, subscribed to a topic', file: 'bare-server.ts', protocol: 'json', env: {} },
  { name: 'gateway, JSON', ...gateway, protocol: 'json' },
  { name: 'gateway, MessagePack', ...gateway, protocol: 'messagepack' },
  { name: 'gateway, JSON, a user each', ...gateway, protocol: 'json', users: true },
  { name: 'gateway, JSON, Redis', ...gateway, protocol: 'json', env: withRedis },
];

printHead(`memory: ${connections} idle connections, handshake done, bytes for each (median of ${runs})`);
const results = new Map<Subject, { rss: number; heap: number }[]>(subjects.map((subject) => [subject, []]));
for (let run = 0; run < runs; run++) {
  for (const subject of subjects) results.get(subject)!.push(await measure(subject));
}
printTable(
  [...results].map(([{ name }, values]) => ({
    server: name,
    'resident memory': median(values.map(({ rss }) => rss)),
    'live heap': median(values.map(({ heap }) => heap)),
  })),
);
