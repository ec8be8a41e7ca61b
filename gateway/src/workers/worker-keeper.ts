import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../observe/log.ts';
import type { WorkerEnd, WorkerProcess } from './worker-process.ts';

/** What one worker is kept by. */
export interface WorkerKeeperOptions {
  /** Its number, from 1. */
  readonly number: number;
  readonly launch: () => WorkerProcess;
  /** How long a stop may take, in milliseconds, before the process is ended. */
  readonly stopMs: number;
  readonly log: Log;
}

const firstPauseMs = 100;
const longestPauseMs = 10_000;
/** A worker that ran for so long was sound: its next end is a first one again. */
const calmMs = 60_000;

/** The pause before a worker is started again: doubled at each end that comes soon after the one before. */
export function restartPauseMs(endsInARow: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(endsInARow - 1, 16));
}

/** Keeps one worker running: when its process ends, another one is started. */
export class WorkerKeeper {
  readonly number: number;
  readonly #options: WorkerKeeperOptions;
  readonly #stopping = new AbortController();
  #process: WorkerProcess;

  /** Starts the process. */
  constructor(options: WorkerKeeperOptions) {
    this.number = options.number;
    this.#options = options;
    this.#process = options.launch();
  }

  /**
   * Resolves when it listens; from then on it is kept running.
   * @returns how it ended when it did so before; nothing is started again then.
   */
  async started(): Promise<WorkerEnd | undefined> {
    await this.#process.settled;
    if (this.adminPort === undefined) return this.#process.ended;
    this.#tell();
    void this.#keep();
    return undefined;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Its admin port while it listens. */
  get adminPort(): number | undefined {
    return this.#process.adminPort;
  }

  #tell(): void {
    const { number, pid, adminPort } = this;
    this.#options.log.info('a worker listens', { worker: number, pid, adminPort });
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping;
    for (let endsInARow = 0; ; ) {
      const since = performance.now();
      const end = await this.#process.ended;
      if (signal.aborted) return;
      endsInARow = performance.now() - since > calmMs ? 1 : endsInARow + 1;
      const pauseMs = restartPauseMs(endsInARow);
      this.#options.log.error('a worker ended and is started again', { worker: this.number, ...end, pauseMs });
      await pause(pauseMs, undefined, { signal }).catch(() => undefined); // cut short by a stop
      if (signal.aborted) return;
      this.#process = this.#options.launch();
      await this.#process.settled;
      if (this.adminPort !== undefined) this.#tell();
    }
  }

  /** Stops it in order. False: it was cut short, or had to be ended. */
  async stop(): Promise<boolean> {
    const running = this.adminPort !== undefined;
    this.#stopping.abort();
    const process = this.#process;
    process.stop();
    const late = setTimeout(() => process.kill(), this.#options.stopMs);
    const { code } = await process.ended;
    clearTimeout(late);
    return code === 0 || !running;
  }

  /** Ends it at once. */
  kill(): void {
    this.#stopping.abort();
    this.#process.kill();
  }
}
