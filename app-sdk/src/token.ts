import { webcrypto } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';

/** How long a REST or client token lives unless said, in seconds. */
export const defaultLifetimeSeconds = 3600;

/** Signs what a service with the same access key takes (service protocol, section 4.1). */
export interface TokenSigner {
  /** A token for one audience. `claims` stand first in it, then `nbf`, `exp`, `iat` and `aud`. */
  sign(audience: string, claims?: JWTPayload, lifetimeSeconds?: number): Promise<string>;
}

/** Key ids mean nothing to the service, which tries every key it has; one is customary. */
const header = { alg: 'HS256', typ: 'JWT', kid: '1' };

/** A signer for one access key, whose UTF-8 bytes are the HMAC key. `now` is the clock, in milliseconds. */
export function createSigner(accessKey: string, now: () => number = Date.now): TokenSigner {
  const bytes = new TextEncoder().encode(accessKey);
  let imported: Promise<webcrypto.CryptoKey> | undefined;
  const key = () => {
    // A CryptoKey is imported once because jose would import raw bytes anew for each token.
    imported ??= webcrypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    return imported;
  };
  return {
    async sign(audience, claims = {}, lifetimeSeconds = defaultLifetimeSeconds) {
      const seconds = Math.floor(now() / 1000);
      const times = { nbf: seconds, exp: seconds + lifetimeSeconds, iat: seconds, aud: audience };
      return await new SignJWT({ ...claims, ...times }).setProtectedHeader(header).sign(await key());
    },
  };
}
