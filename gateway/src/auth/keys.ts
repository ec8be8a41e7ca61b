import { createHmac, createSecretKey, hkdfSync, randomBytes, timingSafeEqual, type webcrypto } from 'node:crypto';
import { type Config, ConfigError } from '../config.ts';

type CryptoKey = webcrypto.CryptoKey;

/** Algorithms of tokens signed with an access key, and their hash. */
export const tokenAlgorithms = { HS256: 'sha256', HS512: 'sha512' } as const;

/** The algorithm of a token signed with an access key. */
export type TokenAlgorithm = keyof typeof tokenAlgorithms;

/** One access key, ready for all its uses. */
export interface AccessKey {
  /** Says which key it is and nothing more: safe in records and logs. */
  readonly fingerprint: string;
  /**
   * Did this key sign `text`? At once and on this thread: the hash takes 3 µs, and 50 µs of processor time when Web
   * Crypto hands it to another thread and back (measured).
   */
  signed(algorithm: TokenAlgorithm, text: string, signature: Uint8Array): boolean;
  /** Signs tokens with HS256. */
  readonly signer: CryptoKey;
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
  const key = createSecretKey(secret);
  const derive = (label: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), `signalbox ${label}`, derivedBytes));
  const fingerprint = Buffer.from(derive('fingerprint')).subarray(0, fingerprintBytes).toString('base64url');
  const signed: AccessKey['signed'] = (algorithm, signedText, signature) => {
    const expected = createHmac(tokenAlgorithms[algorithm], key).update(signedText).digest();
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  };
  const signer = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return { fingerprint, signed, signer, derive };
}

/** Addresses that only this machine reaches. */
export const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * The access keys that were set, or one that is made now, for which nobody beyond this machine has a use.
 * @param nodes who gets them: one node, or all workers of one parent
 * @throws {ConfigError} when others have to know the key.
 */
export function accessKeyTexts(
  config: Pick<Config, 'accessKeys' | 'host' | 'appHost' | 'appPort' | 'redisUrl'>,
  nodes: 'one' | 'workers',
): readonly [string, ...string[]] {
  const [first, ...others] = config.accessKeys;
  if (first !== undefined) return [first, ...others];
  const hosts = [config.host, ...(config.appPort === undefined ? [] : [config.appHost])];
  const outside = hosts.find((host) => !loopback.has(host));
  if (outside !== undefined) {
    throw new ConfigError(`SIGNALBOX_ACCESS_KEY must be set to listen beyond loopback, on ${outside}`);
  }
  if (config.redisUrl !== undefined && nodes === 'one') {
    const rule = 'SIGNALBOX_ACCESS_KEY must be set together with REDIS_URL';
    throw new ConfigError(`${rule}: all nodes verify with the same key`);
  }
  return [randomBytes(32).toString('base64url')];
}
