import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Agent, type Dispatcher } from 'undici';
import { audienceBase, type ConnectionString, serverBase } from './connection-string.ts';
import type { Deadline } from './deadline.ts';
import { SignalboxError } from './errors.ts';
import { type LinkSocket, NoSocket, openSocket, type SocketEvents } from './link-socket.ts';
import type { TokenSigner } from './token.ts';

/** Of this package; a test compares. */
export const version = '0.1.0';

/** Statuses of a service that may take the same link later; all other errors of 400 to 499 are refusals. */
const laterStatuses = [408, 429];

/** Which link is opened. `target`: for links on demand, the instance that asked. */
export interface LinkName {
  readonly hub: string;
  readonly id: string;
  readonly target?: string | undefined;
}

/** A new id of this process: the same on all its links (service protocol, 3.1). */
export function newServerId(): string {
  return `${hostname().replace(/[^\w.-]/g, '-')}_${randomBytes(16).toString('hex')}`;
}

/** What a door is made of. `dispatcher` is the caller's own, which the door does not close. */
export interface LinkDoorParts {
  readonly connectionString: ConnectionString;
  readonly signer: TokenSigner;
  readonly serverId: string;
  readonly dispatcher?: Dispatcher | undefined;
}

/** The way to the service's `/server/` endpoint (service protocol, 3 and 4.1). */
export class LinkDoor {
  readonly #parts: LinkDoorParts;
  readonly #dispatcher: Dispatcher;

  constructor(parts: LinkDoorParts) {
    this.#parts = parts;
    this.#dispatcher = parts.dispatcher ?? new Agent();
  }

  /**
   * Opens a WebSocket with a new token. Rejects ERR_LINK_REFUSED when the service does not want it, ERR_UNAVAILABLE
   * when it cannot be reached or is not ready, ERR_TIMEOUT and ERR_ABORTED by the deadline.
   */
  async open(name: LinkName, deadline: Deadline, events: SocketEvents): Promise<LinkSocket> {
    const { connectionString, signer, serverId } = this.#parts;
    const audience = `${audienceBase(connectionString)}server/?hub=${name.hub}`;
    const token = await signer.sign(audience, { nameid: serverId });
    const giveUp = new AbortController();
    const stopWatching = deadline.onEnd(() => giveUp.abort());
    if (deadline.reason !== undefined) giveUp.abort();
    const options = { headers: this.#headers(token), dispatcher: this.#dispatcher, signal: giveUp.signal };
    try {
      return await openSocket(this.#url(name), options, events);
    } catch (error) {
      throw deadline.reason === undefined
        ? failure(name.hub, error)
        : deadline.error(`a link of hub "${name.hub}"`, 'notSent');
    } finally {
      stopWatching();
    }
  }

  /** Closes what the door made itself. Links that are open go on. */
  async close(): Promise<void> {
    if (this.#parts.dispatcher === undefined) await this.#dispatcher.destroy();
  }

  #url({ hub, id, target }: LinkName): string {
    const base = serverBase(this.#parts.connectionString).replace(/^http/, 'ws');
    return `${base}server/?hub=${hub}&cid=${id}${target === undefined ? '' : `&target=${encodeURIComponent(target)}`}`;
  }

  #headers(token: string): Record<string, string> {
    return {
      authorization: `Bearer ${token}`,
      'asrs-user-agent': `@signalbox/app-sdk/${version} (Node.js ${process.version}; ${process.platform}; ${process.arch})`,
      'x-asrs-server-id': this.#parts.serverId,
      'x-requested-with': 'XMLHttpRequest',
    };
  }
}

function failure(hub: string, error: unknown): unknown {
  if (!(error instanceof NoSocket)) return error;
  const { status, cause } = error;
  if (status === undefined) {
    return new SignalboxError('ERR_UNAVAILABLE', `no link of hub "${hub}" could be opened${reasonOf(cause)}`, {
      cause,
    });
  }
  const refused = status >= 400 && status < 500 && !laterStatuses.includes(status);
  const text = `the service answered a link of hub "${hub}" with HTTP ${status}${refused ? hint(status) : ''}`;
  return new SignalboxError(refused ? 'ERR_LINK_REFUSED' : 'ERR_UNAVAILABLE', text, { cause: error });
}

function hint(status: number): string {
  return status === 401 || status === 403 ? ': it does not know the access key, or its clock is not ours' : '';
}

function reasonOf(cause: unknown): string {
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? `: ${code}` : '';
}
