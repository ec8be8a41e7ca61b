import { type Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { createRestApi, type RestApiParts } from '../../src/apps/rest-api.ts';
import { batchBodyBytes } from '../../src/apps/rest-batch.ts';
import type { TokenUse } from '../../src/auth/tokens.ts';
import { type Config, readConfig } from '../../src/config.ts';
import type { Reach, Reply } from '../../src/core/router.ts';
import { GatewayError } from '../../src/errors.ts';
import { createHttpServer } from '../../src/http.ts';
import { TrustedProxies } from '../../src/http-forwarded.ts';
import type { AppCommand } from '../../src/protocol/command.ts';

/** An answer as it came over the socket. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How one request differs from a plain one with a good token. */
export interface RestCallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Sends the body in pieces of this size without a Content-Length. */
  readonly chunk?: number;
  /** Keeps sockets; without one each call has its own. */
  readonly agent?: Agent;
}

/** The REST door behind a real HTTP server, in front of a router that records. */
export interface RestServer {
  readonly commands: AppCommand[];
  readonly verified: { token: string | undefined; use: TokenUse }[];
  readonly events: { operation: string; status: number; seconds: number }[];
  readonly logged: { message: string; facts: unknown }[];
  /** What the HTTP server met and no handler should let through. */
  readonly defects: unknown[];
  readonly port: number;
  /** What the router answers next, and from then on. */
  reply: Reply | Error;
  reach: Reach | Error;
  call(method: string, target: string, options?: RestCallOptions): Promise<RestAnswer>;
  /** Forgets what was recorded and answers `yes` to `all` again. */
  reset(): void;
  close(): void;
}

/** A body that every send takes. */
export const json = { headers: { 'content-type': 'application/json' }, body: '{"target":"t","arguments":[1]}' };

/** The one token that the fake verifier takes. */
export const goodToken = 'good-token';

/** Starts the door on a free port; unless `given`, its parts are fakes that take only {@link goodToken}. */
export async function startRest(limits: Partial<Config> = {}, given: Partial<RestApiParts> = {}): Promise<RestServer> {
  const defects: unknown[] = [];
  const config = { ...readConfig({}), ...limits };
  const server = await createHttpServer({
    trustedProxies: new TrustedProxies(config.trustedProxies),
    bodyBytes: config.messageBytes,
    bodyBytesAt: (path) => batchBodyBytes(path, config.batchBytes),
    defect: (error) => defects.push(error),
  });
  const rest: RestServer = {
    commands: [],
    verified: [],
    events: [],
    logged: [],
    defects,
    get port() {
      return port;
    },
    reply: 'yes',
    reach: 'all',
    call: (method, target, options = {}) => call(port, method, target, options),
    reset() {
      for (const list of [rest.commands, rest.verified, rest.events, rest.logged]) list.length = 0;
      Object.assign(rest, { reply: 'yes', reach: 'all' });
    },
    close: () => server.close(),
  };
  server.mount(createRestApi({ ...partsOf(rest, config), ...given }));
  const port = await server.listen('127.0.0.1', 0, true);
  return rest;
}

function partsOf(rest: RestServer, config: Config): RestApiParts {
  const record = async <T>(command: AppCommand, result: T | Error): Promise<T> => {
    rest.commands.push(command);
    if (result instanceof Error) throw result;
    return result;
  };
  const log = (message: string, facts?: unknown): void => void rest.logged.push({ message, facts });
  return {
    router: {
      send: (command) => record(command, rest.reach),
      ask: (question) => record(question, rest.reply),
    },
    inquiries: { list: async () => ({ members: [], next: undefined }), count: async () => 0 },
    invocations: {
      invoke: async () => {
        throw new GatewayError('connection_unknown', 'there is nobody here');
      },
    },
    logins: {
      change: async () => {
        throw new GatewayError('connection_unknown', 'there is nobody here');
      },
    },
    connectionOf: () => undefined,
    clientTokens: async ({ hub }) => `token for ${hub}`,
    tokens: {
      verify: async (token, use) => {
        rest.verified.push({ token, use });
        if (token !== goodToken) throw new GatewayError('unauthorized', 'the token must be signed with an access key');
        return [];
      },
    },
    events: { rest: (operation, status, seconds) => rest.events.push({ operation, status, seconds }) },
    log: { debug: log, info: log, warn: log, error: log, child: () => partsOf(rest, config).log },
    limits: config,
    version: '1.2.3',
  };
}

function call(port: number, method: string, path: string, options: RestCallOptions): Promise<RestAnswer> {
  const headers: Record<string, string> = { authorization: `Bearer ${goodToken}`, ...options.headers };
  const body = Buffer.from(options.body ?? '');
  if (options.body !== undefined && options.chunk === undefined) headers['content-length'] = String(body.length);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, method, path, headers, agent: options.agent ?? false },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(pieces).toString(),
          });
        });
      },
    );
    request.setTimeout(15_000, () => request.destroy(new Error('no answer in 15 s')));
    request.on('error', reject);
    if (options.chunk === undefined) request.end(body);
    else {
      request.setHeader('transfer-encoding', 'chunked');
      for (let at = 0; at < body.length; at += options.chunk) request.write(body.subarray(at, at + options.chunk));
      request.end();
    }
  });
}
