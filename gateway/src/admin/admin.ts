import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { ConfigError } from '../config.ts';
import { errors, GatewayError } from '../errors.ts';
import type { Log } from '../observe/log.ts';
import type { Prometheus } from '../observe/prometheus.ts';
import { type BearerCheck, bearerCheck, notTheToken } from './bearer.ts';
import { type Answer, json, refusal, write } from './exchange.ts';
import type { OperatorsApi } from './operators-api.ts';
import { createPageFiles, type PageFiles } from './page-files.ts';

/** What the admin port shows. */
export interface AdminParts {
  readonly health: {
    /** Alive? */
    live(): Report | Promise<Report>;
    /** Should new clients come here? */
    ready(): Report | Promise<Report>;
  };
  readonly prometheus: Pick<Prometheus, 'scrape' | 'contentType'>;
  readonly log: Log;
  /** More host names that `Host` may hold. */
  readonly hosts: readonly string[];
  /** Absent: there is no operators' page here. */
  readonly operators?: OperatorsParts | undefined;
}

/** What the operators' page is made from. */
export interface OperatorsParts {
  readonly token: string;
  readonly api: OperatorsApi;
  /** Most operators who follow somebody: each holds a socket. */
  readonly followers: number;
  /** Told of each request that came with another token, or none. */
  readonly refused: () => void;
}

/** A body of a page about health, whatever else it tells. */
interface Report {
  readonly ok: boolean;
}

/** The inner port: `/metrics`, `/livez`, `/readyz`, and what operators see and do, who need a token. */
export interface Admin {
  /**
   * @param port 0: any free one
   * @returns the port listened on
   * @throws {ConfigError} when the address cannot be listened on.
   */
  listen(host: string, port: number): Promise<number>;
  /** Drops every socket at once. */
  close(): Promise<void>;
}

type Operators = OperatorsParts & { readonly allows: BearerCheck; readonly files: PageFiles };

interface Parts extends AdminParts {
  readonly page: Operators | undefined;
  /** The address listened on. */
  host: string;
}

/** No probes, scrapers and operators need more at once, besides those who follow; above, new sockets are refused. */
const mostSockets = 100;

/** Makes the admin port, on a server of its own: it answers while the doors are closed. */
export function createAdmin(given: AdminParts): Admin {
  const parts: Parts = { ...given, page: pageOf(given), host: '' };
  const options = { headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 60_000 };
  const server = createServer(options, (request, response) => void answer(parts, request, response));
  server.maxConnections = mostSockets + (given.operators?.followers ?? 0);
  return {
    listen(host, port) {
      parts.host = host;
      return listen(server, host, port);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new ConfigError(`the admin port cannot listen on ${host}, port ${port}: ${error.code ?? error.message}`));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function pageOf({ operators }: AdminParts): Operators | undefined {
  return operators && { ...operators, allows: bearerCheck(operators.token), files: createPageFiles() };
}

async function answer(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = '', query] = (request.url ?? '').split('?');
  try {
    checkHost(parts, request);
    const answered = await (plainPage(parts, path, request) ?? operatorsPage(parts, path, query, request, response));
    if (answered !== undefined) write(request, response, answered);
  } catch (error) {
    write(request, response, refused(parts, path, error));
  }
}

function refused({ log }: Parts, path: string, error: unknown): Answer {
  if (error instanceof GatewayError) return refusal(error);
  log.error('the admin port failed', { path, error: error instanceof Error ? error : String(error) });
  return refusal(new GatewayError('internal', errors.internal.doc));
}

const pages: Readonly<Record<string, (parts: AdminParts) => Answer | Promise<Answer>>> = {
  '/metrics': async ({ prometheus }) => ({
    status: 200,
    type: prometheus.contentType,
    body: await prometheus.scrape(),
  }),
  '/livez': async ({ health }) => healthPage(await health.live()),
  '/readyz': async ({ health }) => healthPage(await health.ready()),
};

function healthPage(report: Report): Answer {
  return json(report.ok ? 200 : 503, report);
}

/** What anybody may see who reaches the port. */
function plainPage(parts: Parts, path: string, request: IncomingMessage): Answer | Promise<Answer> | undefined {
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page !== undefined) checkMethod(request, 'GET', 'HEAD');
  return page?.(parts);
}

/** The files of the page hold nothing of the cluster; what they ask for needs the token. */
function operatorsPage(
  { page }: Parts,
  path: string,
  query: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Answer | Promise<Answer> | Promise<undefined> {
  if (page === undefined) throw unknownOrOff(path);
  const file = page.files(path);
  if (file !== undefined) {
    checkMethod(request, 'GET', 'HEAD');
    return file;
  }
  const route = page.api.route(path);
  if (route === undefined) throw new GatewayError('route_unknown', errors.route_unknown.doc);
  if (!page.allows(request.headers.authorization)) {
    page.refused();
    throw notTheToken();
  }
  checkMethod(request, route.method);
  return route.handle({ request, response, query: new URLSearchParams(query) });
}

function unknownOrOff(path: string): GatewayError {
  const meant = path === '/' || path.startsWith('/operators/') || path.startsWith('/page/');
  return meant
    ? new GatewayError('admin_off', errors.admin_off.doc)
    : new GatewayError('route_unknown', errors.route_unknown.doc);
}

function checkMethod({ method = '' }: IncomingMessage, ...wanted: readonly ('GET' | 'HEAD' | 'POST')[]): void {
  if (wanted.some((one) => one === method)) return;
  throw new GatewayError('method_not_allowed', `the method must be ${wanted.join(' or ')}`);
}

/**
 * A page of a stranger may point a name of its own at this address and then read what it likes, but it cannot choose what
 * its browser writes into `Host`: loopback names, names we were told of and plain IP addresses are ours.
 */
function checkHost({ host, hosts }: Parts, { headers }: IncomingMessage): void {
  const given = headers.host ?? '';
  const name = given.replace(/:\d{1,5}$/, '').toLowerCase();
  const bare = /^\[(.*)\]$/.exec(name)?.[1] ?? name;
  const ours = ['localhost', host, ...hosts].some((one) => one.toLowerCase() === bare);
  if (ours || isIP(bare) !== 0) return;
  const rule = 'localhost, the address listened on, an IP address or one of SIGNALBOX_ADMIN_HOSTS';
  throw new GatewayError(
    'forbidden_host',
    `the header Host must be ${rule}, got ${JSON.stringify(given.slice(0, 80))}`,
  );
}
