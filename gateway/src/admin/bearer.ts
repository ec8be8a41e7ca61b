import { createHash, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import { tokenRefusals } from '../reasons.ts';

/** Does a request carry the operators' token? */
export type BearerCheck = (authorization: string | undefined) => boolean;

/** Compares digests, so that neither the length nor a common beginning shows in the time that it takes. */
export function bearerCheck(token: string): BearerCheck {
  const expected = digest(token);
  return (authorization = '') => {
    const given = /^Bearer (.+)$/i.exec(authorization)?.[1];
    return timingSafeEqual(digest(given ?? ''), expected) && given !== undefined;
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The refusal; it says nothing of how the token was wrong. */
export function notTheToken(): GatewayError {
  return new GatewayError('unauthorized', tokenRefusals.admin);
}
