import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';

/** A process that said it is ready. */
export interface RunningProcess {
  readonly pid: number;
  /** What `ready` found: the whole match, then its groups. */
  readonly said: readonly string[];
  /** Resolves when it has ended, whyever. */
  readonly ended: Promise<unknown>;
  /** Asks it to end, by SIGTERM or another signal. Resolves with the exit code; null when the signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a process that has a folder of its own, which is removed with it. */
export async function inFolder(folder: string, start: () => Promise<RunningProcess>): Promise<RunningProcess> {
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const running = await start();
    void running.ended.then(remove);
    return running;
  } catch (error) {
    remove();
    throw error;
  }
}

/** How a program is started. */
export interface ProcessOptions {
  /** It is ready when this is found in what it writes. */
  readonly ready: RegExp;
  /** Where it writes that. Default `stdout`; its warnings go to our standard error then. */
  readonly says?: 'stdout' | 'stderr';
  /** All of its variables besides PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its folder; by default ours. */
  readonly cwd?: string;
}

/** Starts a program and waits until it is ready. Rejects with what it wrote when it ends before. */
export async function startProcess(
  command: string,
  args: readonly string[],
  { ready, says = 'stdout', env = {}, cwd = process.cwd() }: ProcessOptions,
): Promise<RunningProcess> {
  // A process group of its own: Ctrl-C in the terminal reaches whoever started it, who then stops it in order.
  const child = spawn(command, args, {
    cwd,
    detached: true,
    stdio: ['ignore', says === 'stdout' ? 'pipe' : 'ignore', says === 'stderr' ? 'pipe' : 'inherit'],
    env: { PATH: process.env['PATH'], ...env },
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').then(() => process.off('exit', kill));
  ended.catch(() => undefined); // it could not be started: `found` rejects with that
  const said = await found(child, says, ready, command);
  return { pid: child.pid ?? 0, said, ended, stop: (signal = 'SIGTERM') => stop(child, signal) };
}

function found(
  child: ChildProcess,
  says: 'stdout' | 'stderr',
  ready: RegExp,
  command: string,
): Promise<readonly string[]> {
  let output = '';
  const stream = child[says];
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const match = ready.exec(output);
      if (match === null) return;
      stream?.off('data', read).resume();
      resolve(match);
    };
    stream?.on('data', read);
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
