import { audienceBase, type ConnectionString, clientBase } from './connection-string.ts';
import { SignalboxError } from './errors.ts';
import { checkLifetime, clientClaims } from './negotiate-claims.ts';
import type { NegotiateOptions, NegotiateResponse } from './negotiate-options.ts';
import { defaultLifetimeSeconds, type TokenSigner } from './token.ts';

export type { NegotiateOptions, NegotiateResponse } from './negotiate-options.ts';

/** A client token must be at most this long, as it also travels in URLs. */
const maxTokenCharacters = 4096;
const suffix = '/negotiate';

/** Path and query of a request: `originalUrl` where a router has cut `url`, and absolute URLs too. */
export function pathAndQuery(request: { readonly url?: string | undefined }): string {
  const { originalUrl } = request as { readonly originalUrl?: unknown };
  const url = typeof originalUrl === 'string' ? originalUrl : (request.url ?? '');
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return url;
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/** Percent-decoded as ASP.NET Core does: all but `%2F`; what does not decode stays as it is. */
function decodePath(path: string): string {
  try {
    return path.split(/%2f/i).map(decodeURIComponent).join('%2F');
  } catch {
    // A malformed escape is the client's; the hub sees it as it came.
    return path;
  }
}

/** The hub's path as seen by the client: what stands before the final `/negotiate`. */
function hubPath(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed.endsWith(suffix) ? decodePath(trimmed.slice(0, -suffix.length)) : '';
}

/** What goes behind `?hub=…`: path and query of the client's request, and the request id (negotiate reference, 2.1). */
export function redirectQuery(url: string, requestId: string): string {
  const split = url.indexOf('?');
  const path = hubPath(split < 0 ? url : url.slice(0, split));
  const query = split < 0 ? '' : url.slice(split + 1);
  const operation = path === '' ? '' : `&${new URLSearchParams({ 'asrs.op': path })}`;
  return `${operation}${query === '' ? '' : `&${query}`}&asrs_request_id=${encodeURIComponent(requestId)}`;
}

let requests = 0n;

/** A running number in base64, as Microsoft's SDK makes it. */
function nextRequestId(): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(++requests);
  return bytes.toString('base64');
}

/** What a negotiator is made of. `hub` is the full name; `serverId` what `stickiness` refers to. */
export interface NegotiatorParts {
  connectionString: ConnectionString;
  signer: TokenSigner;
  hub: string;
  serverId?: string;
}

/**
 * Answers negotiates for one hub: pure computation, no request. Without `request` and `requestId` the URL is that of
 * Microsoft's Management SDK, `client/?hub=…`. Rejects with `TypeError` for options out of range and with
 * ERR_TOKEN_TOO_LONG when the claims make the token longer than 4096 characters.
 */
export function createNegotiator(parts: NegotiatorParts): (options?: NegotiateOptions) => Promise<NegotiateResponse> {
  const url = `${clientBase(parts.connectionString)}client/?hub=${encodeURIComponent(parts.hub)}`;
  const audience = `${audienceBase(parts.connectionString)}client/?hub=${encodeURIComponent(parts.hub)}`;
  return async (options = {}) => {
    const lifetime = checkLifetime(options.lifetimeSeconds, defaultLifetimeSeconds);
    const accessToken = await parts.signer.sign(audience, clientClaims(options, parts.serverId), lifetime);
    if (accessToken.length > maxTokenCharacters) {
      throw new SignalboxError(
        'ERR_TOKEN_TOO_LONG',
        `the client token must be at most ${maxTokenCharacters} characters, got ${accessToken.length}; send fewer claims`,
      );
    }
    const { request, requestId } = options;
    const plain = request === undefined && requestId === undefined;
    const query = plain ? '' : redirectQuery(pathAndQuery(request ?? {}), requestId ?? nextRequestId());
    return { negotiateVersion: 0, url: url + query, accessToken, availableTransports: [] };
  };
}
