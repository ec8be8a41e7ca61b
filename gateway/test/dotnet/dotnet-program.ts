import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What is built lies outside the sources, one place for each project and set of properties. */
const builds = join(root, 'node_modules/.cache/dotnet');

const quiet = { DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1', DOTNET_SKIP_FIRST_TIME_EXPERIENCE: '1' };

/** A .NET project of this repository, and the MSBuild properties it is built with. */
export interface DotnetProject {
  /** From the root of the repository. */
  readonly folder: string;
  /** Of the project file and of its assembly. */
  readonly name: string;
  readonly properties?: Readonly<Record<string, string>>;
}

/** `dotnet` ended with an error; the message is what it wrote. */
export class DotnetError extends Error {
  override readonly name = 'DotnetError';

  /** Why packages could not be restored; undefined when something else went wrong. */
  get notRestored(): string | undefined {
    if (/\bNU1301\b/.test(this.message)) return 'the package feed cannot be reached';
    const found = this.message.matchAll(/NU110[12]: Unable to find package ([\w.]*\w)/g);
    const names = [...new Set([...found].map(([, name = '']) => name))].sort();
    return names.length === 0 ? undefined : `the package feed lacks ${names.join(', ')}`;
  }
}

/** Restores and builds a project. Rejects with a `DotnetError`. @returns the path of its assembly. */
export async function buildProject({ folder, name, properties = {} }: DotnetProject): Promise<string> {
  const key = [name, ...Object.values(properties)].join('-').replace(/[^\w.-]/g, '_');
  const artifacts = join(builds, key);
  const set = Object.entries(properties).map(([property, value]) => `-p:${property}=${value}`);
  const project = join(root, folder, `${name}.csproj`);
  await dotnet('build', project, '-c', 'Release', '--nologo', '-v', 'quiet', '--artifacts-path', artifacts, ...set);
  return join(artifacts, 'bin', name, 'release', `${name}.dll`);
}

async function dotnet(...args: string[]): Promise<void> {
  const env = { ...process.env, ...quiet };
  await new Promise<void>((resolve, reject) => {
    // No build server may stay behind: nobody would end it.
    const all = [...args, '--disable-build-servers', '-nodeReuse:false'];
    execFile('dotnet', all, { env, maxBuffer: 1 << 26 }, (error, stdout) => {
      if (error === null) resolve();
      else if ('code' in error && error.code === 'ENOENT') reject(error);
      else reject(new DotnetError(stdout));
    });
  });
}

/** How a program is started. */
export interface DotnetStart {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Found in what it writes once it is ready. */
  readonly ready: RegExp;
}

/** A built .NET program in a process of its own. */
export class DotnetProgram {
  /** What `ready` found: the whole match, then its groups. */
  readonly said: readonly string[];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #output: () => string;

  private constructor(child: ChildProcessWithoutNullStreams, said: readonly string[], output: () => string) {
    this.#child = child;
    this.said = said;
    this.#output = output;
  }

  /** Starts it, and resolves when it is ready. Web programs listen on a free port of this machine. */
  static async start(assembly: string, { args = [], env = {}, ready }: DotnetStart): Promise<DotnetProgram> {
    const child = spawn('dotnet', [assembly, ...args], {
      env: { PATH: process.env['PATH'], ASPNETCORE_URLS: 'http://127.0.0.1:0', ...quiet, ...env },
    });
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    let output = '';
    const said = new Promise<readonly string[]>((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        const match = ready.exec(output);
        if (match !== null) resolve(match);
      };
      for (const stream of [child.stdout, child.stderr]) stream.on('data', read);
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`${assembly} ended with ${code} before it was ready: ${output}`)));
    });
    return new DotnetProgram(child, await said, () => output);
  }

  /** All that it wrote. */
  get output(): string {
    return this.#output();
  }

  /** Standard output from here on. */
  get stdout(): Readable {
    return this.#child.stdout;
  }

  /** Writes a line to its standard input. */
  say(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when it ended by itself or was stopped. @returns the exit code. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  /** Asks it to end, by SIGTERM or another signal. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return await this.ended();
  }
}
