import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A gateway node in a process of its own. */
export interface RunningGateway {
  /** Where clients and apps reach it. */
  readonly endpoint: string;
  /** What an app reads. */
  readonly connectionString: string;
  /** Where `/metrics`, `/livez` and `/readyz` are. */
  readonly adminEndpoint: string;
  readonly pid: number;
  /** Resolves when it has ended, whyever. */
  readonly ended: Promise<unknown>;
  /** Asks it to stop in order. Resolves with the exit code. */
  stop(): Promise<number | null>;
}

const program = fileURLToPath(new URL('../../gateway/dist/main.js', import.meta.url));

/**
 * Starts a built gateway on free ports of this machine and waits until it listens. `settings` are variables that it gets
 * besides, or in place of the free ports; no other setting of the caller's environment reaches it. Its warnings go to standard error.
 */
export async function startGateway(accessKey: string, settings: Record<string, string> = {}): Promise<RunningGateway> {
  if (!existsSync(program)) throw new Error('The gateway is not built: run `npm run build` first.');
  // A process group of its own: Ctrl-C in the terminal reaches whoever started it, who then stops it in order.
  const child = spawn(process.execPath, [program], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      SIGNALBOX_ADMIN_PORT: '0',
      SIGNALBOX_ACCESS_KEY: accessKey,
      ...settings,
    },
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').then(() => process.off('exit', kill));
  ended.catch(() => undefined); // it could not be started: `listening` rejects with that
  const { port, adminPort } = await listening(child);
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    connectionString: `Endpoint=${endpoint};AccessKey=${accessKey};Version=1.0;`,
    adminEndpoint: `http://127.0.0.1:${adminPort}`,
    pid: child.pid ?? 0,
    ended,
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  }
  return child.exitCode;
}

interface Line {
  readonly level?: string;
  readonly msg?: string;
  readonly port?: number;
  readonly adminPort?: number;
}

/** Reads the log: one JSON line per fact. The line "listening" tells the ports. */
function listening(child: ChildProcess): Promise<Line> {
  if (child.stdout === null) throw new TypeError('"stdout" of the gateway must be a pipe');
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    lines.on('line', (text) => {
      const line = JSON.parse(text) as Line;
      if (line.msg === 'listening') resolve(line);
      if (line.level !== 'info') process.stderr.write(`${text}\n`);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The gateway ended with code ${code} before it listened.`)));
  });
}
