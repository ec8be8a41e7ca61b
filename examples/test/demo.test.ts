import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type HubConnection, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { afterEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startRedis } from '../support/start-redis.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const program = fileURLToPath(new URL('../demo.ts', import.meta.url));

let demo: ChildProcess | undefined;
afterEach(() => void demo?.kill('SIGTERM'));

/** What `npm run demo` (or `demo:…`) runs, and all that it has said so far. */
function start(
  name: string,
  env: Record<string, string | undefined>,
): { process: ChildProcess; said: () => string; exit: Promise<unknown[]> } {
  const child = spawn(process.execPath, ['--import', 'tsx', program, name], {
    cwd: repository,
    env: { ...process.env, ...env },
  });
  demo = child;
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return { process: child, said: () => said, exit: once(child, 'close') }; // when all that was said has been read
}

const answers = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
};

/** The address to open, once it is printed. */
async function opened(said: () => string): Promise<string> {
  await expect.poll(said, { timeout: 60_000 }).toMatch(/Open:\n\n {4}http:\S+\n/);
  return /^ {4}(http:\S+)\/$/m.exec(said())?.[1] ?? '';
}

test.each(['chat', 'notify', 'serverless'])(
  'the demo %s stops the app, then the gateway, at the first Ctrl-C',
  async (name) => {
    const { process: child, said, exit } = start(name, { PORT: '0' });
    const page = await opened(said);
    const metrics = /metrics: (\S+)$/m.exec(said())?.[1] ?? '';
    expect(await Promise.all([page, metrics].map(answers))).toEqual([true, true]);
    child.kill('SIGINT');
    child.kill('SIGINT'); // a terminal and npm both pass it on
    expect(await exit).toEqual([0, null]);
    expect(said()).toMatch(/stopping the app.*\nstopping the gateway \.\.\.\nstopped\.\n$/);
    expect(await Promise.all([page, metrics].map(answers))).toEqual([false, false]);
  },
);

test('the chat of the demo does not wait for its clients when it is stopped', async () => {
  const { process: child, said, exit } = start('chat', { PORT: '0' });
  const client = new HubConnectionBuilder()
    .withUrl(`${await opened(said)}/chat?user=alice`)
    .configureLogging(LogLevel.None)
    .build();
  const welcome = new Promise((resolve) => client.on('welcome', resolve));
  const closed = new Promise((resolve) => client.onclose(resolve));
  await client.start();
  expect(await welcome).toMatchObject({ user: 'alice', process: child.pid });
  const since = performance.now();
  child.kill('SIGINT');
  await closed;
  expect(await exit).toEqual([0, null]);
  expect(performance.now() - since).toBeLessThan(25_000); // an app server waits 30 s if nobody takes its clients
});

/** A user of the chat who comes back whatever happens, and all that this user heard. */
async function comeIn(page: string, user: string): Promise<{ client: HubConnection; heard: string[] }> {
  const client = new HubConnectionBuilder()
    .withUrl(`${page}/chat?user=${user}`)
    .withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => 100 })
    .configureLogging(LogLevel.None)
    .build();
  const heard: string[] = [];
  client.on('receiveMessage', (_from: string, text: string) => heard.push(text));
  await client.start();
  return { client, heard };
}

/** One says it until the other one hears it: what is said while something is down may be lost, and no call may fail for ever. */
async function passes(from: HubConnection, to: readonly string[], text: string): Promise<void> {
  const say = async (): Promise<boolean> => {
    await from.invoke('sendMessage', 'alice', text).catch(() => undefined); // said again
    return to.includes(text);
  };
  await expect.poll(say, { timeout: 60_000 }).toBe(true);
}

interface Compose {
  readonly services: Readonly<Record<string, unknown>>;
}

test('the cluster is that of compose.yaml, and the chat goes on whichever process is killed', {
  timeout: 300_000,
}, async () => {
  const { process: child, said, exit } = start('cluster', { PORT: '0', REDIS_URL: undefined });
  const page = await opened(said);
  const pidOf = (name: string): number => Number(new RegExp(`^    ${name}: process (\\d+),`, 'm').exec(said())?.[1]);
  const names = [...said().matchAll(/^ {4}(\w+): process \d+,/gm)].map(([, name]) => name);
  const { services } = parse(readFileSync(`${repository}/deploy/compose.yaml`, 'utf8'), { merge: true }) as Compose;
  const inCompose = Object.keys(services).filter((name) => name !== 'grafana'); // which Debian does not have
  expect(names.sort()).toEqual(inCompose.sort());

  const prometheus = /prometheus: process \d+, (\S+)$/m.exec(said())?.[1];
  await expect.poll(() => value(prometheus, 'count(up{job="signalbox"} == 1)'), { timeout: 60_000 }).toBe('3');

  const [alice, bob] = [await comeIn(page, 'alice'), await comeIn(page, 'bob')];
  await passes(alice.client, bob.heard, 'before');
  for (const name of inCompose) {
    const killed = pidOf(name);
    process.kill(killed, 'SIGKILL');
    await expect.poll(said, { timeout: 60_000 }).toContain(`${name}, process ${killed}, ended and is started again`);
    await expect.poll(said, { timeout: 60_000 }).toMatch(new RegExp(`${name} is process \\d+ now`));
    await passes(alice.client, bob.heard, `after ${name}`);
  }
  await Promise.all([alice, bob].map(({ client }) => client.stop()));
  child.kill('SIGINT');
  expect(await exit).toEqual([0, null]);
  expect(await answers(page)).toBe(false);
});

/** What Prometheus answers to a query; undefined: nothing yet. */
async function value(origin: string | undefined, query: string): Promise<string | undefined> {
  const answer = await fetch(`${origin}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { data } = (await answer.json()) as { data: { result: readonly { value: readonly [number, string] }[] } };
  return data.result[0]?.value[1];
}

test('a cluster without nginx and Prometheus says so and does without', async () => {
  const redis = await startRedis();
  const { process: child, said, exit } = start('cluster', { PORT: '0', PATH: '/nonexistent', REDIS_URL: redis.url });
  const page = await opened(said);
  expect(said()).toContain('nginx is not installed: connections go to nodes at random');
  expect(said()).toContain('Prometheus is not installed: nothing is scraped');
  const [alice, bob] = [await comeIn(page, 'alice'), await comeIn(page, 'bob')];
  await passes(alice.client, bob.heard, 'hello');
  await Promise.all([alice, bob].map(({ client }) => client.stop()));
  child.kill('SIGINT');
  expect(await exit).toEqual([0, null]);
  await redis.stop();
});

test('a cluster without a Redis says what to do', async () => {
  const { said, exit } = start('cluster', { PORT: '0', PATH: '/nonexistent', REDIS_URL: undefined });
  expect(await exit).toEqual([1, null]);
  expect(said()).toContain('\ndemo: no Redis: set REDIS_URL, or install one');
});

test('a port that is taken is named together with the variable to change', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  const { said, exit } = start('chat', { PORT: port });
  expect(await exit).toEqual([1, null]);
  expect(said()).toContain(`demo: port ${port} is taken: set PORT to a free one`);
  other.close();
});

test('a demo that is none is refused', async () => {
  const { said, exit } = start('chess', {});
  expect(await exit).toEqual([1, null]);
  expect(said()).toBe('demo: the demo must be one of chat, cluster, notify, serverless, got "chess"\n');
});

test('a port that is none is refused', async () => {
  const { said, exit } = start('chat', { PORT: 'many' });
  expect(await exit).toEqual([1, null]);
  expect(said()).toBe('demo: PORT must be an integer from 0 to 65535, got "many"\n');
});
