import type { ConnectionTokens } from '../auth/connection-token.ts';
import type { TransportKind } from '../core/transport.ts';
import { GatewayError } from '../errors.ts';
import type { HttpAnswer, HttpRequest } from '../http.ts';
import { allowsTransport, type Caller, type Gate } from './admit.ts';
import type { Cors } from './cors.ts';
import { parameters } from './query.ts';

/** The transports there are, as negotiate tells them, in the order in which clients try them. */
const transports = [
  { transport: 'WebSockets', transferFormats: ['Text', 'Binary'] },
  { transport: 'ServerSentEvents', transferFormats: ['Text'] },
  { transport: 'LongPolling', transferFormats: ['Text', 'Binary'] },
] as const;

const newestVersion = 1;

export interface NegotiateOptions {
  readonly gate: Pick<Gate, 'caller'>;
  readonly cors: Cors;
  readonly connectionTokens: Pick<ConnectionTokens, 'mint'>;
  /** Makes a connection id. */
  readonly mint: (hub: string, user: string | undefined) => string;
  /** Transports that are offered (SIGNALBOX_TRANSPORTS). */
  readonly transports: readonly TransportKind[];
}

/**
 * Answers a negotiate request: where to connect and with which id (client-transports, section 2).
 * @throws {GatewayError} `method_not_allowed`, and as {@link Gate.caller}.
 */
export async function negotiate(request: HttpRequest, options: NegotiateOptions): Promise<HttpAnswer> {
  if (request.method === 'OPTIONS') return options.cors.preflight(request);
  if (request.method !== 'POST') throw new GatewayError('method_not_allowed', 'negotiate takes POST only');
  const caller = await options.gate.caller(request);
  return {
    status: 200,
    headers: { ...options.cors.headers(request), 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
    body: JSON.stringify(answer(request, caller, options)),
  };
}

/** Its members in the order of the official writer; what is absent is left out, for Java fails on null. */
function answer(request: HttpRequest, caller: Caller, options: NegotiateOptions): object {
  const version = versionOf(request.query);
  if (typeof version === 'string') return { error: version };
  const availableTransports = transports.filter(
    ({ transport }) => options.transports.includes(transport) && allowsTransport(caller.claims, transport),
  );
  if (availableTransports.length === 0) return { error: 'The token (asrs.s.htt) allows no transport of this service.' };
  const { hub, claims } = caller;
  const id = options.mint(hub, claims.userId);
  const token = options.connectionTokens.mint(id, hub, claims.userId);
  // Version 0 knows one id, and it stands in URLs: it must be the secret.
  if (version === 0) return { negotiateVersion: version, connectionId: token, availableTransports };
  return { negotiateVersion: version, connectionId: id, connectionToken: token, availableTransports };
}

/** The version to answer with, or the text of the refusal (client-transports, 2.2). */
function versionOf(query: URLSearchParams): number | string {
  const asked = parameters(query, 'negotiateversion')[0]?.trim();
  if (asked === undefined) return 0;
  const version = /^[+-]?\d{1,10}$/.test(asked) ? Number(asked) : Number.NaN;
  if (Number.isNaN(version)) return 'The client requested a non-integer protocol version.';
  if (version < 0) return `The client requested version '${version}', but the server does not support this version.`;
  return Math.min(version, newestVersion);
}
