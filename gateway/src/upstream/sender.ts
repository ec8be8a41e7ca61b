import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import { afterAwake } from '../observe/awake.ts';

/** One webhook, ready to be posted. */
export interface WebhookRequest {
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

/** Why there is no whole answer: no connection, no time, an answer that broke off, or one above the limit. */
export type WebhookFailure = 'unreachable' | 'timeout' | 'cut' | 'too_large';

/** What came of a webhook. The body of an answer is empty unless it was asked for and the status is 200. */
export type WebhookOutcome =
  | { readonly kind: 'answer'; readonly status: number; readonly body: Uint8Array }
  | { readonly kind: 'failed'; readonly why: WebhookFailure };

export interface SenderOptions {
  /** For one webhook in all, repeats included, in ms. */
  readonly deadlineMs: number;
  /** Largest body of an answer. */
  readonly bodyBytes: number;
}

export interface PostOptions {
  /** Is the body of the answer wanted? */
  readonly answered: boolean;
  /** May it be posted again when it was surely not taken? Never for invocations (reference, trap 10). */
  readonly repeat: boolean;
}

/** Pauses before the second and third try, in ms. */
const pausesMs = [200, 1000] as const;
const connectMs = 10_000;
/** Of an answer nobody wants, so much is read to keep its socket. */
const dumpedBytes = 64 * 1024;
const nothing = new Uint8Array(0);

/** Failures before anything was sent. */
const neverConnected = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** Answers of somebody who has not taken it. */
const notTaken = new Set([429, 503]);

type Attempt = WebhookOutcome & { readonly again: boolean };

/** Posts webhooks over kept connections. How many are under way at a time is the caller's affair. */
export class WebhookSender {
  readonly #options: SenderOptions;
  readonly #pools = new Map<string, Pool>();

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Posts one webhook. Redirects are not followed. Never rejects. */
  async post(request: WebhookRequest, options: PostOptions): Promise<WebhookOutcome> {
    const overtime = new AbortController();
    const callOff = afterAwake(this.#options.deadlineMs, () => overtime.abort());
    const outcome = await this.#try(request, options, overtime.signal);
    callOff();
    return outcome;
  }

  async #try(request: WebhookRequest, { answered, repeat }: PostOptions, signal: AbortSignal): Promise<WebhookOutcome> {
    for (const pauseMs of repeat ? pausesMs : []) {
      const attempt = await this.#attempt(request, answered, signal);
      if (!attempt.again) return attempt;
      // Not all of them at the same moment, when many clients met the same refusal.
      await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
    return await this.#attempt(request, answered, signal);
  }

  /** Cuts off what is under way. */
  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  async #attempt(request: WebhookRequest, answered: boolean, signal: AbortSignal): Promise<Attempt> {
    const { origin, path, headers, body } = request;
    try {
      const pool = this.#pool(origin);
      const response = await pool.request({ method: 'POST', path, headers: [...headers], body, signal });
      return await this.#read(response, answered, signal);
    } catch (error) {
      if (signal.aborted) return { kind: 'failed', why: 'timeout', again: false };
      const code = String((error as NodeJS.ErrnoException).code);
      return { kind: 'failed', why: 'unreachable', again: neverConnected.has(code) };
    }
  }

  async #read(response: Dispatcher.ResponseData, answered: boolean, signal: AbortSignal): Promise<Attempt> {
    const { statusCode: status } = response;
    if (!answered || status !== 200) {
      await response.body.dump({ limit: dumpedBytes, signal }).catch(() => undefined);
      return { kind: 'answer', status, body: nothing, again: notTaken.has(status) };
    }
    try {
      const body = await readUpTo(response.body, this.#options.bodyBytes);
      if (body === undefined) return { kind: 'failed', why: 'too_large', again: false };
      return { kind: 'answer', status, body, again: false };
    } catch {
      return { kind: 'failed', why: signal.aborted ? 'timeout' : 'cut', again: false };
    }
  }

  /** Our own deadline is the only one; a hub has as many sockets as it may have webhooks under way. */
  #pool(origin: string): Pool {
    const known = this.#pools.get(origin);
    if (known !== undefined) return known;
    const timeout = Math.min(connectMs, this.#options.deadlineMs);
    const pool = new Pool(origin, { connections: null, headersTimeout: 0, bodyTimeout: 0, connect: { timeout } });
    this.#pools.set(origin, pool);
    return pool;
  }
}

/** The whole body; `undefined` when it is larger. Leaving the loop destroys the stream. */
async function readUpTo(body: AsyncIterable<Buffer>, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
