import { checkAddress } from './address.ts';
import { ClientResultError, type Outcome, RestError, SignalboxError } from './errors.ts';
import type { BatchResult, CallOptions } from './hub-context.ts';
import { sendTogether } from './rest-batch.ts';
import type { RestCalls } from './rest-calls.ts';
import type { RestCall, RestDoor } from './rest-door.ts';
import type { RestAnswer } from './rest-exchange.ts';
import type { RestOffer } from './rest-offer.ts';
import { asSignalboxError, counted, encodeSend, GuardedSender, type Reports, readItem, type Send } from './sends.ts';
import { checkTarget, type Sender } from './targets.ts';

const batchWidth = 16;
const clientResultTimeoutMs = 30_000;

/** Runs the calls of one list. Rejects when one fails, but only after all have ended. */
export async function runAll(door: RestDoor, calls: readonly RestCall[], options: CallOptions = {}): Promise<void> {
  const bytes = calls.reduce((sum, { body }) => sum + (body === undefined ? 0 : Buffer.byteLength(body)), 0);
  door.checkRoom(calls.length, bytes);
  const results = await Promise.allSettled(calls.map((call) => door.call(call, options)));
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  const [first] = errors;
  if (first === undefined) return;
  if (calls.length === 1 || !(first instanceof SignalboxError)) throw first;
  throw partly(first, errors, calls.length);
}

/** Of a list nothing was sent only if no request was accepted, and none may have been. */
function partly(first: SignalboxError, errors: readonly unknown[], requests: number): SignalboxError {
  const refused = errors.every((error) => error instanceof SignalboxError && error.outcome === 'notSent');
  const outcome: Outcome = refused && errors.length === requests ? 'notSent' : 'unknown';
  const text = `${errors.length} of ${requests} requests failed; ${first.message}`;
  return new SignalboxError(first.code, text, { outcome, cause: first });
}

/** Why a client gave no result, where the service's answer tells. */
function resultError(error: unknown, connectionId: string): unknown {
  if (!(error instanceof RestError)) return error;
  const { status, serviceCode = '', message, outcome } = error;
  const facts = { connectionId, outcome, cause: error };
  if (status === 404 && /\.Connection\.NotExisted$/i.test(serviceCode)) {
    return new ClientResultError('ERR_CLIENT_GONE', `connection "${connectionId}" is gone`, facts);
  }
  if (status === 404) return new SignalboxError('ERR_NOT_SUPPORTED', `the service has no invoke (${message})`, facts);
  if (status === 408 || status === 504) return new ClientResultError('ERR_TIMEOUT', message, facts);
  if (status === 400 && !/\.Request\.Invalid$/i.test(serviceCode)) {
    return new ClientResultError('ERR_CLIENT_FAILED', message, { ...facts, outcome: 'unknown' });
  }
  return error;
}

function readResult(answer: RestAnswer): unknown {
  try {
    return (JSON.parse(answer.body) as { result?: unknown }).result;
  } catch (cause) {
    throw new SignalboxError('ERR_UNAVAILABLE', 'invoke: the answer must be JSON', { outcome: 'unknown', cause });
  }
}

/** Sends over REST: a list is one request for each of its members. */
export class RestSender extends GuardedSender implements Sender {
  readonly #door: RestDoor;
  readonly #calls: RestCalls;
  readonly #offer: RestOffer;

  constructor(door: RestDoor, calls: RestCalls, offer: RestOffer, reports: Reports) {
    super(reports);
    this.#door = door;
    this.#calls = calls;
    this.#offer = offer;
  }

  /**
   * One request for many where the service is a Signalbox; elsewhere, and where it cannot be asked, each item by itself.
   * Items for one address go out in their order.
   */
  async sendBatch(items: Iterable<{ to: unknown }>, options?: CallOptions): Promise<BatchResult> {
    const parts = { door: this.#door, calls: this.#calls, reports: this.reports };
    const together = this.#door.signalbox ?? (await this.#offer.known(options).catch(() => false));
    return together ? await sendTogether(parts, items, options) : await this.#sendEach(items, options);
  }

  /** 16 at a time. */
  async #sendEach(items: Iterable<{ to: unknown }>, options: CallOptions | undefined): Promise<BatchResult> {
    const failed: BatchResult['failed'] = [];
    const iterator = items[Symbol.iterator]();
    let count = 0;
    const worker = async (): Promise<void> => {
      for (let item = iterator.next(); !item.done; item = iterator.next()) {
        const index = count++;
        const { value } = item;
        const sending = counted(this.reports, () => readItem(value, options), this.run);
        await sending.catch((error: unknown) => failed.push({ index, error: asSignalboxError(error) }));
      }
    };
    await Promise.all(Array.from({ length: batchWidth }, worker));
    return { sent: count - failed.length, failed: failed.sort((a, b) => a.index - b.index) };
  }

  /** Asks one client; waits 30 s unless said. Rejects with `ClientResultError` where the client is the reason. */
  async invoke(connection: string, target: string, args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    const [spot] = checkAddress({ connection }).spots;
    if (spot === undefined) throw new TypeError('"connection" must name a connection');
    const call = this.#calls.invoke(spot, encodeSend(checkTarget(target), args));
    try {
      return readResult(await this.#door.call(call, { timeoutMs: clientResultTimeoutMs, ...options }));
    } catch (error) {
      throw resultError(error, connection);
    }
  }

  protected readonly run = async ({ to, target, args, options }: Send): Promise<number> => {
    const body = encodeSend(target, args);
    const calls = to.spots.map((spot) => this.#calls.send(spot, body));
    await runAll(this.#door, calls, options);
    return Buffer.byteLength(body);
  };
}
