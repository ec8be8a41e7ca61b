import { elements, members } from './json-members.ts';

/** One statement of a token. A claim with several values is several claims of one name. */
export interface Claim {
  readonly name: string;
  /** A string's content; the JSON text of everything else, so that `9007199254740993` stays itself. */
  readonly text: string;
}

/** The statements of a token, in the order of its payload. */
export type Claims = readonly Claim[];

/** What a client's token says to the gateway (negotiate reference, section 4.1), and all of its claims. */
export interface ClientClaims {
  /** Never empty; undefined: anonymous. */
  readonly userId: string | undefined;
  /** May the client see why it was closed? */
  readonly detailedErrors: boolean;
  readonly diagnostic: boolean;
  /** Time for the handshake request in ms; undefined: the gateway's own. */
  readonly handshakeMs: number | undefined;
  /** Time without a poll after which a long-polling client is gone, in ms; undefined: the gateway's own. */
  readonly pollIdleMs: number | undefined;
  /** Allowed transports, the sum of {@link transportBits}; undefined: all. */
  readonly transports: number | undefined;
  /** When the user's login ends and the connection with it, in ms since 1970; undefined: never. */
  readonly authExpires: number | undefined;
  /** Id of the app server that the client belongs to. */
  readonly server: string | undefined;
  /** How much it belongs there; undefined together with `server`. */
  readonly sticky: 'Preferred' | 'Required' | undefined;
  readonly all: Claims;
}

/** Bits of claim `asrs.s.htt`. */
export const transportBits = { WebSockets: 1, ServerSentEvents: 2, LongPolling: 4 } as const;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the payload of a token from its bytes.
 * @throws {SyntaxError | TypeError} when it is not a JSON object in UTF-8.
 */
export function readClaims(payload: Uint8Array): Claims {
  const claims: Claim[] = [];
  for (const [name, json] of members(utf8.decode(payload))) {
    const values = json.startsWith('[') ? elements(json) : [json];
    for (const value of values) claims.push({ name, text: textOf(value) });
  }
  return claims;
}

function textOf(json: string): string {
  if (json.startsWith('"')) return JSON.parse(json) as string;
  return json === 'null' ? '' : json;
}

/** The first value of a claim; undefined when the token has none of that name. */
export function firstClaim(claims: Claims, name: string): string | undefined {
  return claims.find((claim) => claim.name === name)?.text;
}

/** What a client's token says. Values out of their range count as not said, as in the official SDK. */
export function readClientClaims(all: Claims): ClientClaims {
  const said = (name: string): string | undefined => firstClaim(all, `asrs.s.${name}`);
  const server = said('sn') || undefined;
  const diagnostic = isTrue(said('dc'));
  const handshake = integer(said('cht'), 1, 30);
  const pollIdle = integer(said('ttl'), 1, 300);
  const expires = isTrue(said('coae')) && !diagnostic ? integer(said('aeo'), 0, 1e11) : undefined;
  return {
    userId: userOf(all),
    detailedErrors: isTrue(said('derror')),
    diagnostic,
    handshakeMs: inMs(handshake),
    pollIdleMs: inMs(pollIdle),
    transports: integer(said('htt'), 0, 7),
    authExpires: inMs(expires),
    server,
    sticky: server === undefined ? undefined : said('ssticky') === 'Required' ? 'Required' : 'Preferred',
    all,
  };
}

/** `asrs.s.uid` beats `nameid` beats `sub`, even when it is empty: then the user is anonymous (negotiate reference, 4.2 and trap 7). */
function userOf(all: Claims): string | undefined {
  for (const name of ['asrs.s.uid', 'nameid', 'sub']) {
    const text = firstClaim(all, name);
    if (text !== undefined) return text === '' ? undefined : text;
  }
  return undefined;
}

function isTrue(text: string | undefined): boolean {
  return text?.toLowerCase() === 'true';
}

function integer(text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined || !/^\d{1,12}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
