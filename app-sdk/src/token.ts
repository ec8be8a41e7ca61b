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

/** Audiences that a {@link TokenShelf} knows. */
const keptAudiences = 1000;

/** Keeps the tokens of a signer, one for each audience, for half of their life: signing costs more than a request's other work. */
export class TokenShelf {
  readonly #signer: TokenSigner;
  readonly #now: () => number;
  readonly #tokens = new Map<string, { readonly token: Promise<string>; readonly until: number }>();

  constructor(signer: TokenSigner, now: () => number = Date.now) {
    this.#signer = signer;
    this.#now = now;
  }

  /** A token for one audience, with at least half of {@link defaultLifetimeSeconds} to live. */
  take(audience: string): Promise<string> {
    const now = this.#now();
    const kept = this.#tokens.get(audience);
    if (kept !== undefined && now < kept.until) return kept.token;
    if (this.#tokens.size >= keptAudiences) this.#tokens.clear();
    const token = this.#signer.sign(audience);
    token.catch(() => this.#tokens.delete(audience));
    this.#tokens.set(audience, { token, until: now + (defaultLifetimeSeconds * 1000) / 2 });
    return token;
  }
}
