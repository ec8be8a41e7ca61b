import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A Redis of one test file: its own process on its own port, keeping nothing on disk. */
export interface TestRedis {
  readonly port: number;
  /** `redis://127.0.0.1:{port}`, with a database when asked for. */
  url(db?: number): string;
  /** Ends the process, as a crash would. */
  stop(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
  /** Makes it hang: connections stay open, nothing is answered. */
  pause(): void;
  resume(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a Redis with more arguments if wanted, and waits until it takes connections. */
export async function startRedis(...args: string[]): Promise<TestRedis> {
  const program = findProgram();
  const port = await freePort();
  const start = (): Promise<ChildProcess> => launch(program, ['--port', String(port), ...quiet, ...args]);
  let child = await start();
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  };
  return {
    port,
    url: (db = 0) => `redis://127.0.0.1:${port}/${db}`,
    stop,
    restart: async () => {
      await stop();
      child = await start();
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    [Symbol.asyncDispose]: stop,
  };
}

/** Ports from here on, and so many; those of a Redis Cluster's own bus (plus 10,000) stand behind them. */
const [firstPort, portCount] = [12_000, 10_000];

/**
 * A port that nobody listens on now. It is below those that Linux gives out by itself (32,768 and up): no other server or
 * client is given it before the program listens that it is for, nor while that is started again. Nor is anybody who asks
 * here, in whatever process, until this process ends: it keeps the UDP port of that number, which TCP knows nothing of.
 */
export async function freePort(): Promise<number> {
  const port = firstPort + randomInt(portCount);
  const [kept, server] = [createSocket('udp4').unref(), createServer()];
  try {
    await once(kept.bind(port, '127.0.0.1'), 'listening');
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return freePort(); // this one is taken
  }
  server.close();
  await once(server, 'close');
  return port;
}

const quiet = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no'];

/** Starts the program and waits for the line that says it is ready. */
export async function launch(
  program: string,
  args: string[],
  ready = /Ready to accept connections/,
): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (output === 'ready') return;
      output += chunk.toString();
      if (!ready.test(output)) return;
      output = 'ready';
      resolve();
    });
    child.once('exit', () => reject(new Error(`${program} ended: ${output}`)));
    child.once('error', reject);
  });
  return child;
}

/** `redis-server` or `valkey-server`, whichever is installed. */
export function findProgram(): string {
  for (const program of ['redis-server', 'valkey-server']) {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' });
      return program;
    } catch {
      // not this one
    }
  }
  throw new Error('These tests need a Redis: install it with `apt-get install redis-server` (or valkey-server).');
}
