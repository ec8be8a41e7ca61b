import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prometheusProgram } from './promtool.ts';
import { freePort } from './redis.ts';
import { startMs, until } from './until.ts';

/** Labels of a series or an alert. */
export type Labels = Readonly<Record<string, string>>;

/** One line of an answer. */
export interface Sample {
  readonly metric: Labels;
  /** The time that it was computed for, in seconds since 1970. */
  readonly at: number;
  /** `NaN` where nothing was observed. */
  readonly value: number;
}

/** A rule as Prometheus read it. */
export interface LoadedRule {
  readonly type: 'recording' | 'alerting';
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
}

/** The folder with the configurations that are shipped. */
export const shipped = new URL('../../../deploy/prometheus/', import.meta.url);

/** A shipped file of rules whose alerts do not wait before they fire; nothing else is changed. */
function impatient(name: string): string {
  return readFileSync(new URL(name, shipped), 'utf8').replace(/^ +for: .*\n/gm, '');
}

/** How often the Prometheus of a test scrapes, and computes its rules; also the time that a node has to answer a scrape. */
const interval = '500ms';

/** The shipped files for nodes with these admin ports, in a hurry. */
export function shippedFiles(ports: readonly number[]) {
  const targets = ports.map((port) => `"127.0.0.1:${port}"`);
  return {
    'prometheus.yml': readFileSync(new URL('prometheus.yml', shipped), 'utf8')
      .replace(/\w+_interval: .*/g, (line) => `${line.split(':')[0]}: ${interval}`)
      .replace(/targets: \[.*127.*9090.*\]/, `targets: [${targets.join(', ')}]`),
    'rules.yml': impatient('rules.yml'),
    'alerts.yml': impatient('alerts.yml'),
  };
}

/** A real Prometheus in a folder of its own. */
export class PrometheusProcess {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #origin: string;
  #said = '';

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#origin = `http://127.0.0.1:${port}`;
    const flags = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ];
    this.#child = spawn(prometheusProgram(), flags, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
    const kill = (): void => void this.#child.kill('SIGKILL');
    process.once('exit', kill);
    this.#child.once('exit', () => process.off('exit', kill));
  }

  /** Starts one with these files, of which `prometheus.yml` is its configuration; resolves when it answers. */
  static async start(files: Readonly<Record<string, string>>): Promise<PrometheusProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-prometheus-'));
    write(folder, files);
    const prometheus = new PrometheusProcess(folder, await freePort());
    await until('Prometheus is ready', () => prometheus.#ready(), startMs);
    return prometheus;
  }

  /** Has it read these files in place of those of the same names; what did not change in them goes on. */
  reload(files: Readonly<Record<string, string>>): void {
    write(this.#folder, files);
    this.#child.kill('SIGHUP');
  }

  async #ready(): Promise<boolean> {
    if (this.#child.exitCode !== null) throw new Error(`Prometheus ended: ${this.#said}`);
    try {
      return (await fetch(`${this.#origin}/-/ready`)).ok;
    } catch {
      return false; // it does not listen yet
    }
  }

  async #get<T>(path: string): Promise<T> {
    const answer = (await (await fetch(`${this.#origin}/api/v1/${path}`)).json()) as { data?: T; error?: string };
    if (answer.data === undefined) throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  }

  /** What an expression is now, or was at a {@link whole} moment. */
  async query(expr: string, at?: number): Promise<readonly Sample[]> {
    const path = `query?query=${encodeURIComponent(expr)}${at === undefined ? '' : `&time=${at}`}`;
    const { result } = await this.#get<{
      result: { metric: Sample['metric']; value: [at: number, value: string] }[];
    }>(path);
    return result.map(({ metric, value: [time, text] }) => ({ metric, at: time, value: Number(text) }));
  }

  /**
   * A moment at which the last scrape of every target had succeeded, in seconds since 1970: what a node tells is absent from
   * a scrape that it answers too late until the next one.
   */
  async whole(): Promise<number> {
    let moment = 0;
    const look = async (): Promise<boolean> => {
      const [up] = await this.query('min(up)');
      moment = up?.at ?? 0;
      return up?.value === 1;
    };
    await until('every target answers in time', look, 30_000);
    return moment;
  }

  /** All rules, in the order of their files. */
  async rules(): Promise<readonly LoadedRule[]> {
    const { groups } = await this.#get<{ groups: { rules: LoadedRule[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  /** Labels of all alerts that fire. */
  async firing(): Promise<readonly Labels[]> {
    const { alerts } = await this.#get<{ alerts: { labels: Labels; state: string }[] }>('alerts');
    return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels);
  }

  /** Resolves with the labels of an alert when it fires, with these labels among them. */
  async fires(name: string, wanted: Labels = {}, deadlineMs = 45_000): Promise<Labels> {
    let found: Labels | undefined;
    const fits = (labels: Labels): boolean =>
      Object.entries({ ...wanted, alertname: name }).every(([label, value]) => labels[label] === value);
    const look = async (): Promise<boolean> => {
      found = (await this.firing()).find(fits);
      return found !== undefined;
    };
    await until(`${name} fires ${JSON.stringify(wanted)}`, look, deadlineMs);
    return found ?? {};
  }

  /** Resolves when every node answered so many scrapes more, and the rules were computed behind each. */
  async scraped(times: number): Promise<void> {
    for (let n = 0; n < times; n++) await this.#once();
  }

  async #once(): Promise<void> {
    const at = Date.now() / 1000;
    const fresh = async (): Promise<boolean> => {
      const oldest = await this.query('min(timestamp(up))');
      const rule = await this.query('min(timestamp(instance:signalbox_event_loop_busy:ratio5m))');
      const up = await this.query('min(up)'); // of these scrapes, or of later ones
      return (oldest[0]?.value ?? 0) > at && (rule[0]?.value ?? 0) > at && up[0]?.value === 1;
    };
    await until('every target was scraped once more, and the rules after it', fresh, 30_000);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
    rmSync(this.#folder, { recursive: true });
  }
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}
