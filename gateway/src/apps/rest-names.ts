import type { Config } from '../config.ts';
import { GatewayError } from '../errors.ts';
import type { Send } from '../protocol/command.ts';
import { type Query, quoted } from './rest-query.ts';

/** The settings that bound what one REST request may name. */
export type NameLimits = Pick<Config, 'groupNameChars' | 'userIdChars' | 'listLength'>;

/** The names that stand in a path, decoded once. A template decides which are there. */
export type PathNames = Readonly<Partial<Record<'hub' | 'group' | 'user' | 'connection' | 'stream', string>>>;

const hubForm = /^[A-Za-z][A-Za-z0-9_`,.[\]]{0,127}$/;
const hubRule = '1 to 128 characters: a letter, then letters, digits or _`,.[]';
const largestTtl = 2_147_483_647;
const longestStreamId = 100;

/** What one request names, checked on the way out: rows of the route table ask for what they need (REST reference, 2.1, 2.2). */
export class RestCall {
  /** Lower-cased full name of the hub, application prefix included. */
  readonly hub: string;
  readonly #names: PathNames;
  readonly #query: Query;
  readonly #limits: NameLimits;

  /** @throws {GatewayError} `hub_invalid`; `request_invalid` for a query that no hub operation takes. */
  constructor(names: PathNames, query: Query, limits: NameLimits) {
    this.#names = names;
    this.#query = query;
    this.#limits = limits;
    this.hub = fullHub(names.hub ?? '', query.one('application'));
    if (query.has('filter')) throw new GatewayError('request_invalid', '"filter" must be absent: it is not supported');
  }

  /** @throws {GatewayError} `name_invalid` */
  group(): string {
    return checkGroup(this.#names.group, this.#limits);
  }

  /** @throws {GatewayError} `name_invalid` */
  user(): string {
    return checkUser(this.#names.user, this.#limits);
  }

  /** @throws {GatewayError} `name_invalid` */
  connection(): string {
    return checkConnection(this.#names.connection);
  }

  /** @throws {GatewayError} `name_invalid` */
  stream(): string {
    return notBlank('stream', bounded('stream', this.#names.stream, longestStreamId));
  }

  /** A send to the one connection that the path names. @throws {GatewayError} `name_invalid` */
  toConnection(): Omit<Send, 'payload'> {
    const to = { kind: 'connection', connection: this.connection() } as const;
    return { kind: 'send', hub: this.hub, to, exceptConnections: [], exceptUsers: [] };
  }

  /**
   * Connections left out of a send or a close; empty values name nobody.
   * @throws {GatewayError} `request_invalid` when there are more than SIGNALBOX_LIST_LENGTH.
   */
  excluded(): readonly string[] {
    const ids = this.#query.all('excluded').filter((id) => id !== '');
    const most = this.#limits.listLength;
    if (ids.length <= most) return ids;
    throw new GatewayError('request_invalid', `"excluded" must be given at most ${most} times, got ${ids.length}`);
  }

  /** Text for the client's close error; `undefined` when absent or empty. */
  reason(): string | undefined {
    return this.#query.one('reason') || undefined;
  }

  /**
   * Seconds that a standing membership lasts, 0 included; `undefined` when absent (REST reference, section 6).
   * @throws {GatewayError} `request_invalid`
   */
  ttlSeconds(): number | undefined {
    return this.integer('ttl', 0, largestTtl);
  }

  /** The error that ends a stream, as the Management SDK names it; `undefined` when absent or empty. */
  error(): string | undefined {
    return this.#query.one('error') || undefined;
  }

  /** The user that a token is for; `undefined` when absent or empty. @throws {GatewayError} `name_invalid` */
  userId(): string | undefined {
    const user = this.#query.one('userId');
    return user ? bounded('userId', user, this.#limits.userIdChars) : undefined;
  }

  /** A whole number in the query; `undefined` when absent. @throws {GatewayError} `request_invalid` */
  integer(name: string, least: number, most: number): number | undefined {
    const text = this.#query.one(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new GatewayError(
      'request_invalid',
      `"${name}" must be an integer from ${least} to ${most}, got ${quoted(text)}`,
    );
  }

  /** Yes or no in the query; absent is no. @throws {GatewayError} `request_invalid` */
  flag(name: string): boolean {
    const text = this.#query.one(name)?.toLowerCase() ?? 'false';
    if (text === 'true' || text === 'false') return text === 'true';
    throw new GatewayError('request_invalid', `"${name}" must be true or false, got ${quoted(text)}`);
  }

  /** The connection id behind which a list goes on; empty: from the first. @throws {GatewayError} `request_invalid` */
  continuation(): string {
    const token = this.#query.one('continuationToken');
    if (token === undefined) return '';
    const id = Buffer.from(token, 'base64url');
    if (id.length > 0 && id.toString('base64url') === token) return id.toString();
    throw new GatewayError('request_invalid', `"continuationToken" must be one of a nextLink, got ${quoted(token)}`);
  }

  /** What stands in the query of every operation, where it was given. */
  common(): readonly (readonly [name: string, value: string])[] {
    return ['application', 'api-version'].flatMap((name) =>
      this.#query.all(name).map((value) => [name, value] as const),
    );
  }
}

/** @throws {GatewayError} `name_invalid` */
export function checkGroup(value: string | undefined, limits: NameLimits): string {
  return notBlank('group', bounded('group', value, limits.groupNameChars));
}

/** @throws {GatewayError} `name_invalid` */
export function checkUser(value: string | undefined, limits: NameLimits): string {
  return bounded('user', value, limits.userIdChars);
}

/** @throws {GatewayError} `name_invalid` */
export function checkConnection(value: string | undefined): string {
  if (value) return value;
  throw new GatewayError('name_invalid', '"connection" must not be empty');
}

function notBlank(name: string, value: string): string {
  if (value.trim() !== '') return value;
  throw new GatewayError('name_invalid', `"${name}" must not be only white space`);
}

function bounded(name: string, value: string | undefined, most: number): string {
  const length = value?.length ?? 0;
  if (value !== undefined && length >= 1 && length <= most) return value;
  throw new GatewayError('name_invalid', `"${name}" must be 1 to ${most} characters, got ${length}`);
}

/**
 * The lower-cased full name of a hub, its application's in front.
 * @throws {GatewayError} `hub_invalid`
 */
export function fullHub(hub: string, application: string | undefined): string {
  const parts = application ? { application, hub } : { hub };
  for (const [name, value] of Object.entries(parts)) {
    if (!hubForm.test(value))
      throw new GatewayError('hub_invalid', `"${name}" must be ${hubRule}, got ${quoted(value)}`);
  }
  return Object.values(parts).join('_').toLowerCase();
}

/** The versions that were published (REST reference, section 1). */
export const apiVersions = ['1.0', '2022-06-01', '2022-11-01', '2023-07-01', '2024-12-01', '2026-07-01'] as const;
const versions: ReadonlySet<string> = new Set([...apiVersions, 'v1', 'v1.0']);

/**
 * Operations are not gated by version, but a version that nobody published is a mistake (REST reference, section 1).
 * @throws {GatewayError} `version_unknown`
 */
export function checkVersion(query: Query): void {
  const version = query.one('api-version');
  if (version === undefined || versions.has(version.toLowerCase())) return;
  const known = apiVersions.join(', ');
  throw new GatewayError('version_unknown', `"api-version" must be one of ${known}, got ${quoted(version)}`);
}

/** The header that carries a message tracing id (REST reference, 2.3). */
export const tracingHeader = 'x-asrs-message-tracing-id';

/**
 * A message tracing id: an unsigned integer of 64 bits in decimal; `undefined` when absent.
 * @throws {GatewayError} `request_invalid`
 */
export function readTracingId(header: string | undefined): bigint | undefined {
  if (header === undefined || header === '') return undefined;
  if (/^\d{1,20}$/.test(header)) {
    const id = BigInt(header);
    if (id < 1n << 64n) return id;
  }
  throw new GatewayError(
    'request_invalid',
    `"X-ASRS-Message-Tracing-Id" must be a decimal integer from 0 to 18446744073709551615, got ${quoted(header)}`,
  );
}
