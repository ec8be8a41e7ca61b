import { type JWTPayload, SignJWT } from 'jose';

/** The access key of the services that tests start. */
export const accessKey = 'the-access-key-of-the-tests-0123456789';

/** Signs a token as an app would, with any claim in place of the usual ones. Valid for an hour. */
export function signToken(audience: string, claims: JWTPayload = {}, key = accessKey): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const payload = { nbf: now, iat: now, exp: now + 3600, aud: audience, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(new TextEncoder().encode(key));
}

/** A token for `/client/`; `user` undefined: anonymous. */
export function clientToken(hub: string, user?: string, claims: JWTPayload = {}): Promise<string> {
  const of = user === undefined ? claims : { 'asrs.s.uid': user, ...claims };
  return signToken(`http://localhost/client/?hub=${hub}`, of);
}
