import type { Claims } from '../hub.ts';

const soap = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/';
const microsoft = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/';

/** The long .NET name of a claim, then the short JWT names that stand for it; the first short one is ours. */
const names: readonly (readonly [long: string, ...short: string[]])[] = [
  [`${soap}nameidentifier`, 'nameid', 'sub'],
  [`${soap}name`, 'unique_name'],
  [`${soap}emailaddress`, 'email'],
  [`${soap}givenname`, 'given_name'],
  [`${soap}surname`, 'family_name'],
  [`${soap}gender`, 'gender'],
  [`${soap}dateofbirth`, 'birthdate'],
  [`${soap}webpage`, 'website'],
  [`${soap}upn`, 'upn'],
  [`${microsoft}role`, 'role', 'roles'],
  [`${microsoft}groupsid`, 'group'],
  [`${microsoft}primarysid`, 'primarysid'],
  ['http://schemas.microsoft.com/identity/claims/objectidentifier', 'oid'],
  ['http://schemas.microsoft.com/identity/claims/scope', 'scp'],
  ['http://schemas.microsoft.com/identity/claims/tenantid', 'tid'],
];

const shortNames = new Map(
  names.flatMap(([long, ...short]) => [long, ...short].map((name) => [name, short[0] ?? long] as const)),
);

/** What the token needs for itself; an app's claims of these names travel under `asrs.u.` (negotiate reference, 4.2). */
const tokenNames = new Set(['aud', 'exp', 'iat', 'nbf', 'iss', 'actort', 'acr', 'azp', 'c_hash', 'jti', 'nonce']);

const system = 'asrs.s.';
const escaped = 'asrs.u.';

function nameOf(name: string): string {
  return shortNames.get(name) ?? name;
}

/** The name under which an app sees a claim; `undefined` for those that are the service's or the token's. */
function appName(name: string): string | undefined {
  if (name.startsWith(escaped)) return nameOf(name.slice(escaped.length));
  if (name.startsWith(system) || tokenNames.has(name)) return undefined;
  return nameOf(name);
}

class OrderedClaims implements Claims {
  readonly #pairs: readonly (readonly [string, string])[];

  constructor(pairs: readonly (readonly [string, string])[]) {
    this.#pairs = pairs;
  }

  get(name: string): string | undefined {
    return this.all(name)[0];
  }

  all(name: string): readonly string[] {
    const wanted = nameOf(name);
    return this.#pairs.flatMap(([claim, value]) => (claim === wanted ? [value] : []));
  }

  has(name: string, value?: string): boolean {
    const values = this.all(name);
    return value === undefined ? values.length > 0 : values.includes(value);
  }

  [Symbol.iterator](): Iterator<readonly [string, string]> {
    return this.#pairs[Symbol.iterator]();
  }
}

/** The claims of a token as its app sees them: short names, in their order, without the service's own. */
export function appClaims(pairs: Iterable<readonly [string, string]>): Claims {
  const seen: (readonly [string, string])[] = [];
  for (const [name, value] of pairs) {
    const known = appName(name);
    if (known !== undefined) seen.push([known, value]);
  }
  return new OrderedClaims(seen);
}

/** Whose a token is: `asrs.s.uid`, else `nameid`, else `sub` (negotiate reference, 4.2). */
export function userIdOf(pairs: Iterable<readonly [string, string]>): string | undefined {
  const all = [...pairs];
  const first = (...wanted: string[]): string | undefined => all.find(([name]) => wanted.includes(name))?.[1];
  return first('asrs.s.uid') ?? first('nameid', `${soap}nameidentifier`) ?? first('sub');
}
