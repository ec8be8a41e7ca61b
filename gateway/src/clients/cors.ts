import type { HttpAnswer, HttpRequest } from '../http.ts';

const methods = 'GET, POST, DELETE';
const usualHeaders = 'authorization, content-type, x-requested-with, x-signalr-user-agent';
/** Browsers cap it themselves, most at this value (client-transports, section 9). */
const maxAgeSeconds = '7200';

/** Which pages of browsers may use the client endpoint (client-transports, section 9). */
export class Cors {
  readonly #any: boolean;
  readonly #origins: ReadonlySet<string>;

  /** @param origins allowed origins; `*` is any (SIGNALBOX_CORS_ORIGINS) */
  constructor(origins: readonly string[]) {
    this.#any = origins.includes('*');
    this.#origins = new Set(origins.map((origin) => origin.toLowerCase()));
  }

  allows(origin: string): boolean {
    return this.#any || this.#origins.has(origin.toLowerCase());
  }

  /** Headers of every answer, refusals included: without them a page sees a network error instead of a status. */
  headers(request: HttpRequest): Record<string, string> {
    const origin = request.header('origin');
    if (origin === undefined || !this.allows(origin)) return { Vary: 'Origin' };
    // The origin itself and never `*`, which browsers refuse together with credentials.
    return { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' };
  }

  /** The answer to `OPTIONS`, which comes without a token. To a foreign origin it allows nothing. */
  preflight(request: HttpRequest): HttpAnswer {
    const headers = this.headers(request);
    if (headers['Access-Control-Allow-Origin'] === undefined) return { status: 204, headers };
    return {
      status: 204,
      headers: {
        ...headers,
        'Access-Control-Allow-Methods': methods,
        'Access-Control-Allow-Headers': request.header('access-control-request-headers') || usualHeaders,
        'Access-Control-Max-Age': maxAgeSeconds,
      },
    };
  }
}
