import { describe } from './address.ts';
import { SignalboxError } from './errors.ts';

const maxPageSize = 200;

/** How long a standing membership lasts, in seconds; absent: for good. Throws `TypeError`. */
export function checkTtl(ttl: number | undefined): { ttl?: number } {
  if (ttl === undefined) return {};
  if (!Number.isSafeInteger(ttl) || ttl < 0) {
    throw new TypeError(`"ttlSeconds" must be a whole number of at least 0, got ${describe(ttl)}`);
  }
  return { ttl };
}

/** How many connections one page of a list holds; default and most 200. Throws `TypeError`. */
export function checkPageSize(value: number | undefined): number {
  if (value === undefined) return maxPageSize;
  if (!Number.isInteger(value) || value < 1 || value > maxPageSize) {
    throw new TypeError(`"pageSize" must be a whole number from 1 to ${maxPageSize}, got ${describe(value)}`);
  }
  return value;
}

/** For what no service that was asked has offered. Async, so that it rejects where it is awaited. */
export async function notSupported(what: string): Promise<never> {
  throw new SignalboxError('ERR_NOT_SUPPORTED', `${what} is not offered by this service`);
}

/** As `notSupported`, for a list. */
export async function* notSupportedList(what: string): AsyncGenerator<never> {
  yield await notSupported(what);
}
