import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { afterEach, expect, test } from 'vitest';

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
  return { process: child, said: () => said, exit: once(child, 'exit') };
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
  await expect.poll(said, { timeout: 20_000 }).toMatch(/Open:\n\n {4}http:\S+\n/);
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
  expect(performance.now() - since).toBeLessThan(10_000); // an app server waits 30 s if nobody takes its clients
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
