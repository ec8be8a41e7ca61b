import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startMs, until, within } from './until.ts';

/** What a proxy needs to know of a node. */
export interface ProxiedNode {
  readonly port: number;
  readonly adminPort: number;
}

/** Where one listens, and what is added to the files of `deploy/`. */
export interface ProxyOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** What it refuses, as some proxies do: WebSocket upgrades with 403, event streams with 502. */
  readonly refuses?: readonly ('upgrades' | 'events')[];
  /** A new TCP connection for each request of a client. Default: connections stay. */
  readonly closes?: boolean;
  /** How long nothing may be said, as in `2s`. Default: what the files say. */
  readonly silence?: string;
}

/** One request in the access log of a proxy. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** The node that answered, or several that were tried, by its own name for them. */
  readonly node: string;
}

/** How one kind of proxy is run. */
export interface ProxyProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly port: number;
  /** Its own directory; removed with it. */
  readonly directory: string;
  /** Makes it read its files again and go on with a new process. @param pid of the first one */
  reload(pid: number): void | Promise<void>;
  /** What it says, on standard error, each time it goes on with a new process; undefined: nothing. */
  readonly loaded?: RegExp;
  /** The access log so far; undefined: what it writes to standard output. */
  accessLog?(): string;
  /** Its other log so far; undefined: what it writes to standard error. */
  errorLog?(): string;
}

/** Where a file of `deploy/` is. */
export function deployedPath(path: string): string {
  return fileURLToPath(new URL(`../../../deploy/${path}`, import.meta.url));
}

/** The text of a file of `deploy/` in which each of these texts, which must stand in it, is another one. */
export function deployedWith(path: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`deploy/${path} must contain ${JSON.stringify(from)}`);
      return text.replaceAll(from, to);
    },
    readFileSync(deployedPath(path), 'utf8'),
  );
}

/** The silence that the files of `deploy/` bear. */
export const deployedSilence = '120s';

/** A directory for the files of one proxy. */
export function proxyDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'signalbox-proxy-'));
}

/** A real proxy in front of nodes, with the files of `deploy/`. */
export class ProxyProcess {
  readonly #how: ProxyProgram;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #kill = (): void => void this.#child.kill('SIGTERM'); // SIGKILL would leave the workers of nginx behind
  #stdout = '';
  #stderr = '';

  private constructor(how: ProxyProgram) {
    this.#how = how;
    const { program, args, env = {} } = how;
    this.#child = spawn(program, args, { env: { PATH: process.env['PATH'], ...env } });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    process.once('exit', this.#kill);
    this.#ended = once(this.#child, 'close');
  }

  /** Starts one; resolves when it takes connections. */
  static async start(how: ProxyProgram): Promise<ProxyProcess> {
    const proxy = new ProxyProcess(how);
    proxy.#ended.catch((error: unknown) => {
      proxy.#stderr += String(error);
    });
    const over = (): boolean => proxy.#child.exitCode !== null || proxy.#stderr.includes('ENOENT');
    const said = (): boolean => how.loaded?.test(proxy.#stderr) !== false;
    await until(`${how.program} listens`, async () => over() || (said() && (await accepts(how.port))), startMs);
    if (over()) throw new Error(`${how.program} ended: ${proxy.#stderr}`);
    return proxy;
  }

  get port(): number {
    return this.#how.port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** All that it wrote. */
  get output(): string {
    const { accessLog, errorLog } = this.#how;
    return [this.#stdout, this.#stderr, accessLog?.(), errorLog?.()].join('');
  }

  /** Its access log: requests that are over. */
  get requests(): readonly LoggedRequest[] {
    const text = this.#how.accessLog?.() ?? this.#stdout;
    const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    return whole.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LoggedRequest);
  }

  /** Reads its files again; resolves when only others take new connections. Those that are open stay with the old ones. */
  async reload(): Promise<void> {
    const before = this.#takers();
    await this.#how.reload(this.#child.pid ?? 0);
    const others = (now: readonly string[]): boolean => now.length > 0 && !now.some((one) => before.includes(one));
    await until(`${this.#how.program} goes on with other processes`, () => others(this.#takers()), startMs);
    await until(`${this.#how.program} listens`, () => accepts(this.port));
  }

  /** Names of the processes that take new connections: their ids, or where it tells of them the number of times that it did. */
  #takers(): readonly string[] {
    const { loaded } = this.#how;
    if (loaded !== undefined) return [String(this.#stderr.split(loaded).length)];
    return children(this.#child.pid ?? 0).filter((id) => !isLeaving(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#kill);
    this.#child.kill('SIGTERM');
    await within(`${this.#how.program} ends`, this.#ended);
    rmSync(this.#how.directory, { recursive: true });
  }
}

/** Ids of the processes that this one has started. */
function children(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
}

/** A worker of nginx that takes no new connections says so in the name of its process, or has gone. */
function isLeaving(id: string): boolean {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8').includes('is shutting down');
  } catch {
    return true;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
