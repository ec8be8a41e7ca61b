import { Child } from './support/child.ts';
import { cpuDuring, median, printHead, printTable } from './support/figures.ts';
import { settings } from './support/settings.ts';

/** What does a call of a hub in an app server cost the gateway, next to an echo of uWebSockets.js alone? */

const runs = 5;
const clients = 200;
const echoes = 60_000;
const links = 5;
/** Calls of one client under way at a time. */
const depths = [1, 4] as const;

interface Subject {
  readonly name: string;
  readonly server: Child;
  readonly load: Child;
  readonly app: Child | undefined;
  readonly costs: number[];
  readonly appCosts: number[];
  readonly rates: number[];
}

async function start(name: string, file: string, appFile?: string): Promise<Subject> {
  const server = new Child(file, settings);
  const load = new Child('echo-clients.ts');
  const port = await server.call<number>('port');
  const app = appFile === undefined ? undefined : new Child(appFile);
  await app?.call('connect', { port, links });
  await load.call('open', { port, count: clients });
  return { name, server, load, app, costs: [], appCosts: [], rates: [] };
}

async function run({ server, load, app, costs, appCosts, rates }: Subject, inFlight: number): Promise<void> {
  let ms = 0;
  let appCost = 0;
  const calling = async (): Promise<void> => {
    ms = await load.call<number>('run', { echoes, inFlight });
  };
  const cost = await cpuDuring(server, async () => {
    if (app === undefined) await calling();
    else appCost = await cpuDuring(app, calling);
  });
  costs.push(cost / echoes);
  appCosts.push(appCost / echoes);
  rates.push((echoes / ms) * 1000);
}

function report(subjects: readonly Subject[], inFlight: number): void {
  const [{ costs: bare }] = subjects as [Subject];
  console.log(`\n${inFlight} in flight for each client`);
  printTable(
    subjects.map(({ name, costs, appCosts, rates }) => ({
      server: name,
      'µs an echo': median(costs),
      'echoes a second and core': 1e6 / median(costs),
      'times bare': median(costs.map((cost, turn) => cost / bare[turn]!)),
      'echoes a second here': median(rates),
      'µs of the app server': median(appCosts),
    })),
  );
}

printHead(`echo: 100 bytes, ${clients} clients, ${links} links (median of ${runs} runs, taken in turns)`);
const subjects: readonly Subject[] = [
  await start('bare', 'echo-server.ts'),
  await start('gateway, scripted app server', 'gateway-server.ts', 'scripted-app.ts'),
  await start('gateway, AppServer', 'gateway-server.ts', 'hub-app.ts'),
];
for (const inFlight of depths) {
  for (const subject of subjects) await run(subject, inFlight);
  for (const { costs, appCosts, rates } of subjects) costs.length = appCosts.length = rates.length = 0;
  for (let turn = 0; turn < runs; turn++) {
    for (const subject of subjects) await run(subject, inFlight);
  }
  report(subjects, inFlight);
}
await Promise.all(subjects.flatMap(({ server, load, app }) => [server, load, app].map((child) => child?.stop())));
