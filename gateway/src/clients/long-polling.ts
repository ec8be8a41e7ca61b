import type { Connection } from '../core/connection.ts';
import type { Frame, Transport } from '../core/transport.ts';

/** One request that is held until there is something to say. */
export interface Poll {
  /** Not the same for two polls of a node. */
  readonly key: string;
  /** Does it wait at another node? */
  readonly foreign: boolean;
  /** Called once. `done`: 200, with these bytes or none. `ended`: 204, nothing more will come by this poll. */
  answer(outcome: 'done' | 'ended', bytes: Uint8Array): void;
}

/** What a client that polls needs of its surroundings. */
export interface LongPollingOptions {
  /** How long a poll lasts, in ms. */
  readonly pollMs: number;
  /** Time without a poll after which the client is gone, in ms. */
  readonly gapMs: number;
  readonly queueBytes: number;
  /** Resolves when what other nodes told of earlier polls was heard. */
  fence(): Promise<unknown>;
  /** Nobody can poll here any more: called once. */
  over(): void;
}

/** What a poll was given, until it is known whether it came. */
interface Given {
  readonly key: string;
  readonly bytes: Uint8Array;
  taken: boolean;
}

const nothing = new Uint8Array();

/**
 * The wire of a client that polls; what it says comes by POST. What a poll was given is kept until the next one, and given
 * again when the answer had found nobody.
 */
export class LongPollingTransport implements Transport {
  readonly kind = 'LongPolling';
  readonly #options: LongPollingOptions;
  #connection: Connection | undefined;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #given: Given | undefined;
  /** The newest poll, while it is not answered. */
  #poll: Poll | undefined;
  /** May it be answered? */
  #ready = false;
  #first = true;
  #ended = false;
  #over = false;
  /** The end of the poll that waits, or of the time without one. */
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LongPollingOptions) {
    this.#options = options;
  }

  /** Its connection; undefined once it has ended. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** The client arrived. */
  attach(connection: Connection): void {
    if (!this.#ended) this.#connection = connection;
  }

  /**
   * A poll came. One that still waits is answered with 204: data goes to the newest only. The first poll ever is answered at
   * once, empty: clients say nothing before that (client-transports, trap 12).
   */
  poll(poll: Poll): void {
    this.#finish('ended');
    clearTimeout(this.#timer);
    this.#poll = poll;
    if (poll.foreign || this.#given === undefined || this.#given.taken) this.#serve(poll);
    else void this.#options.fence().then(() => this.#serve(poll));
  }

  #serve(poll: Poll): void {
    if (this.#poll !== poll) return;
    this.#ready = true;
    this.#giveAgain();
    if (this.#first) {
      this.#first = false;
      this.#finish('done');
    } else if (this.#queued > 0) this.#give();
    else if (this.#ended) this.#leave();
    else this.#timer = setTimeout(() => this.#finish('done'), this.#options.pollMs);
  }

  #giveAgain(): void {
    const given = this.#given;
    this.#given = undefined;
    if (given === undefined || given.taken) return;
    this.#queue.unshift(given.bytes);
    this.#queued += given.bytes.length;
  }

  #give(): void {
    const [poll, bytes] = [this.#poll, Buffer.concat(this.#queue, this.#queued)];
    this.#forget();
    if (poll === undefined) return;
    this.#given = { key: poll.key, bytes, taken: false };
    this.#finish('done', bytes);
  }

  /** Answers the poll that waits, if one does. From now on the client has its time for the next one. */
  #finish(outcome: 'done' | 'ended', bytes: Uint8Array = nothing): void {
    const poll = this.#poll;
    this.#poll = undefined;
    this.#ready = false;
    if (poll === undefined) return;
    this.#awaitPoll();
    poll.answer(outcome, bytes);
  }

  #awaitPoll(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#missed(), this.#options.gapMs);
  }

  #missed(): void {
    this.#connection?.gone('idle');
    this.#leave();
  }

  /** What became of a poll: its bytes are on their way to the client, or the client had gone. */
  taken(key: string, taken: boolean): void {
    if (this.#given?.key === key) this.#given.taken = taken;
    else if (!taken && this.#poll?.key === key) {
      this.#poll = undefined;
      this.#ready = false;
      this.#awaitPoll();
    }
  }

  write(frame: Frame): void {
    this.writeAll([frame]);
  }

  writeAll(frames: readonly Frame[]): void {
    if (this.#ended) return;
    for (const { bytes } of frames) {
      this.#queue.push(Uint8Array.from(bytes));
      this.#queued += bytes.length;
    }
    if (this.#ready) this.#give();
  }

  /** What the last poll was given comes on top, once. */
  buffered(): number {
    return this.#queued;
  }

  /** The next poll gets what waits, the one after it 204. Of a client that is slow all is thrown away. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connection = undefined;
    if (this.#queued > this.#options.queueBytes) this.#forget();
    if (this.#ready) this.#leave();
    else if (this.#timer === undefined) this.#awaitPoll();
  }

  /** The client ends it: DELETE. */
  remove(): void {
    this.#forget();
    this.#given = undefined;
    this.#connection?.gone();
    this.#leave();
  }

  #forget(): void {
    this.#queue = [];
    this.#queued = 0;
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#finish('ended');
    clearTimeout(this.#timer);
    this.#options.over();
  }
}
