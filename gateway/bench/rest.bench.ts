import { Child } from './support/child.ts';
import { cpuDuring, median, printHead, printTable } from './support/figures.ts';
import { inTurns, type Reading, type Subject } from './support/rounds.ts';
import { settings } from './support/settings.ts';

/** What does one REST send to a user cost the server, next to a handler that only reads the body? */

const rounds = 5;
const requests = 5_000;
const connections = 32;
const users = 1_000;
const bodyBytes = 200;

const sample = (filler: string): string => JSON.stringify({ target: 'note', arguments: [filler] });
const body = sample('x'.repeat(bodyBytes - sample('').length));

const callers = new Child('clients.ts');

function subject(name: string, server: Child, port: number, freshTokens: boolean): Subject {
  const measure = async (): Promise<Reading> => {
    const calling = { port, requests, connections, users, freshTokens, body };
    await callers.call('prepare', calling);
    let ms = 0;
    const cpu = await cpuDuring(server, async () => {
      ms = await callers.call<number>('call', calling);
    });
    return { cost: cpu / requests, rate: (requests / ms) * 1000 };
  };
  return { name, measure };
}

printHead(
  `rest: send to a user, body ${bodyBytes} B, ${connections} connections (median of ${rounds} runs, taken in turns)`,
);
const bare = new Child('bare-server.ts');
const gateway = new Child('gateway-server.ts', settings);
const empty = new Child('gateway-server.ts', settings);
const listeners = new Child('clients.ts');
const port = await gateway.call<number>('port');
await listeners.call('open', { port, count: users, protocol: 'json', users: true });
const taken = await inTurns(rounds, [
  subject('bare', bare, await bare.call('port'), true),
  subject('gateway, a token each request', gateway, port, true),
  subject('gateway, a token for each user', gateway, port, false),
  subject('gateway, nobody connected', empty, await empty.call('port'), true),
]);
const bareCosts = taken[0]!.costs;
printTable(
  taken.map(({ name, costs, rates }) => ({
    server: name,
    'µs a request': median(costs),
    'requests a second': median(rates),
    'more than bare, µs': median(costs.map((cost, round) => cost - bareCosts[round]!)),
  })),
);
await Promise.all([bare, gateway, empty, callers, listeners].map((child) => child.stop()));
