import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const program = fileURLToPath(new URL('../demo.ts', import.meta.url));

let demo: ChildProcess | undefined;
afterEach(() => void demo?.kill('SIGTERM'));

/** What `npm run demo` runs, and all that it has said so far. */
function start(port: string): { process: ChildProcess; said: () => string; exit: Promise<unknown[]> } {
  const child = spawn(process.execPath, ['--import', 'tsx', program], {
    cwd: repository,
    env: { ...process.env, PORT: port },
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

test('the demo prints one address to open, and stops the app and the gateway at the first Ctrl-C', async () => {
  const { process: child, said, exit } = start('0');
  await expect.poll(said, { timeout: 20_000 }).toContain('Open:\n\n');
  await expect.poll(said).toMatch(/^ {4}http:\S+$/m);
  const page = /^ {4}(http:\S+)$/m.exec(said())?.[1] ?? '';
  const metrics = /metrics: (\S+)$/m.exec(said())?.[1] ?? '';
  expect(await Promise.all([page, metrics].map(answers))).toEqual([true, true]);
  child.kill('SIGINT');
  child.kill('SIGINT'); // a terminal and npm both pass it on
  expect(await exit).toEqual([0, null]);
  expect(await Promise.all([page, metrics].map(answers))).toEqual([false, false]);
});

test('a port that is taken is named together with the variable to change', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  const { said, exit } = start(port);
  expect(await exit).toEqual([1, null]);
  expect(said()).toContain(`demo: port ${port} is taken: set PORT to a free one`);
  other.close();
});

test('a port that is none is refused', async () => {
  const { said, exit } = start('many');
  expect(await exit).toEqual([1, null]);
  expect(said()).toBe('demo: PORT must be an integer from 0 to 65535, got "many"\n');
});
