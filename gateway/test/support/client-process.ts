import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { HttpTransportType } from '@microsoft/signalr';
import { Inbox } from './inbox.ts';
import { startMs } from './until.ts';

/** Where an official client connects, and how. */
export interface ClientPlan {
  readonly url: string;
  readonly accessToken: string;
  readonly transport: HttpTransportType;
}

/** What it told: `connected` (its id), `failed` (why), `news` (the first argument), `closed` (its error). */
export interface ClientNotice {
  readonly kind: 'connected' | 'failed' | 'news' | 'closed';
  readonly value?: unknown;
}

const program = fileURLToPath(new URL('client-program.ts', import.meta.url));

/** The official client in a process of its own, for what is the same for a whole process: whom it trusts. */
export class ClientProcess {
  readonly notices = new Inbox<ClientNotice>();
  readonly #child: ChildProcess;
  readonly #exit: Promise<void>;

  /** @param caFile an authority that it trusts beside the usual ones; undefined: none */
  constructor(plan: ClientPlan, caFile: string | undefined) {
    const env = { ...process.env, ...(caFile !== undefined && { NODE_EXTRA_CA_CERTS: caFile }) };
    this.#child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(plan)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env,
    });
    this.#child.on('message', (notice: ClientNotice) => this.notices.add(notice));
    this.#exit = new Promise((resolve) => this.#child.once('exit', () => resolve()));
  }

  /** Resolves when it told this. */
  told(kind: ClientNotice['kind'], value?: unknown): Promise<void> {
    const fits = (one: ClientNotice): boolean => one.kind === kind && (value === undefined || one.value === value);
    return this.notices.one(`${kind} ${String(value ?? '')}`, fits, startMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }
}
