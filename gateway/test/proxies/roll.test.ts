import { HttpTransportType, HubConnectionState, type IRetryPolicy } from '@microsoft/signalr';
import { AppServer, defineHub, SignalboxClient } from '@signalbox/app-sdk';
import { expect, test } from 'vitest';
import { type Ended, GatewayProcess } from '../support/gateway-process.ts';
import { OfficialClient } from '../support/official-client.ts';
import { proxies } from '../support/proxies.ts';
import type { ProxyProcess } from '../support/proxy-process.ts';
import { freePort, startRedis } from '../support/redis.ts';
import { everyNodeServes } from '../support/served.ts';
import { connectionString, patience } from '../support/service.ts';
import { accessKey } from '../support/tokens.ts';
import { until, within } from '../support/until.ts';

interface Talk {
  server: { echo(value: number): number };
  client: { news(sent: readonly [app: string, n: number]): void };
}

const talk = defineHub<Talk>({ name: 'talk', methods: { echo: (_hub, value) => value } });
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const { WebSockets, ServerSentEvents, LongPolling } = HttpTransportType;

/** Clients that a node closes in a second: few, so that its pace can be read from its log. */
const drainRate = 5;
const tickMs = 1000 / drainRate;

/** Only HAProxy asks for /readyz. Behind nginx a request may meet the very moment in which a node closes its port. */
const rows = [
  ['nginx', 'every client returns, and nothing comes twice', false],
  ['HAProxy', 'every client returns, nothing comes twice, and no app sees a failure', true],
] as const;

/** Sends numbers to everybody by REST, each after the answer to the one before, until it is stopped. */
class App {
  readonly name: string;
  readonly failures: unknown[] = [];
  sent = 0;
  readonly #client: SignalboxClient;
  readonly #over: Promise<void>;
  #going = true;

  constructor(origin: string, name: string) {
    this.name = name;
    const options = { hub: talk.name, retries: 0, logger: silent };
    this.#client = new SignalboxClient(connectionString(origin), options);
    this.#over = this.#run();
  }

  async #run(): Promise<void> {
    while (this.#going) {
      const sent = this.#client.send({ all: true }, 'news', [this.name, this.sent++]);
      await sent.catch((error: unknown) => this.failures.push(error));
    }
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#over;
    await this.#client.close();
  }
}

/** As the official client does by itself: at once, after 2, 10 and 30 s. */
const reconnect: IRetryPolicy = {
  nextRetryDelayInMilliseconds: ({ previousRetryCount }) => [0, 2000, 10_000, 30_000][previousRetryCount] ?? null,
};

/** Thirty clients of a hub in app servers: half of them on WebSockets, the others on streams and polls. */
function comeIn(server: AppServer): Promise<readonly OfficialClient[]> {
  const transports = [WebSockets, ServerSentEvents, WebSockets, LongPolling];
  const one = async (n: number): Promise<OfficialClient> => {
    const where = await server.hub(talk).negotiate({ userId: `user${n}` });
    return OfficialClient.connect(where, { transport: transports[n % 4] ?? WebSockets, reconnect });
  };
  return Promise.all(Array.from({ length: 30 }, (_, n) => one(n)));
}

/** Stops one in order and starts the next version of it, on the same ports. */
async function replace(node: GatewayProcess, settings: Record<string, string>): Promise<[GatewayProcess, Ended]> {
  node.signal('SIGTERM');
  const ended = await within('the exit', node.ended, 40_000);
  const ports = { PORT: String(node.port), SIGNALBOX_ADMIN_PORT: String(node.adminPort) };
  const next = await GatewayProcess.start({ ...settings, ...ports });
  await until('it is ready', async () => (await next.admin('/readyz')).status === 200);
  return [next, ended];
}

interface Wave {
  readonly ms: number;
  readonly left: number;
}

/** What its log told of the waves: how many clients were left, and when, in ms of its own clock. At the next step: none. */
function wavesOf({ stdout }: Ended): readonly Wave[] {
  const lines = stdout.split('\n');
  const isWave = (line: string): boolean => line.includes('clients closed in waves');
  const next = lines.findLastIndex(isWave) + 1;
  const [over, ...waves] = [lines[next] ?? '', ...lines.filter(isWave)].map((line) => JSON.parse(line) as Wave);
  return [...waves, { ms: over?.ms ?? 0, left: 0 }];
}

/** Fails where more clients were closed than the rate lets, counted from the first. */
function expectPaced(waves: readonly Wave[]): void {
  const [first] = waves;
  expect(first?.left).toBeGreaterThan(0);
  for (const { ms, left } of waves) {
    const closed = (first?.left ?? 0) - left;
    expect(closed).toBeLessThanOrEqual((ms - (first?.ms ?? 0)) / tickMs + 2);
  }
}

/** Numbers of each app only grow: nothing came twice or late. */
function expectInOrder({ inbox }: OfficialClient, apps: readonly App[]): void {
  const heard = inbox.items as (readonly [string, number])[];
  for (const { name } of apps) {
    const numbers = heard.filter(([app]) => app === name).map(([, n]) => n);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  }
}

test.concurrent.each(rows)(
  'three nodes behind %s are rolled under traffic: %s',
  async (name, _what, asksForReady) => {
    await using redis = await startRedis();
    const settings = {
      ...patience,
      SIGNALBOX_ACCESS_KEY: accessKey,
      REDIS_URL: redis.url(),
      SIGNALBOX_MODES: 'talk=default',
      SIGNALBOX_DRAIN_RATE: String(drainRate),
      SIGNALBOX_UNREADY_MS: asksForReady ? '6000' : '0',
    };
    const start = async (): Promise<GatewayProcess> => {
      const ports = { PORT: String(await freePort()), SIGNALBOX_ADMIN_PORT: String(await freePort()) };
      return GatewayProcess.start({ ...settings, ...ports });
    };
    const nodes = [await start(), await start(), await start()];
    await using proxy: ProxyProcess = await proxies[name](nodes);
    const options = { hubs: [talk], links: 2, logger: silent };
    const servers = [1, 2].map(() => new AppServer(connectionString(proxy.origin), options));
    for (const server of servers) await server.start();
    await everyNodeServes(nodes, () => servers[0]!.hub(talk).negotiate());
    const clients = await comeIn(servers[0]!);
    const apps = ['a', 'b'].map((app) => new App(proxy.origin, app));

    const ends: Ended[] = [];
    for (const at of nodes.keys()) {
      const [next, ended] = await replace(nodes[at]!, settings);
      nodes[at] = next;
      ends.push(ended);
    }
    const isBack = ({ connection }: OfficialClient): boolean => connection.state === HubConnectionState.Connected;
    await until('every client is back', () => clients.every(isBack), 60_000);
    await until('each app has sent a hundred', () => apps.every(({ sent }) => sent > 100), 60_000);
    await Promise.all(apps.map((app) => app.stop()));

    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
    for (const ended of ends) expectPaced(wavesOf(ended));
    for (const client of clients) {
      expect(client.returns.items.length).toBeGreaterThan(0);
      expect(await client.connection.invoke('echo', 7)).toBe(7);
      expectInOrder(client, apps);
    }
    if (asksForReady) {
      expect(apps.map(({ failures }) => failures)).toEqual([[], []]);
      expect(proxy.requests.filter(({ status }) => status >= 500 || status < 0)).toEqual([]);
    }
    await Promise.all(clients.map((client) => client.stop()));
    await Promise.all(servers.map((server) => server.stop({ graceMs: 1000 })));
    await Promise.all(nodes.map((node) => node.kill()));
  },
  180_000,
);
