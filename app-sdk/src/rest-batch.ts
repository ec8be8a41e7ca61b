import { SignalboxError } from './errors.ts';
import type { BatchResult, CallOptions } from './hub-context.ts';
import type { RestCalls } from './rest-calls.ts';
import type { RestDoor } from './rest-door.ts';
import { answerError } from './rest-errors.ts';
import type { RestAnswer } from './rest-exchange.ts';
import { asSignalboxError, counted, encodeSend, type Reports, readItem, type Send } from './sends.ts';

/** What one request carries at most: below what gateways take, and few enough answers for one page of memory. */
const mostItems = 10_000;
const mostBytes = 4 * 1024 * 1024;

interface Waiting {
  readonly send: Send;
  readonly line: string;
  settle(outcome: SignalboxError | undefined): void;
}

/** Items that leave in one request. */
class Batch {
  readonly items: Waiting[] = [];
  #bytes = 0;

  get full(): boolean {
    return this.items.length >= mostItems || this.#bytes >= mostBytes;
  }

  /** Resolves with the bytes that were accepted. */
  readonly add = (send: Send): Promise<number> => {
    const message = encodeSend(send.target, send.args);
    const line = `{"to":${JSON.stringify(send.to.address)},${message.slice(1)}`;
    const bytes = Buffer.byteLength(message);
    this.#bytes += bytes;
    return new Promise((resolve, reject) => {
      const settle = (error: SignalboxError | undefined): void =>
        error === undefined ? resolve(bytes) : reject(error);
      this.items.push({ send, line, settle });
    });
  };
}

/** What a batch needs. */
export interface BatchParts {
  readonly door: RestDoor;
  readonly calls: RestCalls;
  readonly reports: Reports;
}

/**
 * Sends all items in one request [Signalbox]; one request after the other when there are more than 10,000, or 4 MiB. Does
 * not reject for single items. `options` are for each request.
 */
export async function sendTogether(
  parts: BatchParts,
  items: Iterable<{ to: unknown }>,
  options?: CallOptions,
): Promise<BatchResult> {
  const failed: BatchResult['failed'] = [];
  const sendings: Promise<unknown>[] = [];
  let batch = new Batch();
  for (const item of items) {
    const index = sendings.length;
    const { add } = batch;
    const sending = counted(parts.reports, () => readItem(item, options), add);
    sendings.push(sending.catch((error: unknown) => failed.push({ index, error: asSignalboxError(error) })));
    if (!batch.full) continue;
    await flush(parts, batch, options);
    batch = new Batch();
  }
  await flush(parts, batch, options);
  await Promise.all(sendings);
  return { sent: sendings.length - failed.length, failed: failed.sort((a, b) => a.index - b.index) };
}

async function flush({ door, calls }: BatchParts, { items }: Batch, options: CallOptions | undefined): Promise<void> {
  if (items.length === 0) return;
  const spots = items.flatMap(({ send }) => send.to.spots);
  const body = items.map(({ line }) => `${line}\n`).join('');
  let outcomes: readonly (SignalboxError | undefined)[];
  try {
    outcomes = readOutcomes(await door.call(calls.sendMany(spots, body), options), items.length);
  } catch (error) {
    const failure = asSignalboxError(error);
    outcomes = items.map(() => failure);
  }
  for (const [at, item] of items.entries()) item.settle(outcomes[at]);
}

/** One line for each item: taken, or the status, code and text of its refusal. */
function readOutcomes({ body }: RestAnswer, count: number): readonly (SignalboxError | undefined)[] {
  const lines = body.split('\n').filter((line) => line !== '');
  if (lines.length !== count) throw malformed();
  return lines.map(readOutcome);
}

function readOutcome(line: string): SignalboxError | undefined {
  const status = statusOf(line);
  if (status >= 200 && status < 300) return undefined;
  const headers = new Map([['content-type', 'application/json']]);
  return answerError('sendMany', { status, headers, body: line });
}

function statusOf(line: string): number {
  try {
    const { status } = JSON.parse(line) as { status?: unknown };
    if (typeof status === 'number') return status;
  } catch (cause) {
    throw malformed(cause);
  }
  throw malformed();
}

function malformed(cause?: unknown): SignalboxError {
  const text = 'sendMany: the answer must be one line with a status for each item';
  return new SignalboxError('ERR_UNAVAILABLE', text, { outcome: 'unknown', cause });
}
