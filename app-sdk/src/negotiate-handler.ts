import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnyContract } from './contract.ts';
import { SignalboxError } from './errors.ts';
import type { HubContext } from './hub-context.ts';
import { type NegotiateOptions, pathAndQuery } from './negotiate.ts';
import { stderrLogger } from './observe.ts';

/** Who is asking? `null`: 401. What it throws goes to the framework. */
export type Identify<R> = (request: R) => NegotiateOptions | null | Promise<NegotiateOptions | null>;

/** A handler for node:http, Express and Connect. */
export type NodeHandler<R extends IncomingMessage = IncomingMessage> = (
  request: R,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

type Negotiator = Pick<HubContext<AnyContract>, 'negotiate'>;

/** What the handler needs of Fastify's reply. */
interface Reply {
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: string): unknown;
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const retryAfterSeconds = '5';
const text = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
const json = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/** The two errors of negotiate that have a status of their own; `undefined`: it is for the framework. */
function refusal(error: unknown): Answer | undefined {
  if (!(error instanceof SignalboxError)) return undefined;
  if (error.code === 'ERR_TOKEN_TOO_LONG') {
    return { status: 413, headers: text, body: 'AccessToken must not be longer than 4K.' };
  }
  if (!error.retryable && error.code !== 'ERR_STOPPED') return undefined;
  const headers = { ...text, 'retry-after': retryAfterSeconds };
  return { status: 503, headers, body: 'The service is not available now.' };
}

/** The one way to an answer; the three handlers only read the request and write the response. */
async function answer<R extends { readonly url?: string | undefined }>(
  hub: Negotiator,
  identify: Identify<R>,
  request: R,
): Promise<Answer> {
  const { method } = request as { readonly method?: unknown };
  if (method !== 'POST') return { status: 405, headers: { ...text, allow: 'POST' }, body: 'Use POST.' };
  const options = await identify(request);
  if (options === null) return { status: 401, headers: text, body: 'Who are you?' };
  try {
    const response = await hub.negotiate({ request: { url: pathAndQuery(request) }, ...options });
    return { status: 200, headers: json, body: JSON.stringify(response) };
  } catch (error) {
    const refused = refusal(error);
    if (refused === undefined) throw error;
    return refused;
  }
}

/** Where no framework waits for the error, the client gets a 500 and the log the reason. */
function failWithout(response: ServerResponse, error: unknown): void {
  stderrLogger.error({ error: String(error) }, 'negotiate failed');
  if (response.headersSent) response.destroy();
  else response.writeHead(500, text).end('Negotiate failed.');
}

/**
 * Negotiate endpoints. `node`: node:http, Express, Connect. `fetch`: Hono, Next, anything on Request/Response.
 * `fastify`: a route handler. Answers 200, 401 (`identify` said `null`), 405, 413 (token over 4096 characters) and
 * 503 with Retry-After (nobody can serve the client now). CORS is the app's affair.
 */
export const negotiateHandler = {
  /** Errors go to `next`; without one they are logged and answered with 500. */
  node<R extends IncomingMessage>(hub: Negotiator, identify: Identify<R>): NodeHandler<R> {
    const handle = async (request: R, response: ServerResponse, next?: (error?: unknown) => void): Promise<void> => {
      try {
        const { status, headers, body } = await answer(hub, identify, request);
        response.writeHead(status, headers).end(body);
      } catch (error) {
        if (next) next(error);
        else failWithout(response, error);
      }
    };
    return (request, response, next) => void handle(request, response, next);
  },

  /** Errors reject the promise. */
  fetch<R extends Request>(hub: Negotiator, identify: Identify<R>): (request: R) => Promise<Response> {
    return async (request) => {
      const { status, headers, body } = await answer(hub, identify, request);
      return new Response(body, { status, headers });
    };
  },

  /** Errors reject the promise. */
  fastify<R extends { url: string }>(
    hub: Negotiator,
    identify: Identify<R>,
  ): (request: R, reply: Reply) => Promise<unknown> {
    return async (request, reply) => {
      const { status, headers, body } = await answer(hub, identify, request);
      reply.code(status);
      reply.headers(headers);
      return reply.send(body);
    };
  },
};
