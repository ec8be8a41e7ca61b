import { Agent, get } from 'node:http';
import { GatewayError } from '../errors.ts';
import { SummedMetrics } from '../observe/summed-metrics.ts';

/** A worker as it is asked. */
export interface AskedWorker {
  /** From 1. */
  readonly number: number;
  readonly pid: number;
  /** Undefined while it does not listen. */
  readonly adminPort: number | undefined;
}

/** Health of all workers of a machine. */
export interface WholeReport {
  readonly ok: boolean;
  readonly draining: boolean;
  /** Under its number, what each worker answers. */
  readonly workers: Readonly<Record<string, unknown>>;
}

/** What a worker answered; undefined: nothing in time. */
type Page = { readonly status: number; readonly body: string } | undefined;

/** A worker that leaves its admin port unanswered for so long, in milliseconds, hangs. */
const answerMs = 3000;

/** Makes the answers of a parent's admin port from those of its workers. */
export class Whole {
  readonly #host: string;
  readonly #workers: () => readonly AskedWorker[];
  readonly #metrics: 'one' | 'each';
  readonly #summed = new SummedMetrics();
  readonly #agent = new Agent({ keepAlive: true });
  #draining = false;

  /**
   * @param host where the workers' admin ports are bound
   * @param metrics shown added up, or not at all because each worker is scraped by itself
   */
  constructor(host: string, metrics: 'one' | 'each', workers: () => readonly AskedWorker[]) {
    this.#host = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
    this.#metrics = metrics;
    this.#workers = workers;
  }

  /** From now on not ready. */
  drain(): void {
    this.#draining = true;
  }

  /** Does every worker that listens do its work? One that is being started again is no reason to restart the others. */
  async live(): Promise<WholeReport> {
    const { answers, workers } = await this.#askAll('/livez');
    return { ok: answers.every(isYes), draining: this.#draining, workers };
  }

  /** Should new clients come here? Any worker that listens may get them, so each of these must be ready. */
  async ready(): Promise<WholeReport> {
    const { answers, workers } = await this.#askAll('/readyz');
    const ok = !this.#draining && answers.length > 0 && answers.every(isYes);
    return { ok, draining: this.#draining, workers };
  }

  /**
   * The metrics of all workers, added up.
   * @throws {GatewayError} when they are scraped each by itself: both together would count everything twice.
   */
  async scrape(): Promise<string> {
    if (this.#metrics === 'each') {
      const text = 'SIGNALBOX_WORKER_METRICS is "each": scrape the admin port of each worker';
      throw new GatewayError('route_unknown', text);
    }
    const asked = this.#workers().map(async (worker) => [worker.pid, await this.#ask(worker, '/metrics')] as const);
    const answers = (await Promise.all(asked)).map(
      ([pid, page]) => [pid, isYes(page) ? page?.body : undefined] as const,
    );
    return this.#summed.sum(new Map(answers));
  }

  /** The answers of the workers that listen, and what is told of each worker. */
  async #askAll(path: string): Promise<{ answers: readonly Page[]; workers: WholeReport['workers'] }> {
    const asked = this.#workers().map(async (worker) => ({ worker, page: await this.#ask(worker, path) }));
    const pages = await Promise.all(asked);
    return {
      answers: pages.filter(({ worker }) => worker.adminPort !== undefined).map(({ page }) => page),
      workers: Object.fromEntries(pages.map(({ worker, page }) => [worker.number, wordsOf(worker, page)])),
    };
  }

  #ask({ adminPort }: AskedWorker, path: string): Promise<Page> {
    if (adminPort === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const signal = AbortSignal.timeout(answerMs);
      const asked = get({ host: this.#host, port: adminPort, path, agent: this.#agent, signal }, (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
        answer.on('error', () => resolve(undefined));
      });
      asked.on('error', () => resolve(undefined)); // it hangs or has just ended: the report says so
    });
  }
}

function isYes(page: Page): boolean {
  return page?.status === 200;
}

function wordsOf(worker: AskedWorker, page: Page): unknown {
  if (worker.adminPort === undefined) return { ok: false, why: 'it is being started' };
  return page === undefined ? { ok: false, why: `no answer within ${answerMs} ms` } : JSON.parse(page.body);
}
