import { compactVerify, errors } from 'jose';
import type { Keys } from './remote-keys.ts';

export interface KeySetOptions {
  /** Fetches the keys of the issuer. What it rejects with is given to `fetched`. */
  readonly fetch: () => Promise<Keys>;
  /** Age in ms from which on they are fetched again. */
  readonly keysMs: number;
  /** Age in ms from which on keys that cannot be fetched again are trusted no more. */
  readonly staleMs: number;
  /** Least time in ms between two fetches for tokens that no known key signed. */
  readonly cooldownMs: number;
  /** Told of each fetch: undefined, or why it failed. */
  readonly fetched: (failure: unknown) => void;
  /** Milliseconds, of any beginning. */
  readonly now?: () => number;
}

/** What came of a token. `down`: there are no keys to judge it by. */
export type Judgement =
  | { readonly kind: 'genuine'; readonly payload: Uint8Array }
  | { readonly kind: 'malformed' | 'signature' | 'down' };

/** Earlier key sets that still say whose a connection is. */
const mostRetired = 8;
/** After a fetch that failed, the next one waits so long, in ms, or for the cooldown if that is shorter. */
const failurePauseMs = 2000;

/**
 * The public keys of one issuer: fetched when they are first needed, when they are old, and when a token was signed with none
 * of them. One fetch at a time, whoever waits for it. While the issuer cannot be reached, old keys go on.
 */
export class KeySet {
  readonly #options: KeySetOptions;
  readonly #now: () => number;
  #keys: Keys | undefined;
  #retired: Keys[] = [];
  #fetchedAt = 0;
  #failed = false;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  constructor(options: KeySetOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * Did the issuer sign this token with one of these algorithms?
   * @param later the token opened a connection in its time: a key that was taken out since then counts.
   */
  async judge(token: string, algorithms: readonly string[], later: boolean): Promise<Judgement> {
    const keys = await this.#current();
    if (keys === undefined) return { kind: 'down' };
    for (const one of later ? [keys, ...this.#retired] : [keys]) {
      const judgement = await judged(token, one, algorithms);
      if (judgement.kind !== 'signature') return judgement;
    }
    await this.#fetch(this.#options.cooldownMs);
    if (this.#keys === undefined || this.#keys === keys) return { kind: 'signature' };
    return judged(token, this.#keys, algorithms);
  }

  /**
   * The keys to judge by. A busy node never waits for a fetch but the first: it goes on with the keys it has while they are
   * fetched again. Keys that nobody needed for long are not trusted before.
   */
  async #current(): Promise<Keys | undefined> {
    const { keysMs, staleMs } = this.#options;
    const age = this.#keys === undefined ? Number.POSITIVE_INFINITY : this.#now() - this.#fetchedAt;
    if (age >= keysMs) {
      const fetching = this.#fetch(0);
      if (age >= staleMs || (age >= 2 * keysMs && !this.#failed)) await fetching;
    }
    return this.#now() - this.#fetchedAt < staleMs ? this.#keys : undefined;
  }

  /** Fetches, unless the last try is not `pauseMs` ago. Never rejects. */
  #fetch(pauseMs: number): Promise<void> {
    if (this.#fetching !== undefined) return this.#fetching;
    const pause = this.#failed ? Math.min(failurePauseMs, this.#options.cooldownMs) : pauseMs;
    if (this.#now() - this.#triedAt < pause) return Promise.resolve();
    this.#triedAt = this.#now();
    this.#fetching = this.#fetchNow().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchNow(): Promise<void> {
    try {
      const keys = await this.#options.fetch();
      if (this.#keys !== undefined) this.#retire(this.#keys, keys);
      this.#keys = keys;
      this.#fetchedAt = this.#now();
      this.#failed = false;
      this.#options.fetched(undefined);
    } catch (error) {
      this.#failed = true;
      this.#options.fetched(error);
    }
  }

  #retire(old: Keys, fresh: Keys): void {
    const text = JSON.stringify(old.jwks());
    if (text === JSON.stringify(fresh.jwks())) return;
    const others = this.#retired.filter((one) => JSON.stringify(one.jwks()) !== text);
    this.#retired = [old, ...others].slice(0, mostRetired);
  }
}

async function judged(token: string, keys: Keys, algorithms: readonly string[]): Promise<Judgement> {
  try {
    const { payload } = await compactVerify(token, keys, { algorithms: [...algorithms] });
    return { kind: 'genuine', payload };
  } catch (error) {
    if (error instanceof errors.JWSInvalid) return { kind: 'malformed' };
    // No key, another key, or one that cannot be used: all the same to the sender.
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return { kind: 'signature' };
    return judgedByEach(token, error, algorithms);
  }
}

/** A token that does not say which key, of an issuer with several. */
async function judgedByEach(
  token: string,
  keys: errors.JWKSMultipleMatchingKeys,
  algorithms: readonly string[],
): Promise<Judgement> {
  for await (const key of keys) {
    try {
      const { payload } = await compactVerify(token, key, { algorithms: [...algorithms] });
      return { kind: 'genuine', payload };
    } catch {
      // Another one may fit.
    }
  }
  return { kind: 'signature' };
}
