/** One host of a Redis deployment. */
export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is, as `REDIS_URL` says it. */
export interface RedisTarget {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** At least one: the server, the sentinels, or some nodes of the cluster. */
  readonly hosts: readonly RedisHost[];
  readonly tls: boolean;
  /** Database number; 0 on a cluster. */
  readonly db: number;
  /** Name of the master that the sentinels watch; empty for other kinds. */
  readonly master: string;
  readonly username?: string;
  readonly password?: string;
}

const form =
  /^redis(?<tls>s?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<login>.*)@)?(?<hosts>[^/?#@]+)(?<path>\/[^?#]*)?$/;
const defaultPorts = { single: 6379, sentinel: 26379, cluster: 6379 } as const;

/**
 * Reads `redis://[user:password@]host[:port][/db]`, `redis+sentinel://[…@]host:port,…/master[/db]` or
 * `redis+cluster://[…@]host:port,…`; with `rediss` for TLS. Throws a `TypeError` that never shows a password.
 */
export function parseRedisUrl(url: string): RedisTarget {
  const parts = form.exec(url)?.groups;
  if (parts === undefined) throw new TypeError(`"REDIS_URL" must be ${forms}`);
  const kind = parts['kind'] === 'sentinel' || parts['kind'] === 'cluster' ? parts['kind'] : 'single';
  const hosts = (parts['hosts'] ?? '').split(',').map((text) => parseHost(text, defaultPorts[kind]));
  if (kind === 'single' && hosts.length > 1)
    throw new TypeError('"REDIS_URL" must name one host; several need +sentinel or +cluster');
  const path = (parts['path'] ?? '').split('/').slice(1).map(decode);
  return { kind, hosts, tls: parts['tls'] === 's', ...parsePath(kind, path), ...parseLogin(parts['login']) };
}

/** The prefix of all topics and keys: pub/sub ignores the database number, so it is part of the name. */
export function fullPrefix(name: string, target?: RedisTarget): string {
  return `${name}@${target?.db ?? 0}`;
}

const forms =
  'redis[s]://[user:password@]host[:port][/db], redis[s]+sentinel://[user:password@]host:port,.../master[/db] or redis[s]+cluster://[user:password@]host:port,...';

function parseHost(text: string, defaultPort: number): RedisHost {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[3] ?? defaultPort);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port < 1 || port > 65_535) {
    throw new TypeError(`"REDIS_URL" must name each host as host or host:port, got "${text}"`);
  }
  return { host, port };
}

function parsePath(kind: RedisTarget['kind'], path: string[]): { db: number; master: string } {
  const parts = path.filter((part) => part !== '');
  const master = kind === 'sentinel' ? parts.shift() : '';
  if (master === undefined) throw new TypeError('"REDIS_URL" with +sentinel must name the master: .../master[/db]');
  const db = parts.shift() ?? '0';
  if (parts.length > 0 || !/^\d{1,5}$/.test(db)) {
    throw new TypeError(`"REDIS_URL" must end with a database number, got "/${path.join('/')}"`);
  }
  if (kind === 'cluster' && db !== '0') throw new TypeError(`"REDIS_URL" with +cluster has no databases, got "/${db}"`);
  return { db: Number(db), master };
}

function parseLogin(login: string | undefined): { username?: string; password?: string } {
  if (login === undefined) return {};
  const colon = login.indexOf(':');
  const username = decode(colon < 0 ? login : login.slice(0, colon));
  const password = colon < 0 ? '' : decode(login.slice(colon + 1));
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError('"REDIS_URL" must be percent-encoded correctly in its login and path');
  }
}
