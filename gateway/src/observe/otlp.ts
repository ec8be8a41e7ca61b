import { Agent, type Dispatcher } from 'undici';
import type { Events } from './events.ts';
import type { Log } from './log.ts';
import { type ResourceFacts, spansText } from './otlp-json.ts';
import type { SpanRecord } from './tracing.ts';

export interface OtlpOptions {
  /** Of the collector; the path `/v1/traces` is added. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: ResourceFacts;
  /** Spans that may wait; above, new ones are dropped. */
  readonly queue: number;
  /** Spans wait for so many ms for others to leave with. */
  readonly delayMs: number;
  readonly events: Pick<Events, 'spans'>;
  readonly log: Pick<Log, 'warn'>;
}

/** Spans of one request. */
const mostAtOnce = 512;
/** Time for one request in ms. */
const timeoutMs = 5000;

/**
 * Sends spans to a collector: OTLP over HTTP in JSON. Nothing runs while there are no spans, and nobody ever waits for it: what
 * cannot be sent is dropped and counted.
 */
export class OtlpExporter {
  readonly #options: OtlpOptions;
  readonly #url: URL;
  readonly #agent = new Agent({ connections: 1, connect: { timeout: timeoutMs } });
  #waiting: SpanRecord[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #failing = false;

  constructor(options: OtlpOptions) {
    this.#options = options;
    this.#url = new URL(`${options.endpoint.replace(/\/+$/, '')}/v1/traces`);
  }

  add(span: SpanRecord): void {
    const { queue, delayMs, events } = this.#options;
    if (this.#waiting.length >= queue) {
      events.spans('dropped', 1);
      return;
    }
    this.#waiting.push(span);
    this.#timer ??= setTimeout(() => this.#send(), delayMs).unref();
  }

  #send(): void {
    this.#timer = undefined;
    this.#sending ??= this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#sendSome(this.#waiting.splice(0, mostAtOnce));
    this.#sending = undefined;
  }

  async #sendSome(spans: readonly SpanRecord[]): Promise<void> {
    const { events, log, headers, resource } = this.#options;
    try {
      const status = await this.#post({ 'content-type': 'application/json', ...headers }, spansText(resource, spans));
      if (status < 200 || status > 299) throw new Error(`the collector answered ${status}`);
      events.spans('exported', spans.length);
      this.#failing = false;
    } catch (error) {
      events.spans('dropped', spans.length);
      if (!this.#failing) log.warn('traces could not be exported', { error: error as Error });
      this.#failing = true;
    }
  }

  async #post(headers: Record<string, string>, body: string): Promise<number> {
    const { origin, pathname: path, search } = this.#url;
    const signal = AbortSignal.timeout(timeoutMs);
    const request: Dispatcher.RequestOptions = { origin, path: path + search, method: 'POST', headers, body, signal };
    const { statusCode, body: answer } = await this.#agent.request(request);
    await answer.dump();
    return statusCode;
  }

  /** Sends what waits, for as long as one request may take, then lets go. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#send();
    await Promise.race([this.#sending, new Promise((resolve) => setTimeout(resolve, timeoutMs).unref())]);
    await this.#agent.destroy();
  }
}
