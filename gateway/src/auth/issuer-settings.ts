import { type Config, ConfigError } from '../config.ts';
import { textOrFile } from '../config-file.ts';

/** An outside issuer whose tokens open `/client/`, as the settings say. */
export interface IssuerSettings {
  /** Exactly the `iss` of its tokens. */
  readonly issuer: string;
  /** Where its keys are; undefined: where its discovery document says. */
  readonly jwksUrl: string | undefined;
  readonly algorithms: readonly string[];
  /** A token must name one of them. Never empty. */
  readonly audiences: readonly string[];
  /** Claims that a token must have → what one value of it must be; empty: anything. */
  readonly claims: ReadonlyMap<string, readonly string[]>;
  /** The claim that is the user id. */
  readonly userClaim: string;
  /** Put before the user id, so that two issuers never mean one user. */
  readonly userPrefix: string;
  /** Lower-cased hubs; undefined: every hub. */
  readonly hubs: ReadonlySet<string> | undefined;
  readonly clockToleranceSeconds: number;
  /** Is a connection closed when the token that opened it expires? */
  readonly closeOnExpiry: boolean;
  /** May keys come over `http://` from elsewhere than this machine? */
  readonly allowHttp: boolean;
}

/**
 * Algorithms with key pairs, which are all that there are: with a shared secret anybody who can verify could sign, and a
 * public key taken for a secret would let anybody in.
 */
export const issuerAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const mostTolerance = 600;
const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * The issuers of SIGNALBOX_ISSUERS or SIGNALBOX_ISSUERS_FILE.
 * @throws {ConfigError} naming the setting, the place in it, the rule and the value.
 */
export function readIssuers(config: Pick<Config, 'issuers' | 'issuersFile'>): readonly IssuerSettings[] {
  const given = textOrFile('SIGNALBOX_ISSUERS', config.issuers, config.issuersFile);
  return given === undefined ? [] : parseIssuers(given.setting, given.text);
}

/**
 * Reads a JSON array of issuers.
 * @param setting its name, for the texts
 * @throws {ConfigError} as {@link readIssuers}.
 */
export function parseIssuers(setting: string, text: string): readonly IssuerSettings[] {
  const list = parseJson(setting, text);
  if (!Array.isArray(list)) throw new ConfigError(`${setting} must be a JSON array of issuers`);
  const issuers = list.map((item: unknown, at) => readIssuer(`${setting}[${at}]`, item));
  const names = issuers.map(({ issuer }) => issuer);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new ConfigError(`${setting} must name each issuer once, got ${twice} twice`);
  return issuers;
}

function parseJson(setting: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError(`${setting} must be valid JSON`);
  }
}

/** One member of an issuer: what it must be, and what it is when it is absent. */
class Member<T> {
  readonly rule: string;
  readonly #fallback: T | undefined;
  readonly #read: (value: unknown) => T | undefined;

  constructor(rule: string, fallback: T | undefined, read: (value: unknown) => T | undefined) {
    this.rule = rule;
    this.#fallback = fallback;
    this.#read = read;
  }

  of(place: string, value: unknown): T {
    const read = value === undefined ? this.#fallback : this.#read(value);
    if (read !== undefined) return read;
    throw new ConfigError(`${place} must be ${this.rule}, got ${JSON.stringify(value) ?? 'nothing'}`);
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const flag = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined);

/** A string counts as a list of one. */
function texts(value: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const read = list.map(text).filter((item) => item !== undefined);
  return read.length === list.length && list.length > 0 ? read : undefined;
}

function algorithms(value: unknown): readonly string[] | undefined {
  const names = texts(value);
  return names?.every((name) => issuerAlgorithms.some((known) => known === name)) ? names : undefined;
}

function claims(value: unknown): IssuerSettings['claims'] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const read = new Map<string, readonly string[]>();
  for (const [name, wanted] of Object.entries(value)) {
    const list: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
    if (list.length === 0 || !list.every((one) => ['string', 'number', 'boolean'].includes(typeof one)))
      return undefined;
    read.set(name, list.includes('*') ? [] : list.map(String));
  }
  return read;
}

function tolerance(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= mostTolerance ? value : undefined;
}

const everyHub = new Set<string>();

const members = {
  issuer: new Member('the "iss" of its tokens', undefined, text),
  audiences: new Member('one audience or a list of them', undefined, texts),
  jwksUrl: new Member<string>('a URL', '', text),
  algorithms: new Member<readonly string[]>(`some of ${issuerAlgorithms.join(', ')}`, issuerAlgorithms, algorithms),
  claims: new Member<IssuerSettings['claims']>(
    'an object of claims, each with a value, a list of values, or "*"',
    new Map(),
    claims,
  ),
  userClaim: new Member('the name of a claim', 'sub', text),
  userPrefix: new Member('a text', '', text),
  hubs: new Member<ReadonlySet<string>>('a hub or a list of hubs', everyHub, (value) => {
    const names = texts(value);
    return names && new Set(names.map((name) => name.toLowerCase()));
  }),
  clockToleranceSeconds: new Member(`a number from 0 to ${mostTolerance}`, 60, tolerance),
  closeOnExpiry: new Member('true or false', false, flag),
  allowHttp: new Member('true or false', false, flag),
};

function readIssuer(place: string, item: unknown): IssuerSettings {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    throw new ConfigError(`${place} must be an object with "issuer" and "audiences"`);
  }
  const given = item as Readonly<Record<string, unknown>>;
  const stranger = Object.keys(given).find((name) => !Object.hasOwn(members, name));
  if (stranger !== undefined) {
    throw new ConfigError(`${place} must have only ${Object.keys(members).join(', ')}, got "${stranger}"`);
  }
  const read = <T>(name: keyof typeof members, member: Member<T>): T => member.of(`${place}.${name}`, given[name]);
  const hubs = read('hubs', members.hubs);
  const settings = {
    issuer: read('issuer', members.issuer),
    jwksUrl: read('jwksUrl', members.jwksUrl) || undefined,
    algorithms: read('algorithms', members.algorithms),
    audiences: read('audiences', members.audiences),
    claims: read('claims', members.claims),
    userClaim: read('userClaim', members.userClaim),
    userPrefix: read('userPrefix', members.userPrefix),
    hubs: hubs === everyHub ? undefined : hubs,
    clockToleranceSeconds: read('clockToleranceSeconds', members.clockToleranceSeconds),
    closeOnExpiry: read('closeOnExpiry', members.closeOnExpiry),
    allowHttp: read('allowHttp', members.allowHttp),
  };
  checkUrl(place, settings);
  return settings;
}

function checkUrl(place: string, { issuer, jwksUrl, allowHttp }: IssuerSettings): void {
  const fault = keyUrlFault(jwksUrl ?? issuer, allowHttp);
  if (fault === undefined) return;
  const what = jwksUrl === undefined ? 'issuer, without "jwksUrl",' : 'jwksUrl';
  throw new ConfigError(`${place}.${what} must be ${fault}, got ${JSON.stringify(jwksUrl ?? issuer)}`);
}

/** What a place to fetch keys from must be and is not; undefined: it may be used. Whoever is on the way could give keys of his own. */
export function keyUrlFault(url: string, allowHttp: boolean): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) return 'an https:// URL';
  if (parsed.username !== '' || parsed.password !== '') return 'a URL without user and password';
  const plain = parsed.protocol === 'http:' && !allowHttp && !loopback.has(parsed.hostname);
  return plain ? 'an https:// URL, or have "allowHttp": true' : undefined;
}
