import type { Claims, HubCallerContext } from '../hub.ts';
import { appClaims, userIdOf } from './claims.ts';
import type { OpenClient } from './gateway.ts';
import type { LazySignal } from './lazy-signal.ts';

/** What a context is made of besides the client. */
export interface ContextFacts {
  readonly protocol: 'json' | 'messagepack';
  readonly items: unknown;
  readonly signal: LazySignal;
  abort(reason?: string): void;
}

/** Headers as the service hands them over; what HTTP would not carry is left out. */
function readHeaders(pairs: Iterable<readonly [string, string]>): Headers {
  const headers = new Headers();
  for (const [name, value] of pairs) {
    try {
      headers.append(name, value);
    } catch {
      // A name or value that no HTTP message can have.
    }
  }
  return headers;
}

/** The client's own query, without what negotiate has put there for the service. */
function readQuery(text: string | undefined): URLSearchParams {
  const query = new URLSearchParams(text);
  for (const name of [...query.keys()]) if (/^asrs[._]/.test(name)) query.delete(name);
  return query;
}

/** One connection as its hub sees it. Most hubs look at little of it, so the parts are read when they are asked for. */
export class CallerContext implements HubCallerContext<unknown> {
  readonly connectionId: string;
  readonly userId: string | undefined;
  readonly protocol: 'json' | 'messagepack';
  readonly remoteAddress: string | undefined;
  readonly items: unknown;
  readonly abort: (reason?: string) => void;
  readonly #client: Pick<OpenClient, 'claims' | 'headers' | 'query' | 'path'>;
  readonly #signal: LazySignal;
  #claims: Claims | undefined;
  #headers: Headers | undefined;
  #query: URLSearchParams | undefined;

  constructor(client: Omit<OpenClient, 'wire' | 'gateway'>, facts: ContextFacts) {
    this.connectionId = client.connectionId;
    this.userId = client.userId ?? userIdOf(client.claims);
    this.protocol = facts.protocol;
    this.remoteAddress = client.remoteAddress;
    this.items = facts.items;
    this.abort = (reason) => facts.abort(reason);
    this.#client = client;
    this.#signal = facts.signal;
  }

  get claims(): Claims {
    this.#claims ??= appClaims(this.#client.claims);
    return this.#claims;
  }

  get headers(): Headers {
    this.#headers ??= readHeaders(this.#client.headers ?? []);
    return this.#headers;
  }

  get query(): URLSearchParams {
    this.#query ??= readQuery(this.#client.query);
    return this.#query;
  }

  get path(): string {
    return this.#client.path ?? new URLSearchParams(this.#client.query).get('asrs.op') ?? '';
  }

  get signal(): AbortSignal {
    return this.#signal.signal;
  }
}
