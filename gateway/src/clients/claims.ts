import type { Claims } from '../backplane/records.ts';
import { GatewayError } from '../errors.ts';

/** Who uses a connection id first. */
export interface ConnectionClaims {
  /** True for the first claim of an id within `ttlSeconds`, on whatever node. */
  claim(id: string, ttlSeconds: number): Promise<boolean>;
  /** The node that claimed an id; undefined when none has, or its claim is over. */
  owner(id: string): Promise<string | undefined>;
}

/**
 * Claims of this node, kept here as well: with Redis known down they are all there is (architecture, section 6), and a
 * second use on the same node needs no question.
 */
export class NodeClaims implements ConnectionClaims {
  readonly #records: Claims;
  readonly #node: string;
  readonly #now: () => number;
  /** Two generations, so that forgetting costs nothing per id: an id stays for one to two lifetimes. */
  #young = new Set<string>();
  #old = new Set<string>();
  #turnsAt = 0;

  /** @param now milliseconds, of any beginning */
  constructor(records: Claims, node: string, now: () => number = () => performance.now()) {
    this.#records = records;
    this.#node = node;
    this.#now = now;
  }

  async claim(id: string, ttlSeconds: number): Promise<boolean> {
    this.#turn(ttlSeconds);
    if (this.#young.has(id) || this.#old.has(id)) return false;
    this.#young.add(id);
    try {
      return (await this.#records.claim(id, ttlSeconds, this.#node)).won;
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'backplane_down') return true;
      throw error;
    }
  }

  async owner(id: string): Promise<string | undefined> {
    try {
      return await this.#records.owner(id);
    } catch (error) {
      if (!(error instanceof GatewayError && error.code === 'backplane_down')) throw error;
      return this.#young.has(id) || this.#old.has(id) ? this.#node : undefined;
    }
  }

  #turn(ttlSeconds: number): void {
    const now = this.#now();
    if (now < this.#turnsAt) return;
    this.#old = this.#young;
    this.#young = new Set();
    this.#turnsAt = now + ttlSeconds * 1000;
  }
}
