import type { Claims as Pairs } from '@signalbox/app-sdk/protocol';
import type { Claims } from './claims.ts';

const soap = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/';
const nameIdentifier = `${soap}nameidentifier`;
const microsoft = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/';

/**
 * Short names of claims in tokens → the names that .NET gives them on reading (service protocol, 10.3). Without them a
 * hub sees no user name, no roles and no user id.
 */
const longNames: ReadonlyMap<string, string> = new Map([
  ['nameid', nameIdentifier],
  ['sub', nameIdentifier],
  ['role', `${microsoft}role`],
  ['roles', `${microsoft}role`],
  ['unique_name', `${soap}name`],
  ['email', `${soap}emailaddress`],
  ['given_name', `${soap}givenname`],
  ['family_name', `${soap}surname`],
  ['upn', `${soap}upn`],
  ['website', `${soap}webpage`],
  ['gender', `${soap}gender`],
  ['birthdate', `${soap}dateofbirth`],
  ['actort', `${soap}actor`],
  ['oid', 'http://schemas.microsoft.com/identity/claims/objectidentifier'],
  ['tid', 'http://schemas.microsoft.com/identity/claims/tenantid'],
  ['scp', 'http://schemas.microsoft.com/identity/claims/scope'],
]);

/** Claims of a token as apps are told them: each a name and a value. */
export function pairsOf(claims: Claims): Pairs {
  return claims.map(({ name, text }) => [name, text] as const);
}

/** The same claims under their long names, where they have one. */
export function longNamed(claims: Pairs): Pairs {
  return claims.map(([name, value]) => [longNames.get(name) ?? name, value] as const);
}

/** Claims that the gateway and the token itself need: an app cannot renew them. */
const ownClaims: ReadonlySet<string> = new Set(['aud', 'exp', 'iat', 'nbf', 'iss', 'jti']);

function isOwn(name: string): boolean {
  return name.startsWith('asrs.s.') || ownClaims.has(name);
}

/**
 * The claims of a client after its login was renewed: those of the app replace those of the app before.
 * @param given empty: nothing changes, and `before` itself is given back.
 * @returns undefined when they would make another user of it.
 */
export function renewedClaims(before: Pairs, given: Pairs, userId: string | undefined): Pairs | undefined {
  if (given.length === 0) return before;
  const renewed = [...before.filter(([name]) => isOwn(name)), ...given.filter(([name]) => !isOwn(name))];
  return userOf(renewed) === userId ? renewed : undefined;
}

/** The rule of the token: `asrs.s.uid`, else the name identifier; empty is nobody. */
function userOf(claims: Pairs): string | undefined {
  const named = longNamed(claims);
  const uid = named.find(([name]) => name === 'asrs.s.uid') ?? named.find(([name]) => name === nameIdentifier);
  return uid?.[1] === '' ? undefined : uid?.[1];
}
