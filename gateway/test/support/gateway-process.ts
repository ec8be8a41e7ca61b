import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startMs, until } from './until.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const program = join(root, 'gateway/dist/main.js');

/** Settings of one process. Nothing of the test's own environment gets in. */
export type Env = Readonly<Record<string, string>>;

/** What an HTTP server answered. */
export interface Page {
  readonly status: number;
  readonly body: string;
}

/** A process that ended by itself. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The facts of the line that says it listens. */
interface Listening {
  readonly node: string;
  readonly port: number;
  readonly appPort: number;
  readonly adminPort: number;
}

/** A worker that listens, as its parent tells. */
export interface RunningWorker {
  readonly worker: number;
  readonly pid: number;
  readonly adminPort: number;
}

/** A gateway as it is shipped: the built program in a process of its own, on free ports; or several workers and their parent. */
export class GatewayProcess {
  readonly ended: Promise<Ended>;
  readonly #ready: string;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #listening: Listening | undefined;
  #signalled = false;
  #code: number | NodeJS.Signals | null = null;

  private constructor(env: Env, args: readonly string[], main = program) {
    checkBuild();
    this.#ready = Number(env['SIGNALBOX_WORKERS'] ?? 1) > 1 ? 'all workers listen' : 'listening';
    const ports = { PORT: '0', SIGNALBOX_ADMIN_PORT: '0' };
    this.#child = spawn(process.execPath, [main, ...args], { env: { ...ports, ...env } });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    const kill = (): void => void this.#child.kill('SIGKILL');
    process.once('exit', kill);
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        process.off('exit', kill);
        this.#code = code ?? signal;
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /**
   * Starts one and waits until it says that it listens.
   * @param main another program than the one that was built
   */
  static async start(env: Env = {}, main?: string): Promise<GatewayProcess> {
    const gateway = new GatewayProcess(env, [], main);
    let ended: Ended | undefined;
    void gateway.ended.then((end) => {
      ended = end;
    });
    await until('the gateway listens', () => ended !== undefined || gateway.#readListening(), startMs);
    if (ended === undefined) return gateway;
    throw new Error(`the gateway ended with ${ended.code}: ${ended.stderr}${ended.stdout}`);
  }

  /** Runs one that is expected to end by itself. */
  static run(env: Env = {}, args: readonly string[] = []): Promise<Ended> {
    return new GatewayProcess(env, args).ended;
  }

  #readListening(): boolean {
    const line = this.lines.find((one) => one['msg'] === this.#ready);
    this.#listening = line as Listening | undefined;
    return this.#listening !== undefined;
  }

  get #facts(): Listening {
    if (this.#listening === undefined) throw new Error('the gateway does not listen yet');
    return this.#listening;
  }

  /** Every worker that came to listen, in their order; one that was started again stands there again. */
  get workers(): readonly RunningWorker[] {
    return this.lines.filter((line) => line['msg'] === 'a worker listens') as unknown as RunningWorker[];
  }

  get node(): string {
    return this.#facts.node;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get port(): number {
    return this.#facts.port;
  }

  get appPort(): number {
    return this.#facts.appPort;
  }

  get adminPort(): number {
    return this.#facts.adminPort;
  }

  /** Where clients and apps reach it. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** All that it wrote. */
  get output(): string {
    return this.#stdout + this.#stderr;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The connection string that it prints when it made its access key itself. */
  async printed(): Promise<string> {
    const form = /Endpoint=\S+;AccessKey=\S+;Version=1\.0;/;
    await until('a connection string is printed', () => form.test(this.#stderr));
    return form.exec(this.#stderr)?.[0] ?? '';
  }

  /** Its log: one JSON object per whole line of standard output. */
  get lines(): Record<string, unknown>[] {
    const whole = this.#stdout.slice(0, this.#stdout.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** A page of the admin port, or of a worker's. */
  async admin(path: string, port = this.adminPort): Promise<Page> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, body: await response.text() };
  }

  /** The sum of a metric's children that carry these labels, here or at a worker; 0 when there is none. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}, port = this.adminPort): Promise<number> {
    const { body } = await this.admin('/metrics', port);
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const rows = body.split('\n').filter((row) => row.startsWith(`${name} `) || row.startsWith(`${name}{`));
    const matching = rows.filter((row) => wanted.every((label) => row.includes(label)));
    return matching.reduce((sum, row) => sum + Number(row.slice(row.lastIndexOf(' ') + 1)), 0);
  }

  /** Makes it hang: connections stay open, nothing is answered. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): void {
    this.#signalled = true;
    this.#child.kill(name);
  }

  /**
   * Ends it as a crash would.
   * @throws Error when it had ended by itself: nothing that a test does may end a node.
   */
  async kill(): Promise<void> {
    if (this.#code !== null && !this.#signalled) {
      throw new Error(`the gateway ended by itself with ${this.#code}: ${this.output.slice(-2000)}`);
    }
    this.signal('SIGKILL');
    await this.ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

/** The tests run what was built: it must be there, and be made of the sources as they are. */
function checkBuild(): void {
  if (!existsSync(program)) throw new Error('gateway/dist/main.js is missing: run `npm run build` first');
  for (const part of ['app-sdk', 'gateway']) {
    const built = statSync(join(root, part, 'tsconfig.tsbuildinfo')).mtimeMs;
    const newer = sources(join(root, part, 'src')).find((file) => statSync(file).mtimeMs > built);
    if (newer === undefined) continue;
    throw new Error(`${part}/dist is older than ${newer.slice(root.length)}: run \`npm run build\` first`);
  }
}

function sources(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((file) => join(file.parentPath, file.name));
}
