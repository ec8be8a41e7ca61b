import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A process that said it is ready. */
export interface RunningProcess {
  readonly pid: number;
  /** What `ready` found: the whole match, then its groups. */
  readonly said: readonly string[];
  /** Asks it to end, by SIGTERM or another signal. Resolves with the exit code; null when the signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts a program with these variables besides PATH, here or in another folder, and waits until `ready` is found in what it writes. Its warnings go
 * to standard error.
 */
export async function startProcess(
  command: string,
  args: readonly string[],
  { ready, env = {}, cwd = process.cwd() }: { ready: RegExp; env?: Record<string, string>; cwd?: string },
): Promise<RunningProcess> {
  // A process group of its own: Ctrl-C in the terminal reaches whoever started it, who then stops it in order.
  const child = spawn(command, args, {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], ...env },
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  const said = await found(child, ready, command);
  return { pid: child.pid ?? 0, said, stop: (signal = 'SIGTERM') => stop(child, signal) };
}

function found(child: ChildProcess, ready: RegExp, command: string): Promise<readonly string[]> {
  let output = '';
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const match = ready.exec(output);
      if (match === null) return;
      child.stdout?.off('data', read).resume();
      resolve(match);
    };
    child.stdout?.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`${command} ended with code ${code} before it was ready: ${output}`)),
    );
  });
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
  return child.exitCode;
}
