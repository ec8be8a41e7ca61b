import { Child } from './support/child.ts';
import { cpuDuring, median, printHead, printTable } from './support/figures.ts';
import { settings } from './support/settings.ts';

/** What does one delivery of a broadcast cost the server, next to what uWebSockets.js alone needs? */

const pairs = 5;
/** Turns of one measurement, times receivers. */
const turnsTimesReceivers = 80_000;
const messageBytes = 100;
/** Of a WebSocket frame below 126 bytes. */
const headBytes = 2;

const frame = (filler: string): string => `{"type":1,"target":"note","arguments":["${filler}"]}\x1e`;
const text = frame('x'.repeat(messageBytes - frame('').length));

interface Subject {
  readonly name: string;
  readonly server: Child;
  readonly load: Child;
  readonly given: Readonly<Record<string, string>>;
  /** Bytes that all clients got until now. */
  sent: number;
  readonly costs: number[];
  readonly rates: number[];
}

async function start(name: string, file: string, receivers: number, ways: readonly string[]): Promise<Subject[]> {
  const server = new Child(file, settings);
  const load = new Child('clients.ts');
  await load.call('open', { port: await server.call<number>('port'), count: receivers, protocol: 'json' });
  const shared = { sent: 0 };
  return ways.map((way) => ({
    name: `${name} ${way}`.trim(),
    server,
    load,
    given: { way },
    costs: [],
    rates: [],
    get sent() {
      return shared.sent;
    },
    set sent(value) {
      shared.sent = value;
    },
  }));
}

/** Turns of `perTurn` messages, each after the one before has reached everybody. */
async function run(subject: Subject, receivers: number, perTurn: number): Promise<void> {
  const { server, load, given } = subject;
  const turns = turnsTimesReceivers / receivers;
  const started = performance.now();
  const cpu = await cpuDuring(server, async () => {
    for (let turn = 0; turn < turns; turn++) {
      subject.sent += (messageBytes + headBytes) * perTurn * receivers;
      const arrived = load.call('expect', { bytes: subject.sent });
      await server.call('broadcast', { text, perTurn, ...given });
      await arrived;
    }
  });
  const count = turns * perTurn * receivers;
  subject.costs.push(cpu / count);
  subject.rates.push((count / (performance.now() - started)) * 1000);
}

async function compare(receivers: number): Promise<void> {
  const bare = await start('bare', 'bare-server.ts', receivers, ['publish', 'loop']);
  const gateway = await start('gateway', 'core-server.ts', receivers, ['']);
  const subjects = [...bare, ...gateway];
  for (const perTurn of [1, 10]) {
    for (const subject of subjects) await run(subject, receivers, perTurn);
    for (const { costs, rates } of subjects) costs.length = rates.length = 0;
    for (let pair = 0; pair < pairs; pair++) {
      for (const subject of subjects) await run(subject, receivers, perTurn);
    }
    report(receivers, perTurn, subjects);
  }
  await checkSame(subjects);
  for (const { server, load } of [bare[0]!, gateway[0]!]) await Promise.all([server.stop(), load.stop()]);
}

function report(receivers: number, perTurn: number, subjects: readonly Subject[]): void {
  const [{ costs: bareCosts }] = subjects as [Subject];
  console.log(`\n${receivers} receivers, ${perTurn} per turn`);
  printTable(
    subjects.map(({ name, costs, rates }) => ({
      server: name,
      'µs a delivery': median(costs),
      'deliveries a second': median(rates),
      'times bare publish': median(costs.map((cost, pair) => cost / bareCosts[pair]!)),
    })),
  );
}

/** Every client must have got every message, or the figures compare different work. */
async function checkSame(subjects: readonly Subject[]): Promise<void> {
  for (const { name, load } of subjects) {
    const { least, most } = await load.call<{ least: number; most: number }>('extremes');
    if (least !== most) throw new Error(`${name}: a client got ${least} bytes, another ${most}`);
  }
}

printHead(`broadcast: ${messageBytes} bytes, server's processor time (median of ${pairs} runs, taken in turns)`);
for (const receivers of [1_000, 10_000]) await compare(receivers);
