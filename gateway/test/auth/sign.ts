import { createHmac } from 'node:crypto';

/** An access key of tests. */
export const testKey = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH';
/** Another one. */
export const otherKey = 'another-access-key-of-at-least-32-characters';

const hashes = new Map([
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
]);

/** Signs a payload, text as it stands, as any app could: with whatever header it likes. */
export function sign(payload: object | string, key = testKey, header: object = {}): string {
  const full = { alg: 'HS256', typ: 'JWT', ...header };
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const parts = [JSON.stringify(full), text].map((part) => Buffer.from(part).toString('base64url'));
  const input = parts.join('.');
  const hash = hashes.get(full.alg);
  const seal = hash === undefined ? '' : createHmac(hash, key).update(input).digest('base64url');
  return `${input}.${seal}`;
}

/** Claims of a client's token for this hub, valid for an hour. */
export function clientClaims(hub: string, more: object = {}): object {
  const now = Math.floor(Date.now() / 1000);
  return { nbf: now, iat: now, exp: now + 3600, aud: `http://gateway/client/?hub=${hub}`, ...more };
}
