import { leaseMs, type NodeRecords } from '../backplane/records.ts';
import type { Will, Wills } from '../backplane/wills.ts';
import type { Closable } from '../core/waves.ts';
import type { Log } from '../observe/log.ts';

export interface SurvivorOptions {
  readonly wills: Wills;
  readonly records: Pick<NodeRecords, 'nodes'>;
  /** Posts what a will says. Never rejects. */
  readonly post: (will: Will) => Promise<void>;
  /** Ends clients at a bounded rate. */
  readonly close: (clients: readonly Closable[]) => void;
  readonly log: Pick<Log, 'warn' | 'info'>;
}

/** A client of this node whose end others post if this node dies. */
export interface Testator extends Closable {
  /** Its end was posted by another node, and must not be posted again. */
  willDone(): void;
}

interface Kept {
  /** Made anew when it is needed: it is long, and seldom needed twice. */
  readonly text: () => string;
  /** Undefined: of a dead node. */
  readonly client?: Testator;
}

/** Wills that are taken over at a time. */
const batch = 100;

/**
 * Sees to it that the end of a client is posted though its node died: keeps the wills of this node's clients, and does what
 * dead nodes left. A node that was only cut off, and finds its wills done, ends the clients: their app was told that they left.
 */
export class Survivor {
  readonly #options: SurvivorOptions;
  readonly #kept = new Map<string, Kept>();
  #timer: NodeJS.Timeout | undefined;
  #sweeping = false;

  constructor(options: SurvivorOptions) {
    this.#options = options;
  }

  /** Looks from now on, and once for each lease, for what nodes left: all of them may have died together. */
  start(): void {
    this.#timer = setInterval(() => void this.#sweep(), leaseMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  keep(connection: string, text: () => string, client: Testator): void {
    this.#kept.set(connection, { text, client });
    this.#options.wills.keep({ connection, text: text() }).catch(nothing);
  }

  drop(connection: string): void {
    if (this.#kept.delete(connection)) this.#options.wills.drop(connection).catch(nothing);
  }

  /** The lease of a node ended. */
  nodeLost(): void {
    void this.#sweep();
  }

  /** Redis is back, and may have forgotten the wills, or others have done what they say. */
  async hearing(): Promise<void> {
    const kept = [...this.#kept];
    try {
      const wills = kept.map(([connection, { text }]) => ({ connection, text: text() }));
      if (await this.#options.wills.restore(wills)) return;
    } catch {
      return; // gone again: tried once more when it is back
    }
    const clients = kept.flatMap(([, { client }]) => client ?? []);
    this.#options.log.warn('this node was taken for dead: its clients of serverless hubs come back', {
      clients: clients.length,
    });
    for (const client of clients) client.willDone();
    this.#options.close(clients);
  }

  async #sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    try {
      const posted = await this.#doAll();
      if (posted > 0) this.#options.log.info('posted the ends of clients whose node died', { clients: posted });
    } catch {
      // Redis is down: the next look finds them
    } finally {
      this.#sweeping = false;
    }
  }

  async #doAll(): Promise<number> {
    const { wills, records } = this.#options;
    const { settled, nodes } = await records.nodes();
    if (!settled) return 0; // who is missing may be alive
    let posted = 0;
    for (let found = await wills.inherit(nodes.keys(), batch); found.length > 0; ) {
      await Promise.all(found.map((will) => this.#do(will)));
      posted += found.length;
      found = await wills.inherit(nodes.keys(), batch);
    }
    return posted;
  }

  async #do(will: Will): Promise<void> {
    this.#kept.set(will.connection, { text: () => will.text });
    await this.#options.post(will);
    this.drop(will.connection);
  }
}

function nothing(): void {
  // Without Redis; when it is back, all wills that are kept then take the place of those that were.
}
