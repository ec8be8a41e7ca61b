import type { Tokens } from '../auth/tokens.ts';
import { errors, GatewayError } from '../errors.ts';
import { errorAnswer, type HttpAnswer, type HttpHandler, type HttpRequest } from '../http.ts';
import type { Events } from '../observe/events.ts';
import { readTraceparent, type Trace, traceOfTracingId } from '../observe/trace.ts';
import type { Tracing } from '../observe/tracing.ts';
import { openApi } from './openapi.ts';
import { type Match, matchRoute } from './rest-match.ts';
import { checkVersion, RestCall, readTracingId, tracingHeader } from './rest-names.ts';
import { Query } from './rest-query.ts';
import { asRefusal, jsonText, type RestParts, type Route, type Style, type Success } from './rest-route.ts';
import { routes } from './rest-routes.ts';

/** What the REST door needs. */
export interface RestApiParts extends RestParts {
  readonly tokens: Pick<Tokens, 'verify'>;
  readonly events: Pick<Events, 'rest'>;
  /** Follows requests; absent: nobody does. */
  readonly tracing?: Pick<Tracing, 'begin'>;
  /** Version of the gateway, told in the header `x-signalbox` of every answer. */
  readonly version: string;
}

type Found = Extract<Match, { kind: 'found' }>;
type RouteOf<K extends Route['kind']> = Extract<Route, { kind: K }>;
/**
 * Makes the door through which back-ends push without a link: the table of `rest-routes.ts` over HTTP, everything below
 * `/api/`. What was wrong is answered with a code of the table of errors; nothing is thrown.
 */
export function createRestApi(parts: RestApiParts): HttpHandler {
  const served = { ...parts, description: JSON.stringify(openApi(routes, parts.version)) };
  return (request) => (/^\/api(\/|$)/i.test(request.path) ? answer(served, request) : undefined);
}

interface Served extends RestApiParts {
  /** The API as an OpenAPI document. */
  readonly description: string;
}

async function answer(parts: Served, request: HttpRequest): Promise<HttpAnswer> {
  const started = performance.now();
  const match = matchRoute(request.method, request.path);
  const operation = match.kind === 'found' ? match.route.operation : 'unknown';
  const span = parts.tracing?.begin(`rest ${operation}`, 'server', causeOf(request));
  const { headers, ...rest } = await answerMatch(parts, request, match, span?.trace);
  span?.end({ status: rest.status, request: requestIdOf(request) }, rest.status >= 500);
  parts.events.rest(operation, rest.status, (performance.now() - started) / 1000);
  return { ...rest, headers: { ...headers, 'x-signalbox': parts.version } };
}

async function answerMatch(
  parts: Served,
  request: HttpRequest,
  match: Match,
  cause: Trace | undefined,
): Promise<HttpAnswer> {
  if (match.kind === 'refused') {
    const { headers, ...rest } = errorAnswer(match.error);
    return { ...rest, headers: { ...headers, ...(match.allow && { Allow: match.allow.join(', ') }) } };
  }
  try {
    return await serve(parts, request, match, cause);
  } catch (error) {
    return errorAnswer(asRefusal(parts.log, match.route.operation, error));
  }
}

async function serve(
  parts: Served,
  request: HttpRequest,
  { route, style, names }: Found,
  cause: Trace | undefined,
): Promise<HttpAnswer> {
  const query = new Query(request.queryText);
  checkVersion(query);
  const status = route.ok[style];
  if (route.kind === 'open') return { status, ...(route.gives === undefined ? {} : jsonText(parts.description)) };
  if (route.kind === 'refused') return await refuse(parts, request, route.why);
  const call = new RestCall(names, query, parts.limits);
  await verify(parts, request);
  traced(parts, request, route);
  if (route.kind === 'ask') await ask(parts, route, style, call, cause);
  if (route.kind === 'answer') return { status, ...(await route.answer(call, parts, request)) };
  return { status, ...(route.kind === 'send' && (await send(parts, request, route, call, cause))) };
}

async function refuse(parts: Served, request: HttpRequest, why: string): Promise<never> {
  await verify(parts, request);
  throw new GatewayError('not_supported', why);
}

async function verify(parts: Served, request: HttpRequest): Promise<void> {
  await parts.tokens.verify(bearer(request), { role: 'api', path: request.path });
}

/** Only the header counts: a token in the query belongs to clients. */
function bearer(request: HttpRequest): string | undefined {
  return /^Bearer +([^ ]+)$/i.exec(request.header('authorization') ?? '')?.[1];
}

/** The trace that a request belongs to: its `traceparent`, else its message tracing id. */
function causeOf(request: HttpRequest): Trace | undefined {
  const given = readTraceparent(request.header('traceparent'));
  if (given !== undefined) return given;
  const tracingId = request.header(tracingHeader);
  return tracingId !== undefined && /^\d{1,20}$/.test(tracingId) ? traceOfTracingId(BigInt(tracingId)) : undefined;
}

/** What a caller names its request, as Azure's SDKs do. */
function requestIdOf(request: HttpRequest): string | undefined {
  return request.header('x-ms-client-request-id')?.slice(0, 128);
}

function traced(parts: Served, request: HttpRequest, route: Route): void {
  const tracingId = readTracingId(request.header(tracingHeader));
  if (tracingId !== undefined) parts.log.debug('a traced REST request', { operation: route.operation, tracingId });
}

async function send(
  parts: Served,
  request: HttpRequest,
  route: RouteOf<'send'>,
  call: RestCall,
  cause: Trace | undefined,
): Promise<Success> {
  const draft = route.make(call);
  const payload = await route.payload(request, parts.limits.messageBytes, call);
  const reach = await parts.router.send({ ...draft, payload }, 'rest', cause);
  return reach === 'local' ? { headers: { 'x-signalbox-reach': 'local' } } : {};
}

async function ask(
  parts: Served,
  route: RouteOf<'ask'>,
  style: Style,
  call: RestCall,
  cause: Trace | undefined,
): Promise<void> {
  const reply = await parts.router.ask(route.make(call), 'rest', cause);
  if (reply === 'limit') throw tooManyGroups(parts.limits.maxGroupsPerConnection);
  const refusal = reply === 'no' ? route.no[style] : undefined;
  if (refusal !== undefined) throw new GatewayError(refusal, errors[refusal].doc);
}

/** The one limit that a question can meet. */
function tooManyGroups(most: number): GatewayError {
  const text = `a connection must be in at most ${most} groups (SIGNALBOX_MAX_GROUPS_PER_CONNECTION)`;
  return new GatewayError('limit_reached', text);
}
