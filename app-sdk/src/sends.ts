import { type CheckedAddress, checkAddress, describe, type Places } from './address.ts';
import { SignalboxError } from './errors.ts';
import type { CallOptions } from './hub-context.ts';
import type { ReportFailure, Tell } from './observe.ts';
import { checkTarget } from './targets.ts';

/** A call of a client method, checked. */
export interface Send {
  readonly to: CheckedAddress;
  readonly target: string;
  readonly args: readonly unknown[];
  readonly options?: CallOptions;
}

function checkArguments(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new TypeError(`"arguments" must be an array, got ${describe(value)}`);
  return value;
}

/** Reads both forms of `send`: (to, target, ...arguments) and (to, message, options). Throws `TypeError`. */
export function readSend(to: unknown, message: unknown, rest: readonly unknown[]): Send {
  const address = checkAddress(to);
  if (typeof message === 'string') return { to: address, target: checkTarget(message), args: rest };
  if (typeof message !== 'object' || message === null) {
    throw new TypeError(`a message must be a target or { target, arguments }, got ${describe(message)}`);
  }
  const { target, arguments: args } = message as { target?: unknown; arguments?: unknown };
  const send = { to: address, target: checkTarget(target), args: checkArguments(args) };
  return rest[0] === undefined ? send : { ...send, options: rest[0] as CallOptions };
}

/** Reads one item of a batch. Throws `TypeError`. */
export function readItem(item: { to: unknown }, options: CallOptions | undefined): Send {
  return readSend(item?.to, item, options === undefined ? [] : [options]);
}

/** A batch does not throw for one item, not even for a mistake of the program. */
export function asSignalboxError(error: unknown): SignalboxError {
  if (error instanceof SignalboxError) return error;
  return new SignalboxError('ERR_INVALID_REQUEST', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}

/** JSON has no bytes: they go as base64, as .NET writes them. `toJSON` of a Buffer has run by then, so `this` is asked. */
function bytesAsBase64(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key];
  if (!(original instanceof Uint8Array)) return value;
  return Buffer.from(original.buffer, original.byteOffset, original.byteLength).toString('base64');
}

/** The JSON body of a send (REST API, section 2.5). Throws ERR_ENCODE for what JSON cannot hold, such as a `bigint`. */
export function encodeSend(target: string, args: readonly unknown[]): string {
  try {
    return JSON.stringify({ target, arguments: args }, bytesAsBase64);
  } catch (cause) {
    throw new SignalboxError('ERR_ENCODE', `the arguments of "${target}" cannot be written as JSON`, { cause });
  }
}

function ignore(): void {
  // Whoever awaits the send gets the failure; if nobody does, it must not end the process.
}

/** The same promise, which cannot become an unhandled rejection any more. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}

/** What a guarded send reports to. */
export interface Reports {
  readonly hub: string;
  readonly via: 'link' | 'rest';
  readonly tell: Tell;
  readonly report: ReportFailure;
}

/**
 * A send that may be left alone: its failure is counted and logged, and never becomes an unhandled rejection. Whoever
 * awaits the promise gets the error too. `run` gives the bytes that were accepted.
 */
export function guarded(reports: Reports, read: () => Send, run: (send: Send) => Promise<number>): Promise<void> {
  return quiet(counted(reports, read, run, reports.report));
}

/** Runs a send and tells the observer how it ended. `report` hears of failures too. */
export async function counted(
  { hub, via, tell }: Reports,
  read: () => Send,
  run: (send: Send) => Promise<number>,
  report?: ReportFailure,
): Promise<void> {
  let to: keyof Places | undefined;
  try {
    const send = read();
    to = send.to.to;
    tell('sent', { hub, to, via, bytes: await run(send) });
  } catch (error) {
    if (to !== undefined && error instanceof SignalboxError) tell('failed', { hub, to, code: error.code });
    report?.(error, { hub, ...(to !== undefined && { to }) });
    throw error;
  }
}

/** The two forms of `send`, over whatever way `run` takes; it gives the bytes that were accepted. */
export abstract class GuardedSender {
  protected readonly reports: Reports;

  constructor(reports: Reports) {
    this.reports = reports;
  }

  protected abstract readonly run: (send: Send) => Promise<number>;

  send(to: CheckedAddress, target: string, args: readonly unknown[], options?: CallOptions): Promise<void> {
    const read = (): Send => ({ to, target: checkTarget(target), args, ...(options && { options }) });
    return guarded(this.reports, read, this.run);
  }

  /** Both forms of a hub context's `send`. */
  sendAny(to: unknown, message: unknown, rest: readonly unknown[]): Promise<void> {
    return guarded(this.reports, () => readSend(to, message, rest), this.run);
  }
}
