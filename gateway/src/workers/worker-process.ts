import { type ChildProcess, fork } from 'node:child_process';

/** What a worker tells its parent. */
export type WorkerNews =
  | { readonly kind: 'listening'; readonly adminPort: number }
  /** It cannot start, and why: one line for people. It ends next. */
  | { readonly kind: 'refused'; readonly line: string };

/** What a parent asks of its worker; the end of the channel asks the same. */
export const stopOrder = 'stop';

/** How a worker ended. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not start, when it said so. */
  readonly refusal: string | undefined;
}

/** One process of a worker, from its start to its end. */
export class WorkerProcess {
  readonly ended: Promise<WorkerEnd>;
  /** Resolves when it takes clients, or has ended. */
  readonly settled: Promise<void>;
  readonly #child: ChildProcess;
  #adminPort: number | undefined;
  #refusal: string | undefined;

  /** @param env all of its environment; it writes to the parent's own standard output and error. */
  constructor(env: NodeJS.ProcessEnv) {
    this.#child = fork(new URL('./worker.js', import.meta.url), { env });
    this.ended = this.#end();
    this.settled = Promise.race([this.#listens(), this.ended.then(() => undefined)]);
  }

  #listens(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.on('message', (news: WorkerNews) => {
        if (news.kind === 'refused') this.#refusal = news.line;
        else this.#adminPort = news.adminPort;
        if (news.kind === 'listening') resolve();
      });
    });
  }

  #end(): Promise<WorkerEnd> {
    return new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#adminPort = undefined;
        resolve({ code, signal, refusal: this.#refusal });
      };
      this.#child.once('close', end);
      this.#child.on('error', () => {
        if (this.#child.pid === undefined) end(null, null); // it could not be started: no end will be told
      });
    });
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Its admin port while it listens. */
  get adminPort(): number | undefined {
    return this.#adminPort;
  }

  /** Asks it to stop in order. */
  stop(): void {
    if (this.#child.connected) this.#child.send(stopOrder, () => undefined); // one that is ending needs no order
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
