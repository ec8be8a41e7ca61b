import { SignJWT } from 'jose';
import type { AccessKeys } from './keys.ts';

/** What a client token is made for. */
export interface ClientTokenRequest {
  /** Scheme and host that stand in its audience: `https://gateway.example`. */
  readonly origin: string;
  /** Lower-cased full name. */
  readonly hub: string;
  /** Undefined: an anonymous client. */
  readonly userId: string | undefined;
  readonly minutes: number;
}

/** Signs a token that opens `/client/` of one hub, with the first access key. */
export type ClientTokens = (request: ClientTokenRequest) => Promise<string>;

/** Makes client tokens as apps make them (negotiate reference, section 4). `now` is the clock, in ms since 1970. */
export function createClientTokens([key]: AccessKeys, now: () => number = Date.now): ClientTokens {
  return ({ origin, hub, userId, minutes }) => {
    const seconds = Math.floor(now() / 1000);
    const user = userId === undefined ? {} : { nameid: userId, 'asrs.s.uid': userId };
    const aud = `${origin}/client/?hub=${encodeURIComponent(hub)}`;
    const claims = { ...user, nbf: seconds, iat: seconds, exp: seconds + minutes * 60, aud };
    return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: key.fingerprint }).sign(key.signer);
  };
}
