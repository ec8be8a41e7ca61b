import { type Claims, readClaims, writeClaims } from '@signalbox/app-sdk/protocol';
import type { Bus } from '../backplane/bus.ts';
import { GatewayError } from '../errors.ts';
import type { Asker, Verdict } from '../protocol/command.ts';
import { encodeCommand } from '../protocol/command-codec.ts';
import type { Login } from '../protocol/inquiry.ts';
import type { Client } from './app.ts';
import type { Asks } from './ask.ts';
import type { Registry } from './registry.ts';
import type { Topics } from './topics.ts';

export interface LoginsOptions {
  readonly bus: Pick<Bus, 'send' | 'hearing' | 'remote'>;
  readonly asks: Asks;
  readonly topics: Topics;
  readonly registry: Registry;
  readonly answer: (asker: Asker, verdict: Verdict, detail?: Uint8Array) => void;
  readonly settled: () => Promise<boolean>;
}

/** Claims and deadlines of clients, on whatever node: read, and renewed without a new connection. */
export class Logins {
  readonly #options: LoginsOptions;

  constructor(options: LoginsOptions) {
    this.#options = options;
  }

  /**
   * The claims of a client after the change.
   * @throws {GatewayError} `connection_unknown` (also for a client whose claims nobody keeps), `user_mismatch`,
   * `no_answer`, `backplane_down`, `backplane_full`, `too_large`.
   */
  async change(login: Omit<Login, 'kind' | 'ask'>): Promise<Claims> {
    const { asks } = this.#options;
    const { asker, outcome, details } = asks.open('first');
    try {
      await this.#ask({ kind: 'login', ask: asker, ...login });
      await this.#check(await outcome);
    } catch (error) {
      asks.drop(asker.id);
      throw error;
    }
    return details[0] === undefined ? [] : readClaims(details[0]);
  }

  async #ask(login: Login): Promise<void> {
    const { asks, bus, registry, topics } = this.#options;
    const { hub, connection, ask } = login;
    if (!bus.remote || registry.hub(hub)?.connections.has(connection)) {
      asks.expect(ask.id, 1);
      this.take(login);
      return;
    }
    if (!bus.hearing) throw new GatewayError('backplane_down', 'Redis is down, and the connection is not here');
    const topic = topics.personal(hub, topics.tagOfConnection(connection) ?? 'unknown');
    asks.expect(ask.id, await bus.send(hub, topic, encodeCommand(login), true));
  }

  async #check(outcome: Verdict | 'timeout'): Promise<void> {
    if (outcome === 'yes') return;
    if (outcome === 'limit') throw new GatewayError('user_mismatch', 'a login must stay that of the same user');
    if (outcome === 'no' && (!this.#options.bus.remote || (await this.#options.settled()))) {
      throw new GatewayError('connection_unknown', 'no such connection, or none whose claims are kept');
    }
    throw new GatewayError('no_answer', 'a node that may know did not answer in time');
  }

  /** A node asks, perhaps this one. */
  take({ hub, connection, ask, claims, expires, server }: Login): void {
    const { answer, registry } = this.#options;
    const client = registry.hub(hub)?.connections.get(connection);
    const outcome = client?.app?.login?.(client, { claims, server });
    if (client === undefined || outcome === undefined) {
      answer(ask, 'no');
    } else if (outcome === 'other_user') {
      answer(ask, 'limit');
    } else {
      prolong(client, expires);
      answer(ask, 'yes', writeClaims(outcome.claims));
    }
  }
}

/** The end of a login only moves into the future, and a client without one gets none. */
function prolong(client: Client, expires: number | undefined): void {
  if (expires === undefined || client.authExpires === undefined) return;
  client.authExpires = Math.max(client.authExpires, expires);
}
