import { RestError, type SignalboxError } from './errors.ts';

/**
 * When a request may be repeated. `always`: reads, group changes and closes, which do no harm twice.
 * `notAccepted`: sends, only if the service surely took nothing.
 */
export type Repeat = 'always' | 'notAccepted';

const firstStepMs = 200;
const refusedForNow = [429, 503];

/** Whether a failed request may be tried again, by what is known of its fate. */
export function mayRepeat(repeat: Repeat, error: SignalboxError): boolean {
  if (!(error instanceof RestError)) return repeat === 'always' || error.outcome === 'notSent';
  if (refusedForNow.includes(error.status)) return true;
  return repeat === 'always' && (error.status === 408 || error.status >= 500);
}

/** How long to wait before the retry after attempt `attempt` (1, 2 …): full jitter, up to 200 ms, 400 ms … */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return random() * firstStepMs * 2 ** (attempt - 1);
}
