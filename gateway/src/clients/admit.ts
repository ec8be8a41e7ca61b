import { type ClientClaims, readClientClaims, transportBits } from '../auth/claims.ts';
import type { ConnectionTokens } from '../auth/connection-token.ts';
import { type Refuse, refuser } from '../auth/token-refusals.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { Config } from '../config.ts';
import type { Clients } from '../core/clients.ts';
import type { Identity } from '../core/connection.ts';
import type { ClientOrigin } from '../core/origin.ts';
import type { TransportKind } from '../core/transport.ts';
import { GatewayError } from '../errors.ts';
import type { HttpRequest } from '../http.ts';
import type { Events } from '../observe/events.ts';
import type { CountedLimit } from '../reasons.ts';
import type { ConnectionClaims } from './claims.ts';
import type { ConnectRate } from './connect-rate.ts';
import type { Cors } from './cors.ts';
import { parameters, withoutSecrets } from './query.ts';

/** Who asks, as its token says. */
export interface Caller {
  /** Lower-cased. */
  readonly hub: string;
  readonly claims: ClientClaims;
}

/** A client that may connect. */
export interface Admission extends Identity {
  readonly origin: ClientOrigin;
  /** Time without a poll after which a long-polling client is gone, in ms; undefined: the gateway's own. */
  readonly pollIdleMs?: number | undefined;
}

/** What a request of a connection shows: the connection, and that it may ask for it. */
export interface Known {
  /** Lower-cased. */
  readonly hub: string;
  readonly connectionId: string;
  /** May the connection token still open the connection? */
  readonly fresh: boolean;
}

export interface GateOptions {
  readonly tokens: Pick<Tokens, 'verify'>;
  readonly connectionTokens: ConnectionTokens;
  readonly clients: Pick<Clients, 'refusal'>;
  readonly connectionClaims: ConnectionClaims;
  readonly rate: ConnectRate;
  readonly cors: Cors;
  /** Makes a connection id. */
  readonly mint: (hub: string, user: string | undefined) => string;
  readonly events: Pick<Events, 'limitReached' | 'tokenRefused'>;
  readonly config: Pick<Config, 'userIdChars' | 'handshakeMs' | 'transports'>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const hubForm = /^[A-Za-z][A-Za-z0-9_`,.[\]]{0,127}$/;

/** The same gate for negotiate and for all transports: token, hub, origin, limits, connection token. */
export class Gate {
  readonly #options: GateOptions;
  readonly #now: () => number;
  readonly #refuse: Refuse;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#refuse = refuser(options.events);
    this.#now = options.now ?? Date.now;
  }

  /**
   * Who asks. There is room for it, at this moment.
   * @throws {GatewayError} `hub_invalid`, `unauthorized`, `name_invalid`, `limit_reached`, `draining`.
   */
  async caller(request: HttpRequest): Promise<Caller> {
    const hub = hubOf(request.query);
    const claims = readClientClaims(await this.#options.tokens.verify(tokenOf(request), { role: 'client', hub }));
    const { userId, authExpires = Number.POSITIVE_INFINITY } = claims;
    // It would be closed within a second, with leave to come back: in a circle.
    if (authExpires <= this.#now()) throw this.#refuse('login_expired');
    const { userIdChars } = this.#options.config;
    if (userId !== undefined && userId.length > userIdChars) {
      throw new GatewayError(
        'name_invalid',
        `the user id must be at most ${userIdChars} characters, got ${userId.length}`,
      );
    }
    this.#checkRoom(hub, userId);
    return { hub, claims };
  }

  /**
   * Lets a client in by its first GET or upgrade, and makes its connection token worthless for any other.
   * @throws {GatewayError} as {@link caller}, and `forbidden_origin`, `connection_token_unknown`, `user_mismatch`,
   * `connection_in_use`, `route_unknown` for a transport that its token does not allow.
   */
  async admit(request: HttpRequest, transport: TransportKind): Promise<Admission> {
    this.#checkOrigin(request);
    const { hub, claims } = await this.caller(request);
    const offered = this.#options.config.transports.includes(transport);
    if (!offered || !allowsTransport(claims, transport)) throw transportOff(transport);
    const connectionId = await this.#connectionId(request, hub, claims.userId);
    return {
      hub,
      connectionId,
      userId: claims.userId,
      detailedErrors: claims.detailedErrors,
      authExpires: claims.authExpires,
      handshakeMs: claims.handshakeMs ?? this.#options.config.handshakeMs,
      origin: originOf(request, claims),
      pollIdleMs: claims.pollIdleMs,
    };
  }

  /**
   * Whose connection a request belongs to. The caller is known by signature and user: the token was looked at in full where
   * the connection started, and its age counts no more.
   * @throws {GatewayError} `forbidden_origin`, `request_invalid` without an id, `hub_invalid`, `unauthorized`,
   * `connection_token_unknown`, `user_mismatch`.
   */
  async later(request: HttpRequest): Promise<Known> {
    this.#checkOrigin(request);
    const token = parameters(request.query, 'id').at(-1);
    if (token === undefined) throw new GatewayError('request_invalid', 'Connection ID required');
    const hub = hubOf(request.query);
    const claims = await this.#options.tokens.verify(tokenOf(request), { role: 'client', hub, later: true });
    const { userId } = readClientClaims(claims);
    const { connectionId, firstUseUntil } = this.#options.connectionTokens.verify(token, hub, userId, 'later');
    return { hub, connectionId, fresh: firstUseUntil > this.#now() };
  }

  /** WebSockets know no CORS: the origin is checked before anything else (client-transports, 4.2). */
  #checkOrigin(request: HttpRequest): void {
    const origin = request.header('origin');
    if (origin === undefined || this.#options.cors.allows(origin)) return;
    throw new GatewayError(
      'forbidden_origin',
      `"Origin" must be in SIGNALBOX_CORS_ORIGINS, got ${JSON.stringify(origin)}`,
    );
  }

  #checkRoom(hub: string, user: string | undefined): void {
    const limit = this.#options.clients.refusal(hub, user);
    if (limit === undefined) return;
    if (limit === 'draining') throw new GatewayError('draining', 'this node is stopping: connect again');
    if (limit === 'no_link') throw new GatewayError('no_link', `no app server is connected to hub '${hub}'`);
    this.#limitReached(limit);
  }

  #limitReached(limit: CountedLimit): never {
    this.#options.events.limitReached(limit);
    throw new GatewayError('limit_reached', `no more client connections: ${limit} is reached`);
  }

  /** The id that was negotiated, claimed for this request; a new one for a client that did not negotiate. */
  async #connectionId(request: HttpRequest, hub: string, user: string | undefined): Promise<string> {
    const token = parameters(request.query, 'id').at(-1);
    const verified = token === undefined ? undefined : this.#options.connectionTokens.verify(token, hub, user, 'first');
    // Before the claim, so that a client that was too fast may come again with the same id.
    if (!this.#options.rate.take()) this.#limitReached('SIGNALBOX_CONNECT_RATE');
    if (verified === undefined) return this.#options.mint(hub, user);
    const { connectionId, firstUseUntil } = verified;
    const ttlSeconds = Math.max(1, Math.ceil((firstUseUntil - this.#now()) / 1000));
    if (!(await this.#options.connectionClaims.claim(connectionId, ttlSeconds))) {
      throw new GatewayError('connection_in_use', 'the connection has a transport already');
    }
    // Others may have taken the last place while the claim was asked for.
    this.#checkRoom(hub, user);
    return connectionId;
  }
}

/** What an app may see of the headers: what the client is (service protocol, 10.3). Where it comes from is ours to tell. */
const shownHeaders = ['user-agent', 'x-signalr-user-agent', 'origin', 'accept-language'] as const;

function originOf(request: HttpRequest, claims: ClientClaims): ClientOrigin {
  const headers: [string, string][] = [];
  for (const name of shownHeaders) {
    const value = request.header(name);
    if (value !== undefined) headers.push([name, value]);
  }
  return {
    claims: claims.all,
    query: withoutSecrets(request.queryText),
    headers,
    remoteAddress: request.sender.address,
    server: claims.server,
    sticky: claims.sticky,
    diagnostic: claims.diagnostic,
  };
}

/** The first `hub`: a hostile client can append another (negotiate reference, 2.1). */
function hubOf(query: URLSearchParams): string {
  const [hub] = parameters(query, 'hub');
  if (hub === undefined) throw new GatewayError('hub_invalid', 'the query parameter "hub" is required');
  if (!hubForm.test(hub)) {
    throw new GatewayError(
      'hub_invalid',
      `"hub" must be 1 to 128 characters, a letter and then letters, digits or _\`,.[], got ${JSON.stringify(hub.slice(0, 128))}`,
    );
  }
  return hub.toLowerCase();
}

/** The header rules; the query is for what a browser cannot give a header: WebSocket and event stream, both GET. */
function tokenOf(request: HttpRequest): string | undefined {
  const match = /^bearer +(\S+) *$/i.exec(request.header('authorization') ?? '');
  if (match !== null) return match[1];
  return request.method === 'GET' ? parameters(request.query, 'access_token').at(-1) : undefined;
}

/** Does the token allow this transport (claim `asrs.s.htt`)? */
export function allowsTransport(claims: ClientClaims, transport: TransportKind): boolean {
  return claims.transports === undefined || (claims.transports & transportBits[transport]) !== 0;
}

/** The refusal of a transport that is switched off, here or by the token (client-transports, 8.1). */
export function transportOff(transport: TransportKind): GatewayError {
  return new GatewayError('route_unknown', `${transport} transport not supported by this end point type`);
}
