import type { Config } from '../config.ts';
import type { Events } from '../observe/events.ts';
import type { Log } from '../observe/log.ts';
import { type Claim, type Claims, firstClaim, readClaims } from './claims.ts';
import type { IssuerSettings } from './issuer-settings.ts';
import { KeySet } from './key-set.ts';
import { type Fetch, fetchKeys } from './remote-keys.ts';
import { type Refuse, refuser } from './token-refusals.ts';
import { timeFault } from './token-times.ts';

/** An issuer and what fetches its keys. */
export interface KnownIssuer {
  readonly settings: IssuerSettings;
  readonly keys: Pick<KeySet, 'judge'>;
}

export interface IssuersOptions {
  readonly issuers: readonly KnownIssuer[];
  readonly refuse: Refuse;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** What a token of an outside issuer is to open. */
export interface IssuerUse {
  /** Lower-cased. */
  readonly hub: string;
  readonly algorithm: string;
  /** It opened a connection in its time and names its user now: its age does not count. */
  readonly later: boolean;
}

/**
 * Tokens of outside issuers. They open `/client/` and nothing else, and what they say in the gateway's own names is dropped:
 * who may choose a user's claims at an issuer must not choose what the gateway does.
 */
export class Issuers {
  readonly #issuers: ReadonlyMap<string, KnownIssuer>;
  readonly #algorithms: ReadonlySet<string>;
  readonly #refuse: Refuse;
  readonly #now: () => number;

  constructor({ issuers, refuse, now = Date.now }: IssuersOptions) {
    this.#issuers = new Map(issuers.map((issuer) => [issuer.settings.issuer, issuer]));
    this.#algorithms = new Set(issuers.flatMap(({ settings }) => settings.algorithms));
    this.#refuse = refuse;
    this.#now = now;
  }

  /** Does any issuer sign with this algorithm? None of them is one of the access keys'. */
  signsWith(algorithm: string): boolean {
    return this.#algorithms.has(algorithm);
  }

  /**
   * The claims of a token that its issuer signed, in its time and for this service, as those of a token of our own.
   * @param claimed its payload, which nobody has verified yet: it says whose keys to take
   * @throws {GatewayError} `unauthorized`, `issuer_down`
   */
  async verify(token: string, claimed: Claims, use: IssuerUse): Promise<Claims> {
    const issuer = this.#issuers.get(firstClaim(claimed, 'iss') ?? '');
    if (issuer === undefined) throw this.#refuse('issuer');
    const { settings, keys } = issuer;
    if (!settings.algorithms.includes(use.algorithm)) throw this.#refuse('algorithm');
    if (settings.hubs?.has(use.hub) === false) throw this.#refuse('hub');
    const judgement = await keys.judge(token, settings.algorithms, use.later);
    if (judgement.kind === 'down') throw this.#refuse('issuer_down');
    if (judgement.kind !== 'genuine') throw this.#refuse(judgement.kind);
    const claims = readClaims(judgement.payload);
    this.#check(claims, settings, use.later);
    return [...claims.filter(({ name }) => !/^asrs\./i.test(name)), ...this.#stated(claims, settings)];
  }

  #check(claims: Claims, settings: IssuerSettings, later: boolean): void {
    const tolerance = { behind: settings.clockToleranceSeconds, ahead: settings.clockToleranceSeconds };
    const fault = later ? undefined : timeFault(claims, this.#now() / 1000, tolerance);
    if (fault !== undefined) throw this.#refuse(fault);
    if (!hasOneOf(claims, 'aud', settings.audiences)) throw this.#refuse('audience');
    for (const [name, wanted] of settings.claims) {
      if (!hasOneOf(claims, name, wanted)) throw this.#refuse('claims');
    }
  }

  /** What an app would have said in a token of its own (negotiate reference, 4.1 and 4.2). */
  #stated(claims: Claims, { issuer, userClaim, userPrefix, closeOnExpiry }: IssuerSettings): Claim[] {
    const user = firstClaim(claims, userClaim);
    if (user === undefined || user === '') throw this.#refuse('claims');
    const stated = [
      { name: 'asrs.s.uid', text: userPrefix + user },
      { name: 'asrs.u.iss', text: issuer },
    ];
    if (!closeOnExpiry) return stated;
    const expires = Math.floor(Number(firstClaim(claims, 'exp')));
    return [...stated, { name: 'asrs.s.coae', text: 'true' }, { name: 'asrs.s.aeo', text: String(expires) }];
  }
}

/** @param wanted empty: anything */
function hasOneOf(claims: Claims, name: string, wanted: readonly string[]): boolean {
  return claims.some((claim) => claim.name === name && (wanted.length === 0 || wanted.includes(claim.text)));
}

export interface CreateIssuersOptions {
  readonly issuers: readonly IssuerSettings[];
  readonly config: Pick<
    Config,
    'issuerFetchMs' | 'issuerBytes' | 'issuerKeysMs' | 'issuerStaleMs' | 'issuerCooldownMs'
  >;
  readonly events: Pick<Events, 'tokenRefused' | 'issuerKeysFetched'>;
  readonly log: Pick<Log, 'warn'>;
  readonly fetch: Fetch;
}

/** The issuers of the settings, each with its keys. Nothing is fetched before a token comes. */
export function createIssuers({ issuers, config, events, log, fetch }: CreateIssuersOptions): Issuers {
  const { issuerKeysMs: keysMs, issuerStaleMs: staleMs, issuerCooldownMs: cooldownMs } = config;
  const remote = { fetch, deadlineMs: config.issuerFetchMs, bytes: config.issuerBytes };
  const known = issuers.map((settings) => {
    const { issuer } = settings;
    const fetched = (failure: unknown): void => {
      events.issuerKeysFetched(issuer, failure === undefined ? 'ok' : 'failed');
      if (failure !== undefined) log.warn('the keys of an issuer could not be fetched', { issuer, why: why(failure) });
    };
    const keys = new KeySet({ fetch: () => fetchKeys(settings, remote), keysMs, staleMs, cooldownMs, fetched });
    return { settings, keys };
  });
  return new Issuers({ issuers: known, refuse: refuser(events) });
}

/** What `fetch` rejects with says little; its cause says more. */
function why(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  return failure.cause instanceof Error ? `${failure.message}: ${failure.cause.message}` : failure.message;
}
