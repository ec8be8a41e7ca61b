import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { NodeHandler } from './negotiate-handler.ts';
import type { Logger } from './observe.ts';
import type { WebhookAnswer, WebhookDoor, WebhookRequest } from './webhook-door.ts';

/** What is needed of Fastify. */
interface FastifyApp {
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(
    type: string,
    parser: (request: never, payload: Readable, done: (error: null, body: unknown) => void) => void,
  ): unknown;
  post(path: string, handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>): unknown;
}

interface FastifyRequest {
  readonly raw: IncomingMessage;
}

interface FastifyReply {
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: unknown): unknown;
}

/** A plugin: `app.register(plugin, { prefix })`. Fastify's own types are not needed to install this package. */
export type FastifyPlugin = (instance: object, options: unknown, done: () => void) => void;

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Collects a body. One that is longer is read to its end all the same, but not kept: then there is time to answer. */
function collect(stream: Readable, limit: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limit) chunks.push(chunk);
      else resolve(undefined);
    });
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('the request broke off')));
  });
}

/** What a parser that came first has made of the body, as bytes again. */
function parsed(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function nodeRequest(request: IncomingMessage): WebhookRequest {
  return {
    method: request.method,
    header: (name) => header(request, name),
    async body(limit) {
      if (Number(request.headers['content-length']) > limit) return undefined;
      const { body } = request as { readonly body?: unknown };
      if (body === undefined || !request.readableEnded) return await collect(request, limit);
      const bytes = parsed(body);
      return bytes.length > limit ? undefined : bytes;
    },
  };
}

function fetchRequest(request: Request): WebhookRequest {
  return {
    method: request.method,
    header: (name) => request.headers.get(name) ?? undefined,
    async body(limit) {
      if (Number(request.headers.get('content-length')) > limit) return undefined;
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
        bytes += chunk.length;
        if (bytes > limit) return undefined;
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    },
  };
}

/** In a form that every framework takes. */
function bodyOf(body: WebhookAnswer['body']): Buffer<ArrayBuffer> | string {
  return typeof body === 'string' ? body : Buffer.from(body);
}

function write(response: ServerResponse, { status, headers, body }: WebhookAnswer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}

/** For node:http, Express and Connect. Errors go to `next`; without one they are logged and the request is cut off. */
export function nodeHandler(door: WebhookDoor, logger: Logger): NodeHandler {
  const handle = async (
    request: IncomingMessage,
    response: ServerResponse,
    next?: (error?: unknown) => void,
  ): Promise<void> => {
    try {
      write(response, await door.answer(nodeRequest(request)));
    } catch (error) {
      if (next) return next(error);
      logger.error({ error: String(error) }, 'a webhook failed');
      response.destroy();
    }
  };
  return (request, response, next) => void handle(request, response, next);
}

/** For Hono, Next, anything on Request/Response. Rejects when the request breaks off. */
export function fetchHandler(door: WebhookDoor): (request: Request) => Promise<Response> {
  return async (request) => {
    const { status, headers, body } = await door.answer(fetchRequest(request));
    return new Response(status === 204 ? null : bodyOf(body), { status, headers });
  };
}

/** For Fastify: takes all paths below its prefix, and leaves bodies alone until the signature was checked. */
export function fastifyPlugin(door: WebhookDoor): FastifyPlugin {
  const handle = async ({ raw }: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { status, headers, body } = await door.answer(nodeRequest(raw));
    reply.code(status);
    reply.headers(headers);
    return reply.send(bodyOf(body));
  };
  return (instance, _options, done) => {
    const app = instance as FastifyApp;
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, parsedNothing) => parsedNothing(null, undefined));
    for (const path of ['/', '/*']) app.post(path, handle);
    done();
  };
}
