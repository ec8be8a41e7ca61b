import { hkdfSync, type webcrypto } from 'node:crypto';

type CryptoKey = webcrypto.CryptoKey;

/** Algorithms of tokens signed with an access key, and their hash. */
export const tokenAlgorithms = { HS256: 'SHA-256', HS512: 'SHA-512' } as const;

/** The algorithm of a token signed with an access key. */
export type TokenAlgorithm = keyof typeof tokenAlgorithms;

/** One access key, ready for all its uses. */
export interface AccessKey {
  /** Says which key it is and nothing more: safe in records and logs. */
  readonly fingerprint: string;
  /** Verifies tokens; imported once, for the import costs as much as a verification. */
  readonly verifiers: Readonly<Record<TokenAlgorithm, CryptoKey>>;
  /** 32 bytes for one use. Keys of two labels tell nothing about each other or about the access key. */
  derive(label: string): Uint8Array;
}

/** The access keys of this node: the first signs, all verify. Never empty. */
export type AccessKeys = readonly [AccessKey, ...AccessKey[]];

const derivedBytes = 32;
const fingerprintBytes = 12;

/**
 * Imports access keys, in the order of SIGNALBOX_ACCESS_KEY.
 * @throws {TypeError} when there is none.
 */
export async function importKeys(texts: readonly string[]): Promise<AccessKeys> {
  const [first, ...others] = await Promise.all(texts.map(importKey));
  if (first === undefined) throw new TypeError('at least one access key is needed');
  return [first, ...others];
}

async function importKey(text: string): Promise<AccessKey> {
  const secret = Buffer.from(text);
  const derive = (label: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), `signalbox ${label}`, derivedBytes));
  const [HS256, HS512] = await Promise.all([importHmac(secret, 'HS256'), importHmac(secret, 'HS512')]);
  const fingerprint = Buffer.from(derive('fingerprint')).subarray(0, fingerprintBytes).toString('base64url');
  return { fingerprint, verifiers: { HS256, HS512 }, derive };
}

function importHmac(secret: Uint8Array<ArrayBuffer>, algorithm: TokenAlgorithm): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: tokenAlgorithms[algorithm] }, false, ['verify']);
}
