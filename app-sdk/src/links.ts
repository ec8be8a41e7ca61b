import { Backoff } from './backoff.ts';
import type { Deadline } from './deadline.ts';
import { type ErrorCode, SignalboxError } from './errors.ts';
import { Link, type LinkEnd } from './link.ts';
import type { LinkClients } from './link-clients.ts';
import type { LinkDoor } from './link-door.ts';
import { linkTimes } from './link-times.ts';
import type { Logger, Tell } from './observe.ts';
import type { ServiceMessage } from './protocol/service.ts';
import { type PingMeaning, type ShutdownStage, statusRequestPing } from './protocol/service-ping.ts';

/** What the links of a hub need. */
export interface LinksParts {
  /** The full name. */
  readonly hub: string;
  readonly door: LinkDoor;
  /** How many are kept up. */
  readonly links: number;
  /** How many there may be, with those that the service asks for. */
  readonly maxLinks: number;
  readonly maxQueuedBytes: number;
  readonly maxMessageBytes: number;
  readonly logger: Logger;
  readonly tell: Tell;
  /** The place for the clients of a new link. */
  attach(link: Link): LinkClients;
  /** A message of the service, other than a ping. */
  message(message: ServiceMessage, link: Link, clients: LinkClients): void;
  /** A link is up. */
  up(): void;
  /** A link was lost; its clients end after this call. */
  lost(link: Link, text: string): void;
  /** A node of the service died. */
  offline(instanceId: string): void;
  /** Clients of the hub in this process. */
  clients(): number;
}

/** The second link in a row that ends sooner counts as a failed attempt: who takes links only to end them is not stormed. */
const shortLifeMs = 1000;

/** Failed attempts, in the words of `linkDown`. */
const failures: Readonly<Partial<Record<ErrorCode, string>>> = { ERR_LINK_REFUSED: 'refused', ERR_TIMEOUT: 'timeout' };

interface Held {
  readonly link: Link;
  readonly clients: LinkClients;
  /** Whether the link before it in its place ended too soon. */
  readonly again: boolean;
  upSince: number;
}

/** The links of one hub: kept up for ever, with the back-off of the service protocol (7.4 and 7.5). */
export class Links {
  readonly #parts: LinksParts;
  readonly #stopping = new AbortController();
  readonly #backoff = new Backoff(this.#stopping.signal);
  readonly #up = new Map<Link, Held>();
  #onDemand = 0;
  #statusAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #settleFirst: ((error?: unknown) => void) | undefined;
  /** Why the last attempt failed. */
  lastFailure: string | undefined;
  /** Resolves when a link is up; rejects when the service refuses one before. */
  readonly first = new Promise<void>((resolve, reject) => {
    this.#settleFirst = (error) => (error === undefined ? resolve() : reject(error));
  });

  constructor(parts: LinksParts) {
    this.#parts = parts;
    this.first.catch(ignore);
  }

  /** The links that are up, as they change. */
  get up(): Iterable<Link> & { readonly size: number } {
    const up = this.#up;
    return { [Symbol.iterator]: () => up.keys(), size: up.size };
  }

  /** Begins; all first attempts are made at once. */
  start(): void {
    this.#timer = setInterval(() => this.#beat(), linkTimes.beat);
    for (let slot = 0; slot < this.#parts.links; slot++) void this.#keep();
  }

  /** No link is made any more; those that are up go on. */
  leave(): void {
    this.#stopping.abort();
  }

  /** Announces the end on each link. Resolves when the service has taken note everywhere, or the deadline came. */
  async farewell(stage: ShutdownStage, deadline: Deadline): Promise<void> {
    await Promise.all([...this.#up.keys()].map((link) => link.farewell(stage, deadline)));
  }

  /** Writes what waits and closes all links in order. */
  async close(): Promise<void> {
    this.leave();
    await Promise.all([...this.#up.keys()].map((link) => link.close()));
    clearInterval(this.#timer);
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping;
    let tried: Held | undefined;
    let again = false;
    const attempt = async (): Promise<Held> => {
      tried = this.#hold(undefined, again);
      await tried.link.open(signal);
      return tried;
    };
    const failed = (error: unknown, retryInMs: number): void => this.#failed(tried?.link.id ?? '', error, retryInMs);
    for (let atOnce = true; !signal.aborted; atOnce = false) {
      const held = await this.#backoff.run(attempt, failed, atOnce);
      await held?.link.ended;
      again = held !== undefined && isShort(held);
    }
  }

  #hold(target: string | undefined, again: boolean): Held {
    const { hub, door, maxQueuedBytes, maxMessageBytes, attach, message, clients, logger } = this.#parts;
    const link = new Link({
      hub,
      door,
      maxQueuedBytes,
      maxMessageBytes,
      ...(target !== undefined && { target }),
      counts: () => [clients(), held.clients.size],
      message: (received) => message(received, link, held.clients),
      ping: (meaning) => this.#pinged(meaning, held),
      up: () => this.#added(held),
      down: (end, text, lost) => this.#removed(held, { end, text, lost, onDemand: target !== undefined }),
      unreadable: (error) => logger.warn({ hub, link: link.id, error: String(error) }, 'service message passed over'),
    });
    const held: Held = { link, clients: attach(link), again, upSince: 0 };
    return held;
  }

  #added(held: Held): void {
    const { hub, tell, logger, up } = this.#parts;
    const { link } = held;
    held.upSince = performance.now();
    this.#up.set(link, held);
    up();
    tell('linkUp', { hub, link: link.id, links: this.#up.size });
    logger.info({ hub, link: link.id, links: this.#up.size }, 'link up');
    this.#settleFirst?.();
    this.#askStatus(held.upSince);
  }

  #removed(held: Held, { end, text, lost, onDemand }: { end: LinkEnd; text: string; lost: number; onDemand: boolean }) {
    const { link, clients } = held;
    const { hub, tell, logger } = this.#parts;
    this.#up.delete(link);
    const last = onDemand || this.#stopping.signal.aborted;
    const retryInMs = last ? undefined : this.#retryInMs(held);
    const facts = { hub, link: link.id, links: this.#up.size, reason: end, retryInMs };
    tell('linkDown', facts);
    if (end === 'stopped') logger.info(facts, 'link closed');
    else logger.warn({ ...facts, text, clients: clients.size, unsentMessages: lost }, 'link lost');
    this.#parts.lost(link, text);
    clients.lost(new SignalboxError('ERR_LINK_LOST', text, { outcome: 'unknown' }));
  }

  #retryInMs(held: Held): number {
    return held.again && isShort(held) ? this.#backoff.fail() : this.#backoff.delayMs;
  }

  #failed(id: string, error: unknown, retryInMs: number): void {
    const { hub, tell, logger } = this.#parts;
    const code = error instanceof SignalboxError ? error.code : undefined;
    const reason = (code && failures[code]) ?? 'unreachable';
    const text = error instanceof Error ? error.message : String(error);
    this.lastFailure = text;
    tell('linkDown', { hub, link: id, links: this.#up.size, reason, retryInMs });
    logger.warn({ hub, link: id, links: this.#up.size, reason, retryInMs, text }, 'no link could be made');
    if (code === 'ERR_LINK_REFUSED') this.#settleFirst?.(error);
  }

  #pinged(meaning: PingMeaning, { link, clients }: Held): void {
    if (meaning.topic === 'target') void this.#openOnDemand(meaning.instanceId);
    if (meaning.topic === 'offline') this.#offline(meaning.instanceId, clients);
    if (meaning.topic === 'messageLog') {
      this.#parts.logger.info({ hub: this.#parts.hub, link: link.id, on: meaning.on }, 'message log asked for');
    }
  }

  /** A dead node may have had clients of any of our links; an empty id means this one's. */
  #offline(instanceId: string, own: LinkClients): void {
    const affected = instanceId === '' ? [own] : [...this.#up.values()].map(({ clients }) => clients);
    for (const clients of affected) clients.offline(instanceId);
    if (instanceId !== '') this.#parts.offline(instanceId);
  }

  /** One more link, because the service asked for it; it is not made again. */
  async #openOnDemand(target: string): Promise<void> {
    const { hub, links, maxLinks, logger } = this.#parts;
    if (target === '' || this.#stopping.signal.aborted || links + this.#onDemand >= maxLinks) return;
    this.#onDemand++;
    try {
      const { link } = this.#hold(target, false);
      await link.open(this.#stopping.signal);
      await link.ended;
    } catch (error) {
      logger.debug({ hub, target, error: String(error) }, 'no link on demand could be made');
    } finally {
      this.#onDemand--;
    }
  }

  #beat(): void {
    const now = performance.now();
    for (const link of [...this.#up.keys()]) link.beat(now);
    this.#askStatus(now);
  }

  /** Over one link for all. */
  #askStatus(now: number): void {
    const [link] = this.#up.keys();
    if (link === undefined) return;
    if (this.#statusAt !== undefined && now - this.#statusAt < linkTimes.status) return;
    this.#statusAt = now;
    link.ping(statusRequestPing);
  }
}

function isShort({ upSince }: Held): boolean {
  return performance.now() - upSince < shortLifeMs;
}

function ignore(): void {
  // Whoever starts the links awaits it.
}
