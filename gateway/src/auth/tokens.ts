import { decodeProtectedHeader, type ProtectedHeaderParameters } from 'jose';
import type { Events } from '../observe/events.ts';
import { audienceFault, type Resource } from './audience.ts';
import { type Claims, firstClaim, readClaims } from './claims.ts';
import type { Issuers } from './issuers.ts';
import { type AccessKeys, type TokenAlgorithm, tokenAlgorithms } from './keys.ts';
import { KnownTokens } from './known-tokens.ts';
import { type Refuse, refuser } from './token-refusals.ts';
import { timeFault } from './token-times.ts';

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
  /** Outside issuers, for clients only. Default: none. */
  readonly issuers?: Pick<Issuers, 'signsWith' | 'verify'>;
  /** How many genuine tokens of REST callers are remembered. Default: 0, none (SIGNALBOX_KNOWN_TOKENS). */
  readonly knownTokens?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** What is signed, the payload in it, and the signature (RFC 7515, section 7.1): base64url without padding. */
const compactForm = /^([\w-]+\.([\w-]*))\.([\w-]+)$/;

/** What Microsoft's SDK calls itself in tokens that it signs with an access key: 1.34 does, 1.25 names no issuer. */
const sdkIssuer = 'azure-signalr';

/** Clocks of apps may be ahead by so many seconds (service protocol, 4.2). */
const tolerance = { behind: 0, ahead: 300 };

/** Verifies what apps and clients show. */
export class Tokens {
  readonly #options: TokensOptions;
  readonly #refuse: Refuse;
  readonly #hosts: readonly string[];
  readonly #now: () => number;
  readonly #known: KnownTokens;
  #lastHeader: { readonly text: string; readonly algorithm: string } | undefined;

  constructor(options: TokensOptions) {
    this.#options = options;
    this.#refuse = refuser(options.events);
    this.#hosts = options.hosts.map((host) => host.toLowerCase());
    this.#known = new KnownTokens(options.knownTokens ?? 0);
    this.#now = options.now ?? Date.now;
  }

  /**
   * The claims of a token that is genuine, in its time and meant for `use`. Its algorithm says whose it is: those of access
   * keys are never those of an issuer, so a public key is never taken for a secret.
   * @param token undefined or empty: none was shown
   * @throws {GatewayError} `unauthorized` or `issuer_down`, with a sentence of {@link tokenRefusals}.
   */
  async verify(token: string | undefined, use: TokenUse): Promise<Claims> {
    if (token === undefined || token === '') throw this.#refuse('missing');
    const algorithm = this.#algorithm(token);
    if (!isOwn(algorithm)) return this.#outside(token, algorithm, use);
    // Apps show a token again and again; a client does so once.
    const known = use.role === 'api' ? this.#known.get(token) : undefined;
    const claims = known ?? this.#own(token, algorithm);
    if (known === undefined && use.role === 'api') this.#known.add(token, claims);
    if (!isLater(use)) this.#checkTime(claims);
    this.#checkAudience(claims, use);
    return claims;
  }

  #own(token: string, algorithm: TokenAlgorithm): Claims {
    const claims = this.#read(this.#verified(token, algorithm));
    const issuer = firstClaim(claims, 'iss');
    if (issuer !== undefined && issuer !== sdkIssuer) throw this.#refuse('issuer');
    return claims;
  }

  #outside(token: string, algorithm: string, use: TokenUse): Promise<Claims> {
    const [, , payload] = compactForm.exec(token) ?? [];
    if (payload === undefined) throw this.#refuse('malformed');
    const claimed = this.#read(Buffer.from(payload, 'base64url'));
    const { issuers } = this.#options;
    if (use.role !== 'client' || issuers === undefined) throw this.#refuse('issuer');
    return issuers.verify(token, claimed, { hub: use.hub, algorithm, later: isLater(use) });
  }

  /** Payload bytes of a genuine token. The `kid` says nothing (service protocol, 4.1): every key is tried. */
  #verified(token: string, algorithm: TokenAlgorithm): Uint8Array {
    const [, signed, payload, signature] = compactForm.exec(token) ?? [];
    if (signed === undefined || payload === undefined || signature === undefined) throw this.#refuse('malformed');
    const bytes = Buffer.from(signature, 'base64url');
    if (!this.#options.keys.some((key) => key.signed(algorithm, signed, bytes))) throw this.#refuse('signature');
    return Buffer.from(payload, 'base64url');
  }

  /** Reading a header costs as much as the hash, and all tokens of one signer begin with the same: the last one is known. */
  #algorithm(token: string): string {
    const text = token.slice(0, token.indexOf('.'));
    if (text !== this.#lastHeader?.text) this.#lastHeader = { text, algorithm: this.#checkHeader(this.#header(token)) };
    return this.#lastHeader.algorithm;
  }

  #header(token: string): ProtectedHeaderParameters {
    try {
      return decodeProtectedHeader(token);
    } catch {
      // jose says where it stumbled; the sender learns that it is no JWT.
      throw this.#refuse('malformed');
    }
  }

  #checkHeader({ alg, crit }: ProtectedHeaderParameters): string {
    if (alg === undefined || !(isOwn(alg) || this.#options.issuers?.signsWith(alg))) throw this.#refuse('algorithm');
    // Extensions that must be understood: none is (RFC 7515, section 4.1.11).
    if (crit !== undefined) throw this.#refuse('malformed');
    return alg;
  }

  #read(payload: Uint8Array): Claims {
    try {
      return readClaims(payload);
    } catch {
      // No JSON object: the sentence says all there is.
      throw this.#refuse('malformed');
    }
  }

  #checkTime(claims: Claims): void {
    const fault = timeFault(claims, this.#now() / 1000, tolerance);
    if (fault !== undefined) throw this.#refuse(fault);
  }

  #checkAudience(claims: Claims, use: TokenUse): void {
    const resource: Resource =
      use.role === 'api'
        ? { path: use.path, hub: undefined, hosts: this.#hosts }
        : { path: `/${use.role}`, hub: use.hub, hosts: this.#hosts };
    const fits = claims.some((claim) => claim.name === 'aud' && audienceFault(claim.text, resource) === undefined);
    if (!fits) throw this.#refuse('audience');
  }
}

function isOwn(algorithm: string): algorithm is TokenAlgorithm {
  return Object.hasOwn(tokenAlgorithms, algorithm);
}

function isLater(use: TokenUse): boolean {
  return use.role === 'client' && use.later === true;
}
