import { type Claims, firstClaim } from './claims.ts';

/** By how much the clock of a signer may differ, in seconds. */
export interface ClockTolerance {
  /** A token whose `exp` is over by less is still taken. */
  readonly behind: number;
  /** One whose `nbf` or `iat` is ahead by no more is taken already. */
  readonly ahead: number;
}

/** What is wrong with the times of a token; undefined: nothing. `now` in seconds since 1970. */
export function timeFault(
  claims: Claims,
  now: number,
  { behind, ahead }: ClockTolerance,
): 'expired' | 'not_yet_valid' | undefined {
  // Written so that a value that is no number refuses.
  if (!(seconds(claims, 'exp') > now - behind)) return 'expired';
  for (const name of ['nbf', 'iat']) {
    const given = firstClaim(claims, name) !== undefined;
    if (given && !(seconds(claims, name) <= now + ahead)) return 'not_yet_valid';
  }
  return undefined;
}

/** NaN, which fits no comparison, when the claim is absent or no plain number. */
function seconds(claims: Claims, name: string): number {
  const text = firstClaim(claims, name) ?? '';
  return /^\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
}
