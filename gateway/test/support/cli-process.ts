import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Ended, Env } from './gateway-process.ts';
import { Inbox } from './inbox.ts';

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** The command `signalbox` as it is shipped, in a process of its own. Nothing of the test's own environment gets in. */
export class CliProcess {
  /** Lines of its standard output, as they come. */
  readonly lines = new Inbox<string>();
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;

  constructor(args: readonly string[], env: Env = {}) {
    this.#child = spawn(process.execPath, [program, ...args], { env });
    let [stdout, stderr, whole] = ['', '', 0];
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      for (let end = stdout.indexOf('\n', whole); end >= 0; end = stdout.indexOf('\n', whole)) {
        this.lines.add(stdout.slice(whole, end));
        whole = end + 1;
      }
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    this.ended = once(this.#child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  }

  /** Runs one that ends by itself. */
  static run(args: readonly string[], env: Env = {}): Promise<Ended> {
    return new CliProcess(args, env).ended;
  }

  /** Ends it as Ctrl-C does. */
  interrupt(): Promise<Ended> {
    this.#child.kill('SIGINT');
    return this.ended;
  }
}
