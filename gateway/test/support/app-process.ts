import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { NegotiateOptions, NegotiateResponse, StopOptions } from '@signalbox/app-sdk';
import type { AppAnswers } from './app-program.ts';
import { Inbox } from './inbox.ts';
import { startMs, until } from './until.ts';

/** How an app server is started. */
export interface AppSettings {
  readonly connectionString: string;
  readonly hub: string;
  /** Its name, for `where`. */
  readonly app: string;
  readonly links: number;
  /** How often its hub pings clients, in ms; it gives up none for its silence then. As the SDK has both unless said. */
  readonly keepAliveMs?: number | undefined;
}

/** What is asked of the process. */
export interface AppQuestion {
  readonly id: number;
  readonly ask: keyof AppAnswers;
  readonly args: readonly unknown[];
}

/** What the process tells unasked: `connected`, `disconnected`, `cancelled`, `linkUp`, `linkDown`, `log`. */
export type AppNotice = Readonly<Record<string, unknown>>;

const program = fileURLToPath(new URL('app-program.ts', import.meta.url));

/** An app server in a process of its own: the built SDK, and the hub of `stage-hub.ts`. */
export class AppProcess {
  readonly name: string;
  readonly notices = new Inbox<AppNotice>();
  readonly #child: ChildProcess;
  readonly #exit: Promise<void>;
  readonly #open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #lastId = 0;

  private constructor(settings: AppSettings) {
    this.name = settings.app;
    this.#child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(settings)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message: AppNotice) => this.#heard(message));
    const kill = (): void => void this.#child.kill('SIGKILL');
    process.once('exit', kill);
    this.#exit = new Promise((resolve) => {
      this.#child.once('exit', () => {
        process.off('exit', kill);
        for (const { reject } of this.#open.values()) reject(new Error(`app server ${this.name} has ended`));
        resolve();
      });
    });
  }

  /** Starts one; resolves when all of its links are up. */
  static async start(settings: AppSettings): Promise<AppProcess> {
    const app = new AppProcess(settings);
    await app.#ask('start');
    await until(`app server ${app.name} has its links`, async () => (await app.links()) === settings.links, startMs);
    return app;
  }

  #heard(message: AppNotice): void {
    if (message['kind'] !== 'answer') {
      this.notices.add(message);
      return;
    }
    const asked = this.#open.get(Number(message['id']));
    this.#open.delete(Number(message['id']));
    if (message['error'] === undefined) asked?.resolve(message['value']);
    else asked?.reject(new Error(String(message['error'])));
  }

  #ask(ask: keyof AppAnswers, ...args: unknown[]): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#child.send({ id, ask, args } satisfies AppQuestion);
    });
  }

  /** How many of its links are up. */
  async links(): Promise<number> {
    return Number(await this.#ask('links'));
  }

  /** As the hub of an app server does: the token names it. */
  async negotiate(options: NegotiateOptions): Promise<NegotiateResponse> {
    return (await this.#ask('negotiate', options)) as NegotiateResponse;
  }

  /** A broadcast from outside of calls. */
  async tellAll(value: unknown): Promise<void> {
    await this.#ask('tellAll', value);
  }

  /** Adds a client to a group from outside of calls. Rejects when that is not acknowledged. */
  async join(connection: string, group: string): Promise<void> {
    await this.#ask('join', connection, group);
  }

  /** Asks a client for its name from outside of calls. */
  ask(connection: string): Promise<unknown> {
    return this.#ask('ask', connection);
  }

  /** From now on a broadcast of the numbers from 0, one every so many ms. */
  async broadcast(everyMs: number): Promise<void> {
    await this.#ask('broadcast', everyMs);
  }

  /** No more broadcasts. @returns how many there were. */
  async quiet(): Promise<number> {
    return Number(await this.#ask('quiet'));
  }

  /** Notices of a kind, of one client where it is named. */
  of(kind: string, connection?: string): AppNotice[] {
    const fits = (notice: AppNotice): boolean => connection === undefined || notice['connection'] === connection;
    return this.notices.items.filter((notice) => notice['kind'] === kind && fits(notice));
  }

  /** Resolves when it told of the end of this client. @returns why it ended, once for each time that was told. */
  async goodbyes(connection: string, deadlineMs?: number): Promise<unknown[]> {
    const told = (): AppNotice[] => this.of('disconnected', connection);
    await this.notices.until(`the end of ${connection}`, () => told().length > 0, deadlineMs);
    return told().map((notice) => notice['reason']);
  }

  /** Stops in order. The process lives on, to be asked what it told. */
  async stop(options: StopOptions): Promise<void> {
    await this.#ask('stop', options);
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }
}
