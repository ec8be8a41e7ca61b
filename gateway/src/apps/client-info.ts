import type { Claims, ServiceHeaders } from '@signalbox/app-sdk/protocol';
import type { Client } from '../core/app.ts';
import type { ClientOrigin } from '../core/origin.ts';
import type { ClientInfo } from './link.ts';

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

/** One header of {@link ServiceHeaders}. */
export type ServiceHeader = ServiceHeaders[number];

/** Names the node of a client: when it dies, the others name it in an `offline` ping. The same for all of its clients. */
export function instanceHeader(node: string): ServiceHeader {
  return ['Asrs-Instance-Id', [node]];
}

/**
 * What an app server is told of a client.
 * @param instance the header of the client's node
 */
export function clientInfo(client: Client, origin: ClientOrigin, instance: ServiceHeader): ClientInfo {
  return {
    connectionId: client.id,
    claims: origin.claims.map(({ name, text }) => [longNames.get(name) ?? name, text] as const),
    headers: headersOf(origin, instance),
    queryString: origin.query === '' ? '' : `?${origin.query}`,
    protocol: client.protocol,
  };
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
export function renewedClaims(before: Claims, given: Claims, userId: string | undefined): Claims | undefined {
  if (given.length === 0) return before;
  const renewed = [
    ...before.filter(([name]) => isOwn(name)),
    ...given.filter(([name]) => !isOwn(name)).map(([name, value]) => [longNames.get(name) ?? name, value] as const),
  ];
  return userOf(renewed) === userId ? renewed : undefined;
}

/** The rule of the token: `asrs.s.uid`, else the name identifier; empty is nobody. */
function userOf(claims: Claims): string | undefined {
  const uid = claims.find(([name]) => name === 'asrs.s.uid') ?? claims.find(([name]) => name === nameIdentifier);
  return uid?.[1] === '' ? undefined : uid?.[1];
}

/** The address is ours to tell: an app takes the first one at face value (service protocol, trap 27). */
function headersOf(origin: ClientOrigin, instance: ServiceHeader): ServiceHeaders {
  const own: ServiceHeader[] = [['X-Forwarded-For', [origin.remoteAddress]], instance];
  if (origin.diagnostic) own.push(['Asrs-Is-Diagnostic-Client', ['true']]);
  return [...own, ...origin.headers.map(([name, value]) => [name, [value]] as const)];
}
