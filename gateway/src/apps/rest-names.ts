import type { Config } from '../config.ts';
import { GatewayError } from '../errors.ts';
import { type Query, quoted } from './rest-query.ts';

/** The settings that bound what one REST request may name. */
export type NameLimits = Pick<Config, 'groupNameChars' | 'userIdChars' | 'listLength'>;

/** The names that stand in a path, decoded once. A template decides which are there. */
export type PathNames = Readonly<Partial<Record<'hub' | 'group' | 'user' | 'connection', string>>>;

const hubForm = /^[A-Za-z][A-Za-z0-9_`,.[\]]{0,127}$/;
const hubRule = '1 to 128 characters: a letter, then letters, digits or _`,.[]';
const largestTtl = 2_147_483_647;

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
    const group = bounded('group', this.#names.group, this.#limits.groupNameChars);
    if (group.trim() === '') throw new GatewayError('name_invalid', '"group" must not be only white space');
    return group;
  }

  /** @throws {GatewayError} `name_invalid` */
  user(): string {
    return bounded('user', this.#names.user, this.#limits.userIdChars);
  }

  /** @throws {GatewayError} `name_invalid` */
  connection(): string {
    const connection = this.#names.connection ?? '';
    if (connection === '') throw new GatewayError('name_invalid', '"connection" must not be empty');
    return connection;
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
    const ttl = this.#query.one('ttl');
    if (ttl === undefined) return undefined;
    if (/^\d{1,10}$/.test(ttl) && Number(ttl) <= largestTtl) return Number(ttl);
    throw new GatewayError('request_invalid', `"ttl" must be an integer from 0 to ${largestTtl}, got ${quoted(ttl)}`);
  }
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

const versions: ReadonlySet<string> = new Set([
  '1.0',
  'v1',
  'v1.0',
  '2022-06-01',
  '2022-11-01',
  '2023-07-01',
  '2024-12-01',
  '2026-07-01',
]);

/**
 * Operations are not gated by version, but a version that nobody published is a mistake (REST reference, section 1).
 * @throws {GatewayError} `version_unknown`
 */
export function checkVersion(query: Query): void {
  const version = query.one('api-version');
  if (version === undefined || versions.has(version.toLowerCase())) return;
  const known = [...versions].filter((name) => !name.startsWith('v')).join(', ');
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
