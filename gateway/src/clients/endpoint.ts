import type { Config } from '../config.ts';
import { clientBatchBytes } from '../core/limits.ts';
import { GatewayError } from '../errors.ts';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../http.ts';
import type { Events } from '../observe/events.ts';
import type { Cors } from './cors.ts';
import { type NegotiateOptions, negotiate } from './negotiate.ts';
import { clientRefusal } from './refusal.ts';
import type { RequestDoor } from './requests.ts';

/** Where clients connect; the redirect of the SDK ends in a slash, clients may drop it. */
export const clientPaths = ['/client', '/client/'] as const;

const negotiatePaths = new Set(['/client/negotiate', '/client/negotiate/']);
const basePaths: ReadonlySet<string> = new Set(clientPaths);

/** Do clients come here again and again, by polls and POSTs? */
export function isClientPath(path: string): boolean {
  return basePaths.has(path);
}

/** The most that is kept of a body on this path; undefined: none of the clients'. */
export function clientBodyBytes(path: string, config: Pick<Config, 'clientMessageBytes'>): number | undefined {
  return basePaths.has(path) ? clientBatchBytes(config.clientMessageBytes) : undefined;
}

export interface ClientEndpointOptions extends NegotiateOptions {
  readonly cors: Cors;
  readonly events: Pick<Events, 'clientRefused'>;
  readonly requests: Pick<RequestDoor, 'get' | 'post' | 'delete'>;
}

/** All of `/client` but the WebSockets: negotiate, preflights, and what else may come there (client-transports, 8.1). */
export function clientEndpoint(options: ClientEndpointOptions): HttpHandler {
  const guarded = async (request: HttpRequest, run: typeof negotiate): Promise<HttpAnswer> => {
    try {
      return await run(request, options);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      options.events.clientRefused(error.code);
      return clientRefusal(error, request, options.cors);
    }
  };
  const base = (request: HttpRequest): Promise<HttpAnswer> => answerBase(request, options);
  return (request) => {
    if (negotiatePaths.has(request.path)) return guarded(request, negotiate);
    return basePaths.has(request.path) ? guarded(request, base) : undefined;
  };
}

async function answerBase(request: HttpRequest, options: ClientEndpointOptions): Promise<HttpAnswer> {
  switch (request.method) {
    case 'OPTIONS':
      return options.cors.preflight(request);
    case 'GET':
      return options.requests.get(request, wantsEvents(request) ? 'ServerSentEvents' : 'LongPolling');
    case 'POST':
      return options.requests.post(request);
    case 'DELETE':
      return options.requests.delete(request);
    default:
      throw new GatewayError('method_not_allowed', `${request.method} is not allowed here`);
  }
}

function wantsEvents(request: HttpRequest): boolean {
  return (request.header('accept') ?? '').toLowerCase().includes('text/event-stream');
}
