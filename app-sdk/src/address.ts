/** One string, or several. */
export type Ids = string | readonly string[];

/** What an address can name. */
export interface Places {
  all: true;
  group: string;
  groups: readonly string[];
  user: string;
  users: readonly string[];
  connection: string;
  connections: readonly string[];
}

/** Exactly one place: `{ all: true }`, `{ group: 'g', except: id }`, `{ users: […] }` …; `except` (connection ids) goes with `all` and `group`. */
export type Address = {
  [K in keyof Places]: { readonly [P in K]: Places[P] } & {
    readonly [P in Exclude<keyof Places, K>]?: never;
  } & (K extends 'all' | 'group' ? { readonly except?: Ids } : { readonly except?: never });
}[keyof Places];

/** Who a send is for; a plain string is a user id. */
export type Recipient = string | Address;

/** One connection, one user or one group. */
export type Place = { readonly connection: string } | { readonly user: string } | { readonly group: string };

/** A kind of place that one request can name. */
export type SinglePlace = 'all' | 'group' | 'user' | 'connection';

/** One place, checked. `id` is empty for `all`. */
export interface Spot {
  readonly place: SinglePlace;
  readonly id: string;
  readonly except: readonly string[];
}

/** An address after its checks: as the caller gave it, the word it used, and the spots it stands for. */
export interface CheckedAddress {
  readonly address: Address;
  readonly to: keyof Places;
  readonly spots: readonly Spot[];
}

/** What each place holds: nothing, one id or a list of them; and what one of its ids is. */
const places: Readonly<Record<keyof Places, { of: SinglePlace; list: boolean }>> = {
  all: { of: 'all', list: false },
  group: { of: 'group', list: false },
  groups: { of: 'group', list: true },
  user: { of: 'user', list: false },
  users: { of: 'user', list: true },
  connection: { of: 'connection', list: false },
  connections: { of: 'connection', list: true },
};

const placeNames = Object.keys(places) as (keyof Places)[];
const maxGroupLength = 1024;

/** How a value reads in an error text: its type, or the length of a text. Never the value of an object. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? `${value.length} characters` : JSON.stringify(value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'an array' : value === undefined ? 'undefined' : `a value of type ${typeof value}`;
}

/** A group name as the service takes it: 1 to 1024 characters, not only white space. Throws `TypeError`. */
export function checkGroup(value: unknown, name = 'group'): string {
  if (typeof value !== 'string') throw new TypeError(`"${name}" must be a string, got ${describe(value)}`);
  if (value.length < 1 || value.length > maxGroupLength) {
    throw new TypeError(`"${name}" must be 1 to ${maxGroupLength} characters, got ${value.length}`);
  }
  if (value.trim() === '') throw new TypeError(`"${name}" must not be only white space`);
  return value;
}

/** A user or connection id: any text that is not empty. Throws `TypeError`. */
export function checkId(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`"${name}" must be a string that is not empty, got ${describe(value)}`);
  }
  return value;
}

function checkList<T>(value: unknown, name: string, check: (item: unknown, name: string) => T): readonly T[] {
  if (!Array.isArray(value)) throw new TypeError(`"${name}" must be an array of strings, got ${describe(value)}`);
  return Array.from(value, (item, index) => check(item, `${name}[${index}]`));
}

/** Connection ids to leave out: none, one or a list. Throws `TypeError`. */
export function checkExcept(value: unknown): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [checkId(value, 'except')] : checkList(value, 'except', checkId);
}

/** The names given in an address, without those that are undefined. */
function given(value: object): string[] {
  return Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [key]));
}

function placeOf(value: object, allowed: readonly string[]): keyof Places {
  const names = given(value);
  const unknown = names.find((name) => name !== 'except' && !allowed.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`an address names one of ${allowed.join(', ')}; it has no "${unknown}"`);
  }
  const [place, second] = names.filter((name) => name !== 'except');
  if (place === undefined) throw new TypeError(`an address must name one of ${allowed.join(', ')}, got none`);
  if (second !== undefined)
    throw new TypeError(`an address must name exactly one place, got "${place}" and "${second}"`);
  return place as keyof Places;
}

function idsOf(to: keyof Places, value: unknown): readonly string[] {
  if (to === 'all') {
    if (value !== true) throw new TypeError(`"all" must be true, got ${describe(value)}`);
    return [''];
  }
  const { of, list } = places[to];
  const check = of === 'group' ? checkGroup : checkId;
  return list ? checkList(value, to, check) : [check(value, to)];
}

/**
 * An address that came from the caller, checked and spread into its spots. A plain string is a user id; a list may be
 * empty, and an id that stands in it twice counts once. Throws `TypeError` for anything but exactly one place.
 */
export function checkAddress(value: unknown, allowed: readonly string[] = placeNames): CheckedAddress {
  if (typeof value === 'string') return checkAddress({ user: value }, allowed);
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`an address must be a user id or an object, got ${describe(value)}`);
  }
  const to = placeOf(value, allowed);
  const members = value as Partial<Record<keyof Places | 'except', unknown>>;
  if (members.except !== undefined && to !== 'all' && to !== 'group') {
    throw new TypeError(`"except" goes with "all" and "group", not with "${to}"`);
  }
  const except = checkExcept(members.except);
  const ids = [...new Set(idsOf(to, members[to]))];
  return { address: value as Address, to, spots: ids.map((id) => ({ place: places[to].of, id, except })) };
}

/** A `Place`, or `{ all: true }` where `allowed` says so. Throws `TypeError`. */
export function checkPlace(value: unknown, allowed: readonly SinglePlace[]): Spot {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`a place must be an object that names one of ${allowed.join(', ')}, got ${describe(value)}`);
  }
  const [spot] = checkAddress(value, allowed).spots;
  if (spot === undefined || spot.except.length > 0) throw new TypeError('"except" goes with sends and closes only');
  return spot;
}
