import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { ConfigError } from '../config.ts';
import { errors, GatewayError } from '../errors.ts';
import type { Log } from '../observe/log.ts';
import type { Prometheus } from '../observe/prometheus.ts';

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
}

/** A body of a page about health, whatever else it tells. */
interface Report {
  readonly ok: boolean;
}

/** The inner port: `/metrics`, `/livez`, `/readyz`. It shows, and changes nothing. */
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

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** No probe or scraper needs more at once; above, new sockets are refused. */
const mostSockets = 100;

/** Makes the admin port, on a server of its own: it answers while the doors are closed. */
export function createAdmin(parts: AdminParts): Admin {
  let host = '';
  const options = { headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 60_000 };
  const server = createServer(options, (request, response) => void answer(parts, host, request, response));
  server.maxConnections = mostSockets;
  return {
    listen(given, port) {
      host = given;
      return listen(server, given, port);
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

async function answer(parts: AdminParts, host: string, request: IncomingMessage, response: ServerResponse) {
  const page = await pageFor(parts, host, request);
  response.writeHead(page.status, {
    'content-type': page.type,
    'content-length': Buffer.byteLength(page.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : page.body);
}

async function pageFor(parts: AdminParts, host: string, request: IncomingMessage): Promise<Page> {
  if (!isOurName(request.headers.host ?? '', host)) return refusedHost(request.headers.host ?? '');
  const [path = ''] = (request.url ?? '').split('?');
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page === undefined) return refusal(new GatewayError('route_unknown', errors.route_unknown.doc));
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return refusal(new GatewayError('method_not_allowed', 'the method must be GET or HEAD'));
  }
  try {
    return await page(parts);
  } catch (error) {
    if (error instanceof GatewayError) return refusal(error);
    parts.log.error('the admin port failed', { path, error: error instanceof Error ? error : String(error) });
    return refusal(new GatewayError('internal', errors.internal.doc));
  }
}

const pages: Readonly<Record<string, (parts: AdminParts) => Page | Promise<Page>>> = {
  '/metrics': async ({ prometheus }) => ({
    status: 200,
    type: prometheus.contentType,
    body: await prometheus.scrape(),
  }),
  '/livez': async ({ health }) => healthPage(await health.live()),
  '/readyz': async ({ health }) => healthPage(await health.ready()),
};

function healthPage(report: Report): Page {
  return json(report.ok ? 200 : 503, report);
}

function json(status: number, body: unknown): Page {
  return { status, type: 'application/json', body: `${JSON.stringify(body)}\n` };
}

function refusal(error: GatewayError): Page {
  return json(error.status, { code: errors[error.code].rest, message: error.message });
}

/**
 * A page of a stranger may point a name of its own at this address and then read what it likes, but it cannot choose what
 * its browser writes into `Host`: loopback names, the address we were told to listen on and plain IP addresses are ours.
 */
function isOurName(header: string, bound: string): boolean {
  const name = header.replace(/:\d{1,5}$/, '').toLowerCase();
  const bare = /^\[(.*)\]$/.exec(name)?.[1] ?? name;
  return bare === 'localhost' || bare === bound.toLowerCase() || isIP(bare) !== 0;
}

function refusedHost(header: string): Page {
  const given = JSON.stringify(header.slice(0, 80));
  const message = `the header Host must be localhost, the address listened on or an IP address, got ${given}`;
  return json(403, { code: errors.forbidden_host.rest, message });
}
