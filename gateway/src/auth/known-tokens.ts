import type { Claims } from './claims.ts';

/**
 * Claims of genuine tokens that were seen before, so that a caller who shows the same one again costs no hash and no
 * parsing. Times and audience are looked at each time. Bounded: when it is full, it begins anew.
 */
export class KnownTokens {
  readonly #limit: number;
  readonly #claims = new Map<string, Claims>();

  /** @param limit most tokens; 0: none. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(token: string): Claims | undefined {
    return this.#claims.get(token);
  }

  add(token: string, claims: Claims): void {
    if (this.#limit === 0) return;
    if (this.#claims.size >= this.#limit) this.#claims.clear();
    this.#claims.set(token, claims);
  }
}
