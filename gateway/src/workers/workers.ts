import { hostname } from 'node:os';
import { type Admin, createAdmin } from '../admin/admin.ts';
import { accessKeyTexts } from '../auth/keys.ts';
import { type Config, ConfigError } from '../config.ts';
import { connectionStringOf, endpointOf, type Gateway } from '../gateway.ts';
import { portToShare } from '../http-ports.ts';
import { createLog, type Log } from '../observe/log.ts';
import { metricsContentType } from '../observe/prometheus.ts';
import { version } from '../version.ts';
import { Whole } from './whole.ts';
import { WorkerKeeper } from './worker-keeper.ts';
import { type WorkerEnd, WorkerProcess } from './worker-process.ts';

/** Several nodes on one machine, each a process of its own, that share their ports. */
export interface Workers extends Pick<Gateway, 'endpoint' | 'connectionString' | 'stop'> {
  /** Ends all of them at once. */
  kill(): void;
}

/** What is the same for all workers. */
interface Shared {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly keys: readonly string[];
  readonly port: number;
  readonly appPort: number | undefined;
}

/** Beyond a worker's own deadline for its stop, in milliseconds: then it hangs and is ended. */
const stopSlackMs = 5000;

/**
 * Starts `SIGNALBOX_WORKERS` nodes, keeps that many running, and answers for all of them on the admin port.
 * @param env of this process: the workers get the same, but for what differs between them
 * @throws {ConfigError} when they cannot start: nothing is left running.
 */
export async function startWorkers(config: Config, env: NodeJS.ProcessEnv): Promise<Workers> {
  checkWorkers(config);
  const keys = accessKeyTexts(config, 'workers');
  const port = await portToShare(config.host, config.port);
  const appPort = config.appPort === undefined ? undefined : await portToShare(config.appHost, config.appPort);
  const group = new WorkerGroup({ config, env, keys, port, appPort });
  await group.start();
  const endpoint = endpointOf(config, port);
  return {
    endpoint,
    connectionString: config.accessKeys.length === 0 ? connectionStringOf(endpoint, keys[0]) : undefined,
    stop: () => group.stop(),
    kill: () => group.kill(),
  };
}

/** Can there be so many workers with these settings? @throws {ConfigError} */
export function checkWorkers({ workers, redisUrl, adminPort }: Config): void {
  if (redisUrl === undefined) {
    throw new ConfigError(`REDIS_URL must be set when SIGNALBOX_WORKERS is ${workers}: workers meet in Redis`);
  }
  if (adminPort + workers > 65_535) {
    const rule = `SIGNALBOX_ADMIN_PORT must be at most ${65_535 - workers} with ${workers} workers`;
    throw new ConfigError(`${rule}, each of which takes one of the ports behind it, got ${adminPort}`);
  }
}

class WorkerGroup {
  readonly #shared: Shared;
  readonly #log: Log;
  readonly #whole: Whole;
  readonly #admin: Admin;
  readonly #keepers: WorkerKeeper[] = [];

  constructor(shared: Shared) {
    const { config } = shared;
    this.#shared = shared;
    const label = config.label ?? `${hostname()}-${process.pid}`;
    this.#log = createLog({ level: config.logLevel, node: '', label }).child('workers');
    this.#whole = new Whole(config.adminHost, config.workerMetrics, () => this.#keepers);
    const prometheus = { scrape: () => this.#whole.scrape(), contentType: metricsContentType };
    this.#admin = createAdmin({ health: this.#whole, prometheus, log: this.#log, hosts: config.adminHosts });
  }

  /** The first worker starts alone, so that what is wrong for all of them is told once. */
  async start(): Promise<void> {
    const { config, port, appPort } = this.#shared;
    const adminPort = await this.#admin.listen(config.adminHost, config.adminPort);
    try {
      await this.#launch(1);
      await Promise.all(Array.from({ length: config.workers - 1 }, (_, at) => this.#launch(at + 2)));
    } catch (error) {
      this.kill();
      await this.#admin.close();
      throw error;
    }
    this.#log.info('all workers listen', { workers: config.workers, port, appPort, adminPort, version });
  }

  async #launch(number: number): Promise<void> {
    const env = envOf(number, this.#shared);
    const stopMs = this.#shared.config.drainMs + stopSlackMs;
    const keeper = new WorkerKeeper({ number, stopMs, log: this.#log, launch: () => new WorkerProcess(env) });
    this.#keepers.push(keeper);
    const end = await keeper.started();
    if (end !== undefined) throw new ConfigError(end.refusal ?? whyEnded(number, end));
  }

  /** All at once: none of them takes clients of another one then. */
  async stop(): Promise<boolean> {
    this.#whole.drain();
    this.#log.info('stopping all workers', { workers: this.#keepers.length });
    const inTime = await Promise.all(this.#keepers.map((keeper) => keeper.stop()));
    await this.#admin.close();
    return inTime.every((one) => one);
  }

  kill(): void {
    for (const keeper of this.#keepers) keeper.kill();
  }
}

function envOf(number: number, { config, env, keys, port, appPort }: Shared): NodeJS.ProcessEnv {
  return {
    ...env,
    PORT: String(port),
    ...(appPort !== undefined && { SIGNALBOX_APP_PORT: String(appPort) }),
    SIGNALBOX_ADMIN_PORT: String(config.adminPort === 0 ? 0 : config.adminPort + number),
    SIGNALBOX_ACCESS_KEY: keys.join(','),
    ...(config.label !== undefined && { SIGNALBOX_LABEL: `${config.label}-${number}` }),
    SIGNALBOX_WORKERS: '1',
  };
}

function whyEnded(number: number, { code, signal }: WorkerEnd): string {
  return `worker ${number} ended with ${signal ?? `code ${code}`} before it listened`;
}
