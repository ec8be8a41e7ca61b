import type { Tokens } from '../auth/tokens.ts';
import type { Config } from '../config.ts';
import type { Router } from '../core/router.ts';
import { errors, GatewayError } from '../errors.ts';
import { errorAnswer, type HttpAnswer, type HttpHandler, type HttpRequest } from '../http.ts';
import type { Events } from '../observe/events.ts';
import type { Log } from '../observe/log.ts';
import { readPayload } from './rest-body.ts';
import { type Match, matchRoute } from './rest-match.ts';
import { checkVersion, type NameLimits, RestCall, readTracingId, tracingHeader } from './rest-names.ts';
import { Query } from './rest-query.ts';
import type { Route } from './rest-routes.ts';

/** What the REST door needs. */
export interface RestApiParts {
  readonly router: Router;
  readonly tokens: Pick<Tokens, 'verify'>;
  readonly events: Pick<Events, 'rest'>;
  readonly log: Log;
  readonly limits: NameLimits & Pick<Config, 'messageBytes' | 'maxGroupsPerConnection'>;
  /** Version of the gateway, told in the header `x-signalbox` of every answer. */
  readonly version: string;
}

type Found = Extract<Match, { kind: 'found' }>;
type HubRoute = Exclude<Route, { kind: 'open' }>;

/**
 * Makes the door through which back-ends push without a link: the table of `rest-routes.ts` over HTTP, everything below
 * `/api/`. What was wrong is answered with a code of the table of errors; nothing is thrown.
 */
export function createRestApi(parts: RestApiParts): HttpHandler {
  return (request) => (/^\/api(\/|$)/i.test(request.path) ? answer(parts, request) : undefined);
}

async function answer(parts: RestApiParts, request: HttpRequest): Promise<HttpAnswer> {
  const started = performance.now();
  const match = matchRoute(request.method, request.path);
  const operation = match.kind === 'found' ? match.route.operation : 'unknown';
  const { headers, ...rest } = await answerMatch(parts, request, match);
  parts.events.rest(operation, rest.status, (performance.now() - started) / 1000);
  return { ...rest, headers: { ...headers, 'x-signalbox': parts.version } };
}

async function answerMatch(parts: RestApiParts, request: HttpRequest, match: Match): Promise<HttpAnswer> {
  if (match.kind === 'refused') {
    const { headers, ...rest } = errorAnswer(match.error);
    return { ...rest, headers: { ...headers, ...(match.allow && { Allow: match.allow.join(', ') }) } };
  }
  try {
    return await serve(parts, request, match);
  } catch (error) {
    return errorAnswer(asRefusal(parts, match.route, error));
  }
}

/** What is no refusal is a defect of ours: logged whole, answered without a word about it. */
function asRefusal(parts: RestApiParts, route: Route, error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const facts = { operation: route.operation, error: error instanceof Error ? error : String(error) };
  parts.log.error('a REST request failed', facts);
  return new GatewayError('internal', errors.internal.doc);
}

async function serve(parts: RestApiParts, request: HttpRequest, match: Found): Promise<HttpAnswer> {
  const { route, style, names } = match;
  const query = new Query(request.queryText);
  checkVersion(query);
  if (route.kind === 'open') return { status: route.ok[style] };
  const call = new RestCall(names, query, parts.limits);
  await parts.tokens.verify(bearer(request), { role: 'api', path: request.path });
  traced(parts, request, route);
  if (route.kind === 'send') return await send(parts, request, route, style, call);
  return await ask(parts, route, style, call);
}

/** Only the header counts: a token in the query belongs to clients. */
function bearer(request: HttpRequest): string | undefined {
  return /^Bearer +([^ ]+)$/i.exec(request.header('authorization') ?? '')?.[1];
}

function traced(parts: RestApiParts, request: HttpRequest, route: HubRoute): void {
  const tracingId = readTracingId(request.header(tracingHeader));
  if (tracingId !== undefined) parts.log.debug('a traced REST request', { operation: route.operation, tracingId });
}

async function send(
  parts: RestApiParts,
  request: HttpRequest,
  route: Extract<Route, { kind: 'send' }>,
  style: Found['style'],
  call: RestCall,
): Promise<HttpAnswer> {
  const draft = route.make(call);
  const payload = await readPayload(request, parts.limits.messageBytes);
  const reach = await parts.router.send({ ...draft, payload }, 'rest');
  return { status: route.ok[style], headers: reach === 'local' ? { 'x-signalbox-reach': 'local' } : {} };
}

async function ask(
  parts: RestApiParts,
  route: Extract<Route, { kind: 'ask' }>,
  style: Found['style'],
  call: RestCall,
): Promise<HttpAnswer> {
  const reply = await parts.router.ask(route.make(call), 'rest');
  if (reply === 'limit') throw tooManyGroups(parts.limits.maxGroupsPerConnection);
  const refusal = reply === 'no' ? route.no[style] : undefined;
  if (refusal !== undefined) throw new GatewayError(refusal, errors[refusal].doc);
  return { status: route.ok[style] };
}

/** The one limit that a question can meet. */
function tooManyGroups(most: number): GatewayError {
  const text = `a connection must be in at most ${most} groups (SIGNALBOX_MAX_GROUPS_PER_CONNECTION)`;
  return new GatewayError('limit_reached', text);
}
