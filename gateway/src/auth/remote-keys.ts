import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { type IssuerSettings, keyUrlFault } from './issuer-settings.ts';

/** What a fetch of keys needs: Node's own `fetch` fits. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface RemoteKeysOptions {
  readonly fetch: Fetch;
  /** For all requests of one fetch, in ms. */
  readonly deadlineMs: number;
  /** Largest answer, in bytes. */
  readonly bytes: number;
}

/** The public keys of an issuer at one time, as jose looks them up. */
export type Keys = ReturnType<typeof createLocalJWKSet>;

/** A token without a `kid` may be tried with each of them. */
const mostKeys = 64;

/** Fetches the keys of an issuer, now. Rejects with an error whose text is for the log. */
export async function fetchKeys(issuer: IssuerSettings, options: RemoteKeysOptions): Promise<Keys> {
  const signal = AbortSignal.timeout(options.deadlineMs);
  const url = issuer.jwksUrl ?? (await discover(issuer, options, signal));
  const set = (await fetchJson(url, options, signal)) as Partial<JSONWebKeySet>;
  if (!Array.isArray(set.keys)) throw new Error(`${url} has no array "keys"`);
  if (set.keys.length > mostKeys) throw new Error(`${url} has more than ${mostKeys} keys`);
  return createLocalJWKSet({ keys: set.keys });
}

/** OpenID Connect Discovery 1.0, section 4. */
async function discover(issuer: IssuerSettings, options: RemoteKeysOptions, signal: AbortSignal): Promise<string> {
  const url = `${issuer.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = (await fetchJson(url, options, signal)) as Readonly<Record<string, unknown>>;
  // Section 4.3: else one issuer could bring the keys of another.
  if (found['issuer'] !== issuer.issuer) throw new Error(`${url} is of another issuer`);
  const jwksUrl = found['jwks_uri'];
  if (typeof jwksUrl !== 'string') throw new Error(`${url} has no "jwks_uri"`);
  const fault = keyUrlFault(jwksUrl, issuer.allowHttp);
  if (fault !== undefined) throw new Error(`"jwks_uri" of ${url} must be ${fault}`);
  return jwksUrl;
}

async function fetchJson(url: string, { fetch, bytes }: RemoteKeysOptions, signal: AbortSignal): Promise<object> {
  const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status}`);
  }
  const json: unknown = JSON.parse(await readUpTo(response, bytes, url));
  if (typeof json !== 'object' || json === null) throw new Error(`${url} is no JSON object`);
  return json;
}

/** Leaving the loop ends the request. */
async function readUpTo(response: Response, limit: number, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > limit) throw new Error(`${url} is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
