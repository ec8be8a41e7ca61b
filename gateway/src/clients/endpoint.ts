import type { ConnectionTokens } from '../auth/connection-token.ts';
import { GatewayError } from '../errors.ts';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../http.ts';
import { type Gate, transportOff } from './admit.ts';
import type { Cors } from './cors.ts';
import { type NegotiateOptions, negotiate } from './negotiate.ts';
import { parameters } from './query.ts';
import { clientRefusal } from './refusal.ts';

/** Where clients connect; the redirect of the SDK ends in a slash, clients may drop it. */
export const clientPaths = ['/client', '/client/'] as const;

const negotiatePaths = new Set(['/client/negotiate', '/client/negotiate/']);
const basePaths: ReadonlySet<string> = new Set(clientPaths);

const noPost = new GatewayError('method_not_allowed', 'POST requests are not allowed for WebSocket connections.');

export interface ClientEndpointOptions extends NegotiateOptions {
  readonly gate: Pick<Gate, 'caller'>;
  readonly cors: Cors;
  readonly connectionTokens: Pick<ConnectionTokens, 'mint' | 'verify'>;
}

/** All of `/client` but the WebSockets: negotiate, preflights, and what else may come there (client-transports, 8.1). */
export function clientEndpoint(options: ClientEndpointOptions): HttpHandler {
  const guarded = async (request: HttpRequest, run: typeof negotiate): Promise<HttpAnswer> => {
    try {
      return await run(request, options);
    } catch (error) {
      if (error instanceof GatewayError) return clientRefusal(error, request, options.cors);
      throw error;
    }
  };
  const base = (request: HttpRequest): Promise<HttpAnswer> => answerBase(request, options);
  return (request) => {
    if (negotiatePaths.has(request.path)) return guarded(request, negotiate);
    return basePaths.has(request.path) ? guarded(request, base) : undefined;
  };
}

/** A connection is on WebSockets or not there yet, so none of these has anything to do but to say why not. */
async function answerBase(request: HttpRequest, options: ClientEndpointOptions): Promise<HttpAnswer> {
  switch (request.method) {
    case 'OPTIONS':
      return options.cors.preflight(request);
    case 'GET':
      throw transportOff(wantsEvents(request) ? 'ServerSentEvents' : 'LongPolling');
    case 'POST':
      await checkId(request, options);
      return { ...clientRefusal(noPost, request, options.cors), body: noPost.message };
    case 'DELETE':
      await checkId(request, options);
      throw new GatewayError('request_invalid', 'Cannot terminate this connection using the DELETE endpoint.');
    default:
      throw new GatewayError('method_not_allowed', `${request.method} is not allowed here`);
  }
}

async function checkId(request: HttpRequest, options: ClientEndpointOptions): Promise<void> {
  const token = parameters(request.query, 'id').at(-1);
  if (token === undefined) throw new GatewayError('request_invalid', 'Connection ID required');
  const { hub, claims } = await options.gate.caller(request);
  options.connectionTokens.verify(token, hub, claims.userId, 'later');
}

function wantsEvents(request: HttpRequest): boolean {
  return (request.header('accept') ?? '').toLowerCase().includes('text/event-stream');
}
