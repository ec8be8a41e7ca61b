import { randomUUID } from 'node:crypto';
import { Deadline } from './deadline.ts';
import { SignalboxError } from './errors.ts';
import type { CallOptions } from './hub-context.ts';
import type { LinkDoor } from './link-door.ts';
import type { Taken } from './link-gateway.ts';
import { LinkQueue } from './link-queue.ts';
import type { RoutedLink } from './link-route.ts';
import type { LinkSocket, SocketEvents } from './link-socket.ts';
import { linkTimes, mostFins } from './link-times.ts';
import { FrameSplitter } from './protocol/framing.ts';
import { readServiceMessage, type ServiceMessage, writeServiceMessage } from './protocol/service.ts';
import { serverConnectionTypes } from './protocol/service-messages.ts';
import { clientCountPing, type Ping, readPing, type ShutdownStage, shutdownPing } from './protocol/service-ping.ts';

/** Why a link ended. `closed`: by the service, in order. */
export type LinkEnd = 'closed' | 'cut' | 'silent' | 'stuck' | 'bad_message' | 'service_error' | 'stopped';

/** What a link needs. */
export interface LinkParts {
  readonly hub: string;
  readonly door: LinkDoor;
  /** Most bytes that may wait to be written. */
  readonly maxQueuedBytes: number;
  /** Most bytes of one message of the service. */
  readonly maxMessageBytes: number;
  /** For a link on demand: the instance that asked for it. */
  readonly target?: string;
  /** Clients of the hub in this process, and on this link. */
  counts(): readonly [inHub: number, onLink: number];
  /** A message for the hub; what only concerns the link does not get here. */
  message(message: ServiceMessage): void;
  /** A ping other than those that the link answers itself. */
  ping(meaning: ReturnType<typeof readPing>): void;
  /** The handshake was accepted: what the service sends behind it comes after this call. */
  up(): void;
  /** The link was up and is not any more. What it carried ends after this call. */
  down(end: LinkEnd, text: string, lost: number): void;
  /** A message that could not be read was passed over. */
  unreadable(error: unknown): void;
}

const ends: Readonly<Record<LinkEnd, string>> = {
  closed: 'the service closed it',
  cut: 'the connection broke',
  silent: `the service was silent for ${linkTimes.silence} ms`,
  stuck: `the service took nothing for ${linkTimes.silence} ms`,
  bad_message: 'the service broke the framing',
  service_error: 'the service takes nothing more',
  stopped: 'the app server stopped',
};

type State = 'opening' | 'up' | 'over';

/** One service connection, from its first attempt to its end. It is opened once. */
export class Link implements RoutedLink {
  readonly id = randomUUID();
  readonly #parts: LinkParts;
  readonly #queue: LinkQueue;
  readonly #splitter: FrameSplitter;
  #state: State = 'opening';
  #socket: LinkSocket | undefined;
  #heardAt = performance.now();
  #pingedAt = performance.now();
  /** What waits for the answer to the handshake, to a `fin`, and for the end. */
  #greeted: ((error?: SignalboxError) => void) | undefined;
  #finished: () => void = ignore;
  #ended: () => void = ignore;
  readonly #end = new Promise<void>((resolve) => {
    this.#ended = resolve;
  });

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#splitter = new FrameSplitter({ limit: parts.maxMessageBytes });
    this.#queue = new LinkQueue({ maxBytes: parts.maxQueuedBytes, write: (bytes) => this.#write(bytes) });
  }

  get up(): boolean {
    return this.#state === 'up';
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Resolves when the link has ended. */
  get ended(): Promise<void> {
    return this.#end;
  }

  /**
   * Connects and shakes hands. Rejects as `LinkDoor.open`, and with ERR_LINK_REFUSED when the service answers the handshake
   * with an error.
   */
  async open(signal: AbortSignal): Promise<void> {
    const { door, hub, target } = this.#parts;
    const deadline = new Deadline(linkTimes.handshake, signal);
    try {
      this.#socket = await door.open({ hub, id: this.id, target }, deadline, this.#events);
      await this.#shakeHands(deadline);
    } catch (error) {
      this.#greeted = undefined;
      this.#state = 'over';
      this.#socket?.destroy();
      this.#ended();
      throw error;
    } finally {
      deadline.clear();
    }
  }

  put(frame: Uint8Array, options?: CallOptions, taken?: Taken): Promise<void> {
    taken?.(this);
    return this.#queue.put(frame, options);
  }

  /** As `LinkQueue.push`. */
  push(frame: Uint8Array): void {
    this.#queue.push(frame);
  }

  /** Puts a ping at the end. */
  ping(ping: Ping): void {
    this.#queue.push(writeServiceMessage(ping));
  }

  /** Looks at the clock: a service that is silent, or takes nothing, is lost. */
  beat(now: number): void {
    if (now - this.#heardAt >= linkTimes.silence) this.#lose('silent');
    else if (now - (this.#queue.stuckSince ?? now) >= linkTimes.silence) this.#lose('stuck');
  }

  /** The service will take nothing more from this link. */
  refuse(text: string): void {
    this.#lose('service_error', text);
  }

  /** Announces the end, again and again, until the service has taken note, the link ended or the deadline came. */
  async farewell(stage: ShutdownStage, deadline: Deadline): Promise<void> {
    let noted = false;
    const answer = new Promise<void>((resolve) => {
      this.#finished = () => {
        noted = true;
        resolve();
      };
    });
    void this.#end.then(this.#finished);
    deadline.onEnd(this.#finished);
    if (deadline.reason !== undefined) this.#finished();
    for (let fins = 0; fins === 0 || (fins < mostFins && !noted); fins++) {
      this.ping(shutdownPing(stage));
      await within(linkTimes.fin, answer);
    }
  }

  /** Writes what waits, for at most 5 s, and closes in order. Resolves when the link has ended. */
  async close(): Promise<void> {
    if (this.#state === 'over') return;
    await within(linkTimes.close, this.#queue.flushed());
    this.#over('stopped');
    this.#socket?.close();
    await this.#end;
  }

  readonly #events: SocketEvents = {
    message: (bytes) => this.#receive(bytes),
    drained: () => this.#queue.drained(),
    closed: (code) => this.#lose(code === 1000 ? 'closed' : 'cut'),
  };

  async #shakeHands(deadline: Deadline): Promise<void> {
    this.#heardAt = performance.now();
    this.#pingedAt = this.#heardAt;
    const connectionType =
      this.#parts.target === undefined ? serverConnectionTypes.default : serverConnectionTypes.onDemand;
    const greeting = { version: 1, connectionType, target: '', migrationLevel: 1, allowStatefulReconnects: false };
    this.#queue.push(writeServiceMessage({ kind: 'HandshakeRequest', ...greeting }));
    const late = () => deadline.error(`the handshake of a link of hub "${this.#parts.hub}"`, 'notSent');
    if (deadline.reason !== undefined) throw late();
    await new Promise<void>((resolve, reject) => {
      this.#greeted = (error) => (error === undefined ? resolve() : reject(error));
      deadline.onEnd(() => reject(late()));
    });
  }

  #write(bytes: Uint8Array): boolean {
    if (this.#socket?.open) return this.#socket.send(bytes);
    this.#lose('closed');
    return false;
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state === 'over') return;
    this.#heardAt = performance.now();
    try {
      for (const body of this.#splitter.push(bytes)) this.#read(body);
    } catch {
      this.#lose('bad_message');
      return;
    }
    this.#keepAlive();
  }

  /** A message that cannot be read is passed over: its frame was whole, so the next one can be. */
  #read(body: Uint8Array): void {
    try {
      const message = readServiceMessage(body);
      if (message !== undefined) this.#take(message);
    } catch (error) {
      this.#parts.unreadable(error);
    }
  }

  #take(message: ServiceMessage): void {
    if (this.#state === 'over') return;
    if (this.#greeted !== undefined) this.#greet(message);
    else if (message.kind === 'Ping') this.#pinged(message);
    else this.#parts.message(message);
  }

  /** What follows the answer in the same bytes must find the link up. */
  #greet(message: ServiceMessage): void {
    const greeted = this.#greeted;
    this.#greeted = undefined;
    if (message.kind !== 'HandshakeResponse') {
      const text = `the service must answer the handshake of a link first, got ${message.kind}`;
      greeted?.(new SignalboxError('ERR_UNAVAILABLE', text));
    } else if (message.errorMessage !== '') {
      greeted?.(new SignalboxError('ERR_LINK_REFUSED', `the service refused a link: ${message.errorMessage}`));
    } else {
      this.#state = 'up';
      this.#parts.up();
      greeted?.();
    }
  }

  #pinged(ping: Ping): void {
    const meaning = readPing(ping);
    if (meaning.topic === 'echo') this.ping(ping);
    else if (meaning.topic === 'shutdown') this.#finished();
    else this.#parts.ping(meaning);
  }

  /** Only in answer to the service's bytes: it measures us by that (service protocol, 8.1). */
  #keepAlive(): void {
    if (this.#state !== 'up' || this.#heardAt - this.#pingedAt <= linkTimes.ping) return;
    this.#pingedAt = this.#heardAt;
    this.ping(clientCountPing(...this.#parts.counts()));
  }

  #lose(end: LinkEnd, more?: string): void {
    if (this.#greeted !== undefined) {
      this.#greeted(new SignalboxError('ERR_UNAVAILABLE', `a link was lost in its handshake: ${ends[end]}`));
      return;
    }
    this.#over(end, more);
    this.#socket?.destroy();
    this.#ended();
  }

  #over(end: LinkEnd, more = ''): void {
    if (this.#state !== 'up') return;
    this.#state = 'over';
    const text = `the link was lost: ${ends[end]}${more === '' ? '' : ` (${more})`}`;
    this.#parts.down(end, text, this.#queue.end(text));
  }
}

function ignore(): void {
  // Nobody waits.
}

/** Waits for a promise that does not reject, for so many ms at most. */
function within(ms: number, promise: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
