import type { RedisBackplane } from './redis.ts';
import type { Will, Wills } from './wills.ts';

export interface RedisWillsOptions {
  readonly backplane: RedisBackplane;
  /** Full prefix of keys, as the backplane's. */
  readonly prefix: string;
  /** This node's id. */
  readonly node: string;
}

/** A node that comes back after so many seconds does not learn any more that it was taken for dead. */
const takenSeconds = 24 * 60 * 60;
/** Wills in one command when they are put back. */
const together = 200;

/** KEYS: nodes with wills (set), this node's wills (hash). ARGV: node, then connection and will in turn. */
const keepScript = `
redis.call('SADD', KEYS[1], ARGV[1])
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
`;

/** KEYS: nodes with wills, the dead node's wills, this node's, the dead node's mark. ARGV: dead node, this node, most, seconds. */
const inheritScript = `
local taken = redis.call('HRANDFIELD', KEYS[2], ARGV[3], 'WITHVALUES')
if #taken == 0 then redis.call('SREM', KEYS[1], ARGV[1]) return taken end
redis.call('SET', KEYS[4], ARGV[2], 'EX', ARGV[4])
redis.call('SADD', KEYS[1], ARGV[2])
for i = 1, #taken, 2 do
  redis.call('HDEL', KEYS[2], taken[i])
  redis.call('HSET', KEYS[3], taken[i], taken[i + 1])
end
return taken
`;

/** The wills in Redis: a hash for each node. Start the backplane first. Needs Redis 6.2. */
export function createRedisWills(options: RedisWillsOptions): Wills {
  return new RedisWills(options);
}

class RedisWills implements Wills {
  readonly #options: RedisWillsOptions;
  readonly #base: string;
  readonly #nodes: string;
  readonly #own: string;

  constructor(options: RedisWillsOptions) {
    this.#options = options;
    this.#base = `${options.backplane.hashTags ? `{${options.prefix}}` : options.prefix}:wills`;
    this.#nodes = this.#base;
    this.#own = this.#of(options.node);
  }

  async keep(will: Will): Promise<void> {
    await this.#keep([will]);
  }

  async drop(connection: string): Promise<void> {
    await this.#run(['hdel', this.#own, connection], 0);
  }

  async restore(wills: readonly Will[]): Promise<boolean> {
    if (Number(await this.#run(['del', this.#mark(this.#options.node)], 0)) > 0) return false;
    await this.#run(['del', this.#own], 0); // it may hold some that ended meanwhile
    for (let i = 0; i < wills.length; i += together) await this.#keep(wills.slice(i, i + together));
    return true;
  }

  async inherit(living: Iterable<string>, most: number): Promise<readonly Will[]> {
    const alive = new Set(living).add(this.#options.node);
    const nodes = (await this.#run(['smembers', this.#nodes], 0)) as unknown[];
    for (const dead of nodes.map(String).filter((node) => !alive.has(node))) {
      const wills = await this.#take(dead, most);
      if (wills.length > 0) return wills;
    }
    return [];
  }

  async #take(dead: string, most: number): Promise<readonly Will[]> {
    const keys = [this.#nodes, this.#of(dead), this.#own, this.#mark(dead)];
    const args = [dead, this.#options.node, most, takenSeconds];
    const flat = (await this.#run(['eval', inheritScript, keys.length, ...keys, ...args], 0)) as unknown[];
    const texts = flat.map(String);
    return Array.from({ length: texts.length / 2 }, (_, i) => ({
      connection: texts[2 * i] ?? '',
      text: texts[2 * i + 1] ?? '',
    }));
  }

  async #keep(wills: readonly Will[]): Promise<void> {
    const flat = wills.flatMap(({ connection, text }) => [connection, text]);
    const bytes = flat.reduce((sum, { length }) => sum + length, keepScript.length);
    await this.#run(['eval', keepScript, 2, this.#nodes, this.#own, this.#options.node, ...flat], bytes);
  }

  #of(node: string): string {
    return `${this.#base}:of:${node}`;
  }

  /** There while others do what the node's wills say. */
  #mark(node: string): string {
    return `${this.#base}:taken:${node}`;
  }

  #run(command: readonly [string, ...(string | number)[]], bytes: number): Promise<unknown> {
    return this.#options.backplane.run('control', this.#nodes, [...command], bytes);
  }
}
