import type { JWTPayload } from 'jose';
import { describe } from './address.ts';
import type { NegotiateOptions } from './negotiate-options.ts';

type ClaimValue = string | number | string[];

/** Names that a token needs for itself, so that an app's claims travel under `asrs.u.` (negotiate reference, 4.2). */
const escapedNames = ['aud', 'exp', 'iat', 'nbf', 'iss', 'actort', 'acr', 'azp', 'c_hash', 'jti', 'nonce'];

/** The bits of `asrs.s.htt`. */
const transportBits: Readonly<Record<string, number>> = { WebSockets: 1, ServerSentEvents: 2, LongPolling: 4 };

const stickyModes: Readonly<Record<string, string>> = { preferred: 'Preferred', required: 'Required' };
const defaultHandshakeSeconds = 15;

function wholeNumber(value: unknown, name: string, least: number, most: number): number {
  if (!Number.isInteger(value) || Number(value) < least || Number(value) > most) {
    throw new TypeError(`"${name}" must be a whole number from ${least} to ${most}, got ${describe(value)}`);
  }
  return Number(value);
}

/** The life of a token in seconds: a year at most. Throws `TypeError`. */
export function checkLifetime(value: number | undefined, fallback: number): number {
  return value === undefined ? fallback : wholeNumber(value, 'lifetimeSeconds', 1, 365 * 86_400);
}

function transportMask(transports: readonly string[]): string {
  if (transports.length === 0) throw new TypeError('"transports" must name at least one transport');
  let mask = 0;
  for (const transport of transports) {
    const bit = Object.hasOwn(transportBits, transport) ? transportBits[transport] : undefined;
    if (bit === undefined) {
      throw new TypeError(
        `"transports" must be of ${Object.keys(transportBits).join(', ')}, got ${describe(transport)}`,
      );
    }
    mask |= bit;
  }
  return String(mask);
}

/** Out of range means the service's default, as in Microsoft's SDK; what is no whole number is a mistake. */
function handshakeClaim(seconds: number): string | undefined {
  if (!Number.isInteger(seconds)) {
    throw new TypeError(`"handshakeTimeoutSeconds" must be a whole number, got ${describe(seconds)}`);
  }
  return seconds < 1 || seconds > 30 || seconds === defaultHandshakeSeconds ? undefined : String(seconds);
}

function unixSeconds(date: unknown): string {
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) {
    throw new TypeError(`"closeOnAuthExpiration" must be a valid Date, got ${describe(date)}`);
  }
  return String(Math.floor(date.getTime() / 1000));
}

function stickyClaims(mode: string, serverId: string | undefined): Record<string, ClaimValue> {
  const name = Object.hasOwn(stickyModes, mode) ? stickyModes[mode] : undefined;
  if (name === undefined) throw new TypeError(`"stickiness" must be preferred or required, got ${describe(mode)}`);
  if (serverId === undefined) throw new TypeError('"stickiness" needs an app server to stick to; this hub has none');
  return { 'asrs.s.sn': serverId, 'asrs.s.ssticky': name };
}

/** What the service itself reads (negotiate reference, 4.1). Numbers are written as text, as Microsoft's SDK does. */
function systemClaims(options: NegotiateOptions, serverId: string | undefined): Record<string, ClaimValue> {
  const { userId, stickiness, longPollingTimeoutSeconds, closeOnAuthExpiration, transports } = options;
  if (userId !== undefined && typeof userId !== 'string') {
    throw new TypeError(`"userId" must be a string, got ${describe(userId)}`);
  }
  const handshake =
    options.handshakeTimeoutSeconds === undefined ? undefined : handshakeClaim(options.handshakeTimeoutSeconds);
  return {
    ...(userId !== undefined && { 'asrs.s.uid': userId }),
    ...(stickiness !== undefined && stickyClaims(stickiness, serverId)),
    ...(options.detailedErrors && { 'asrs.s.derror': 'True' }),
    ...(longPollingTimeoutSeconds !== undefined && {
      'asrs.s.ttl': String(wholeNumber(longPollingTimeoutSeconds, 'longPollingTimeoutSeconds', 1, 300)),
    }),
    ...(options.diagnostic && { 'asrs.s.dc': 'true' }),
    ...(handshake !== undefined && { 'asrs.s.cht': handshake }),
    ...(transports !== undefined && { 'asrs.s.htt': transportMask(transports) }),
    ...(closeOnAuthExpiration !== undefined && {
      'asrs.s.coae': 'true',
      'asrs.s.aeo': unixSeconds(closeOnAuthExpiration),
    }),
  };
}

/** .NET writes numbers as numbers and all else as text. */
function claimValue(name: string, value: unknown): ClaimValue {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return [...value];
  throw new TypeError(
    `claim "${name}" must be a string, a finite number, a boolean or an array of strings, got ${describe(value)}`,
  );
}

function appClaims(claims: NonNullable<NegotiateOptions['claims']>): Record<string, ClaimValue> {
  const written: Record<string, ClaimValue> = {};
  for (const [name, given] of Object.entries(claims)) {
    if (name.startsWith('asrs.s.')) throw new TypeError(`claim "${name}" is the service's own; use the option for it`);
    const value = claimValue(name, given);
    if (Array.isArray(value) && value.length === 0) continue;
    if (name === 'sub' && Array.isArray(value)) {
      // A token has one subject: the first. The gateway hands the others over unescaped again.
      Object.assign(written, { sub: value[0], ...(value.length > 1 && { 'asrs.u.sub': value.slice(1) }) });
    } else {
      written[escapedNames.includes(name) ? `asrs.u.${name}` : name] = value;
    }
  }
  return written;
}

/**
 * The claims of a client token: the service's own, then the app's. Throws `TypeError` for options out of their range.
 * `serverId` is the app server that `stickiness` refers to.
 */
export function clientClaims(options: NegotiateOptions, serverId?: string): JWTPayload {
  return { ...systemClaims(options, serverId), ...appClaims(options.claims ?? {}) };
}
