import { decodeProtectedHeader, type ProtectedHeaderParameters } from 'jose';
import { GatewayError } from '../errors.ts';
import type { Events } from '../observe/events.ts';
import { type TokenRefusal, tokenRefusals } from '../reasons.ts';
import { audienceFault, type Resource } from './audience.ts';
import { type Claims, firstClaim, readClaims } from './claims.ts';
import { type AccessKeys, type TokenAlgorithm, tokenAlgorithms } from './keys.ts';

/** What a token must be meant for. Only the path inside `aud` separates the roles, so it is compared strictly. */
export type TokenUse =
  | {
      readonly role: 'client' | 'server';
      /** Lower-cased. */
      readonly hub: string;
      /** It opened a connection in its time and names its user now: its age does not count. */
      readonly later?: boolean;
    }
  | { readonly role: 'api' /** Of the request, not decoded. */; readonly path: string };

export interface TokensOptions {
  readonly keys: AccessKeys;
  /** Host names that an audience may name; empty: any (SIGNALBOX_HOSTS). */
  readonly hosts: readonly string[];
  readonly events: Pick<Events, 'tokenRefused'>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** What is signed, the payload in it, and the signature (RFC 7515, section 7.1): base64url without padding. */
const compactForm = /^([\w-]+\.([\w-]*))\.([\w-]+)$/;

/** Clocks of apps may be ahead by so many seconds (service protocol, 4.2). */
const skewSeconds = 300;

/** Verifies what apps and clients show. */
export class Tokens {
  readonly #options: TokensOptions;
  readonly #hosts: readonly string[];
  readonly #now: () => number;
  #lastHeader: { readonly text: string; readonly algorithm: TokenAlgorithm } | undefined;

  constructor(options: TokensOptions) {
    this.#options = options;
    this.#hosts = options.hosts.map((host) => host.toLowerCase());
    this.#now = options.now ?? Date.now;
  }

  /**
   * The claims of a token that is genuine, in its time and meant for `use`.
   * @param token undefined or empty: none was shown
   * @throws {GatewayError} `unauthorized`, with one of the sentences of {@link tokenRefusals}.
   */
  async verify(token: string | undefined, use: TokenUse): Promise<Claims> {
    if (token === undefined || token === '') throw this.#refused('missing');
    const claims = this.#read(this.#verified(token));
    if (firstClaim(claims, 'iss') !== undefined) throw this.#refused('issuer');
    if (!(use.role === 'client' && use.later)) this.#checkTime(claims);
    this.#checkAudience(claims, use);
    return claims;
  }

  #refused(reason: TokenRefusal): GatewayError {
    this.#options.events.tokenRefused(reason);
    return new GatewayError('unauthorized', tokenRefusals[reason]);
  }

  /** Payload bytes of a genuine token. The `kid` says nothing (service protocol, 4.1): every key is tried. */
  #verified(token: string): Uint8Array {
    const algorithm = this.#algorithm(token);
    const [, signed, payload, signature] = compactForm.exec(token) ?? [];
    if (signed === undefined || payload === undefined || signature === undefined) throw this.#refused('malformed');
    const bytes = Buffer.from(signature, 'base64url');
    if (!this.#options.keys.some((key) => key.signed(algorithm, signed, bytes))) throw this.#refused('signature');
    return Buffer.from(payload, 'base64url');
  }

  /** Reading a header costs as much as the hash, and all tokens of one signer begin with the same: the last one is known. */
  #algorithm(token: string): TokenAlgorithm {
    const text = token.slice(0, token.indexOf('.'));
    if (text !== this.#lastHeader?.text) this.#lastHeader = { text, algorithm: this.#checkHeader(this.#header(token)) };
    return this.#lastHeader.algorithm;
  }

  #header(token: string): ProtectedHeaderParameters {
    try {
      return decodeProtectedHeader(token);
    } catch {
      // jose says where it stumbled; the sender learns that it is no JWT.
      throw this.#refused('malformed');
    }
  }

  #checkHeader({ alg, crit }: ProtectedHeaderParameters): TokenAlgorithm {
    if (alg === undefined || !Object.hasOwn(tokenAlgorithms, alg)) throw this.#refused('algorithm');
    // Extensions that must be understood: none is (RFC 7515, section 4.1.11).
    if (crit !== undefined) throw this.#refused('malformed');
    return alg as TokenAlgorithm;
  }

  #read(payload: Uint8Array): Claims {
    try {
      return readClaims(payload);
    } catch {
      // No JSON object: the sentence says all there is.
      throw this.#refused('malformed');
    }
  }

  #checkTime(claims: Claims): void {
    const now = this.#now() / 1000;
    // Written so that a value that is no number refuses.
    if (!(seconds(claims, 'exp') > now)) throw this.#refused('expired');
    for (const name of ['nbf', 'iat']) {
      const given = firstClaim(claims, name) !== undefined;
      if (given && !(seconds(claims, name) <= now + skewSeconds)) throw this.#refused('not_yet_valid');
    }
  }

  #checkAudience(claims: Claims, use: TokenUse): void {
    const resource: Resource =
      use.role === 'api'
        ? { path: use.path, hub: undefined, hosts: this.#hosts }
        : { path: `/${use.role}`, hub: use.hub, hosts: this.#hosts };
    const fits = claims.some((claim) => claim.name === 'aud' && audienceFault(claim.text, resource) === undefined);
    if (!fits) throw this.#refused('audience');
  }
}

/** NaN, which fits no comparison, when the claim is absent or no plain number. */
function seconds(claims: Claims, name: string): number {
  const text = firstClaim(claims, name) ?? '';
  return /^\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
}
