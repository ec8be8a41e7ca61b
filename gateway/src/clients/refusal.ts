import type { GatewayError } from '../errors.ts';
import { type HttpAnswer, type HttpRequest, refusalHeaders } from '../http.ts';
import type { Cors } from './cors.ts';

/** Statuses whose body the official server leaves empty (client-transports, 8.1). */
const wordless = new Set([405, 409]);

/** A refusal as SignalR clients know it: plain text, with the CORS headers, and our code in a header. */
export function clientRefusal(error: GatewayError, request: HttpRequest, cors: Cors): HttpAnswer {
  return {
    status: error.status,
    headers: { ...refusalHeaders(error), ...cors.headers(request), 'Content-Type': 'text/plain' },
    body: wordless.has(error.status) ? '' : error.message,
  };
}
