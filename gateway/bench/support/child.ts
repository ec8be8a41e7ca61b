import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Usage } from './usage.ts';

/** What one process of a bench can be asked for, by name. Questions and answers travel as JSON. */
export type Calls = Readonly<Record<string, (given: never) => unknown>>;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

process.setMaxListeners(0); // one for each process that is to end with this one

/** A process of a bench, as its parent sees it. */
export class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #asked = 0;

  /**
   * @param file in `support/`
   * @param env settings; nothing of the parent's environment named `SIGNALBOX_` gets in
   */
  constructor(file: string, env: Readonly<Record<string, string>> = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(SIGNALBOX_|REDIS_URL|PORT$)/.test(name));
    const profile = process.env['BENCH_PROFILE'];
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), [], {
      env: { ...Object.fromEntries(inherited), ...env },
      execArgv: [
        '--import',
        'tsx',
        '--expose-gc',
        ...(profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', `${profile}/${file}`]),
      ],
    });
    const kill = (): void => void this.#process.kill('SIGKILL');
    process.once('exit', kill);
    this.#process.once('exit', (code, signal) => {
      process.off('exit', kill);
      this.#failAll(new Error(`${file} ended with ${code ?? signal}`));
    });
    this.#process.on('message', ({ id, value, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
  }

  /** Asks, and resolves with the answer. */
  call<T = void>(name: string, given: unknown = {}): Promise<T> {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: (value) => resolve(value as T), reject });
      this.#process.send({ id, name, given });
    });
  }

  /** What it has used until now. */
  usage(): Promise<Usage> {
    return this.call<Usage>('usage');
  }

  /** Ends it, and waits for that. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.disconnect();
    await ended;
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Inside such a process: answers the calls until the parent lets go. */
export function serve(calls: Calls): void {
  process.on('message', ({ id, name, given }: { id: number; name: string; given: unknown }) => {
    void answer(calls[name], given).then((result) => process.send?.({ id, ...result }));
  });
  process.on('disconnect', () => process.exit(0));
}

async function answer(call: Calls[string] | undefined, given: unknown): Promise<Omit<Answer, 'id'>> {
  if (call === undefined) return { error: 'no such call' };
  try {
    return { value: await call(given as never) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
