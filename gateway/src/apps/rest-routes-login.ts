import { MalformedError } from '@signalbox/app-sdk/protocol';
import { GatewayError } from '../errors.ts';
import type { HttpRequest } from '../http.ts';
import { readBody, textOf } from './rest-body.ts';
import type { RestCall } from './rest-names.ts';
import { both, jsonAnswer, type RestParts, type Route, type Success } from './rest-route.ts';

type ClaimPair = readonly [name: string, value: string];

/** What is asked of a login. Without claims, and without an end: it stays as it is. */
interface Asked {
  readonly connectionToken: string;
  readonly expires: number | undefined;
  readonly claims: readonly ClaimPair[];
}

/** Claims of clients and their renewal without a new connection, by the connection token (REST reference, section 5). */
export const loginRoutes: readonly Route[] = [
  {
    kind: 'answer',
    operation: 'refresh_auth',
    doc: 'Renews the login of a client: its claims, and until when it is valid, which only moves into the future. In a serverless hub only a login that ends can be renewed.',
    methods: ['POST'],
    paths: ['hubs/{hub}/connections/:refreshAuth'],
    ok: both(200),
    takes: 'LoginChange',
    gives: 'LoginClaims',
    refusals: ['login_unknown', 'login_user_mismatch'],
    answer: (call, parts, request) => answer(call, parts, request, readChange),
  },
  {
    kind: 'answer',
    operation: 'read_claims',
    doc: 'Reads the claims of a client. In a serverless hub those of a login that ends.',
    methods: ['POST'],
    paths: ['hubs/{hub}/connections/claims'],
    ok: both(200),
    takes: 'LoginOf',
    gives: 'LoginClaims',
    refusals: ['login_unknown'],
    answer: (call, parts, request) => answer(call, parts, request, readToken),
  },
];

async function answer(
  { hub }: RestCall,
  { connectionOf, limits, logins }: RestParts,
  request: HttpRequest,
  read: (body: Body) => Asked,
): Promise<Success> {
  const readers = { 'application/json': (body: Uint8Array) => read(membersOf(textOf(body))) };
  const { connectionToken, expires, claims } = await readBody(request, readers, limits.messageBytes);
  const connection = connectionOf(connectionToken, hub);
  if (connection === undefined) throw new GatewayError('login_unknown', '"connectionToken" must be one of this hub');
  const kept = await changed(() => logins.change({ hub, connection, expires, claims, server: '' }));
  return jsonAnswer({ claims: kept.map(([type, value]) => ({ type, value })) });
}

/** The refusals have codes of their own here. */
async function changed<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'connection_unknown') {
      throw new GatewayError('login_unknown', error.message);
    }
    if (error instanceof GatewayError && error.code === 'user_mismatch') {
      throw new GatewayError('login_user_mismatch', error.message);
    }
    throw error;
  }
}

/** Members of the body, names lower-cased. */
type Body = ReadonlyMap<string, unknown>;

function membersOf(text: string): Body {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new MalformedError('the body must be JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedError('the body must be a JSON object');
  }
  return new Map(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]));
}

function readToken(body: Body): Asked {
  const connectionToken = body.get('connectiontoken');
  if (typeof connectionToken !== 'string') throw new MalformedError('"connectionToken" must be a string');
  return { connectionToken, expires: undefined, claims: [] };
}

function readChange(body: Body): Asked {
  const time = body.get('expiretime');
  const expires = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(expires)) throw new MalformedError('"expireTime" must be a date and time as in ISO 8601');
  const claims = body.get('claims') ?? [];
  if (!Array.isArray(claims)) throw new MalformedError('"claims" must be an array');
  return { ...readToken(body), expires, claims: claims.map(readClaim) };
}

function readClaim(claim: unknown): ClaimPair {
  const { type, value } = Object(claim) as { readonly type?: unknown; readonly value?: unknown };
  if (typeof type === 'string' && typeof value === 'string') return [type, value];
  throw new MalformedError('each of "claims" must have "type" and "value", both strings');
}
