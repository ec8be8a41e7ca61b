import { Child } from './support/child.ts';
import { cpuDuring, median, printHead, printTable } from './support/figures.ts';
import { settings } from './support/settings.ts';

/** What does one REST send to a user cost the server, next to a handler that only reads the body? */

const pairs = 5;
const requests = 5_000;
const connections = 32;
const users = 1_000;
const bodyBytes = 200;

const sample = (filler: string): string => JSON.stringify({ target: 'note', arguments: [filler] });
const body = sample('x'.repeat(bodyBytes - sample('').length));

interface Subject {
  readonly name: string;
  readonly server: Child;
  readonly port: number;
  readonly freshTokens: boolean;
  readonly costs: number[];
  readonly rates: number[];
}

const callers = new Child('clients.ts');

async function run(subject: Subject): Promise<void> {
  const { server, port, freshTokens } = subject;
  const calling = { port, requests, connections, users, freshTokens, body };
  await callers.call('prepare', calling);
  let ms = 0;
  const cpu = await cpuDuring(server, async () => {
    ms = await callers.call<number>('call', calling);
  });
  subject.costs.push(cpu / requests);
  subject.rates.push((requests / ms) * 1000);
}

printHead(
  `rest: send to a user, body ${bodyBytes} B, ${connections} connections (median of ${pairs} runs, taken in turns)`,
);
const bare = new Child('bare-server.ts');
const gateway = new Child('gateway-server.ts', settings);
const empty = new Child('gateway-server.ts', settings);
const listeners = new Child('clients.ts');
const port = await gateway.call<number>('port');
await listeners.call('open', { port, count: users, protocol: 'json', users: true });
const none = { costs: [], rates: [] };
const subjects: readonly Subject[] = [
  { name: 'bare', server: bare, port: await bare.call('port'), freshTokens: true, ...structuredClone(none) },
  { name: 'gateway, a token each request', server: gateway, port, freshTokens: true, ...structuredClone(none) },
  { name: 'gateway, a token for each user', server: gateway, port, freshTokens: false, ...structuredClone(none) },
  {
    name: 'gateway, nobody connected',
    server: empty,
    port: await empty.call('port'),
    freshTokens: true,
    ...structuredClone(none),
  },
];
for (const subject of subjects) await run(subject);
for (const { costs, rates } of subjects) costs.length = rates.length = 0;
for (let pair = 0; pair < pairs; pair++) {
  for (const subject of subjects) await run(subject);
}
printTable(
  subjects.map(({ name, costs, rates }) => ({
    server: name,
    'µs a request': median(costs),
    'requests a second': median(rates),
    'more than bare, µs': median(costs.map((cost, pair) => cost - subjects[0]!.costs[pair]!)),
  })),
);
await Promise.all([bare, gateway, empty, callers, listeners].map((child) => child.stop()));
