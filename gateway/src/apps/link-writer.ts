import type { Socket } from '../http.ts';

/** Somebody whose bytes wait in the socket of a link. */
export interface Sender {
  /** Bytes of its own that the socket has not sent. */
  unsent: number;
}

/** A run of bytes of one sender, written behind those of the run before. */
interface Run {
  readonly sender: Sender;
  /** Position of its last byte in all that was ever written. */
  readonly end: number;
  waiting: number;
}

export interface LinkWriterOptions {
  /** Most bytes that may wait in the socket. */
  readonly queueBytes: number;
  /** More are waiting, or bytes were lost: the link must end. */
  readonly full: () => void;
}

/** From so many bytes on, a WebSocket message of its own costs nothing that counts. */
const gatherBytes = 64 * 1024;

/** Sent and nothing buffered is 1, buffered 0. */
const dropped = 2;

/** Length of the head that a WebSocket message of ours has (RFC 6455, section 5.2): servers do not mask. */
function headBytes(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

/**
 * The bytes to one app server. The service protocol is a stream, so all that a turn of the event loop owes the link leaves
 * as one WebSocket message; a large one is passed on as it is. Knows which senders the bytes belong to that wait in a
 * backed-up socket.
 */
export class LinkWriter {
  /** Undefined once it is over: any use of a closed socket throws. */
  #socket: Socket | undefined;
  readonly #options: LinkWriterOptions;
  #owed: Uint8Array[] = [];
  /** Senders of what is owed, place by place. */
  #owedBy: (Sender | undefined)[] = [];
  #owedBytes = 0;
  #scheduled: NodeJS.Immediate | undefined;
  /** Bytes given to the socket, heads of WebSocket messages included. */
  #written = 0;
  /** In the order of their ends; those before `#next` have left. */
  #runs: Run[] = [];
  #next = 0;

  constructor(socket: Socket, options: LinkWriterOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Owes bytes, which the writer keeps. They leave within this turn, in order. */
  write(bytes: Uint8Array, sender?: Sender): void {
    if (this.#socket === undefined) return;
    this.#owed.push(bytes);
    this.#owedBy.push(sender);
    this.#owedBytes += bytes.length;
    if (this.#owedBytes >= gatherBytes) this.flush();
    else this.#scheduled ??= setImmediate(() => this.flush());
  }

  /** Gives all that is owed to the socket. */
  flush(): void {
    const socket = this.#socket;
    const [first] = this.#owed;
    if (socket === undefined || first === undefined) return;
    const bytes = this.#owed.length === 1 ? first : Buffer.concat(this.#owed, this.#owedBytes);
    const result = socket.send(bytes, true);
    const waiting = socket.getBufferedAmount();
    if (waiting > 0) this.#note();
    this.#written += headBytes(bytes.length) + bytes.length;
    this.#left(waiting);
    this.#clear();
    if (result === dropped || waiting > this.#options.queueBytes) this.#options.full();
  }

  /** Some of what waited has left. */
  drained(): void {
    if (this.#socket !== undefined) this.#left(this.#socket.getBufferedAmount());
  }

  /**
   * Ends the socket with a close frame behind what it was given; what is owed besides is dropped.
   * @param cut does not wait for a peer that does not read: its queue is freed at once.
   */
  end(code: number, cut: boolean): void {
    this.#clear();
    const socket = this.#socket;
    if (socket === undefined) return;
    if (socket.getBufferedAmount() === 0) socket.end(code);
    else if (cut) socket.close();
    else this.#endLater(code);
  }

  /** Inside a callback of the socket (it is corked there) an end would throw away the bytes that wait: measured. */
  #endLater(code: number): void {
    setImmediate(() => this.#socket?.end(code));
  }

  /** The socket is over, whoever ended it. */
  gone(): void {
    this.#clear();
    this.#socket = undefined;
  }

  #clear(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#owed = [];
    this.#owedBy = [];
    this.#owedBytes = 0;
  }

  #note(): void {
    let end = this.#written + headBytes(this.#owedBytes);
    for (let i = 0; i < this.#owed.length; i++) {
      const { length } = this.#owed[i]!;
      const sender = this.#owedBy[i];
      end += length;
      if (sender === undefined) continue;
      sender.unsent += length;
      this.#runs.push({ sender, end, waiting: length });
    }
  }

  /** The socket holds so many bytes still: all before them have left. */
  #left(waiting: number): void {
    const sent = this.#written - waiting;
    while (this.#next < this.#runs.length) {
      const run = this.#runs[this.#next]!;
      const rest = Math.max(0, run.end - sent);
      if (rest < run.waiting) this.#shrink(run, rest);
      if (rest > 0) break;
      this.#next++;
    }
    this.#compact();
  }

  /** The runs that have left are cut off when they are the larger half: each is moved about once. */
  #compact(): void {
    if (this.#next === 0 || this.#next * 2 < this.#runs.length) return;
    this.#runs = this.#runs.slice(this.#next);
    this.#next = 0;
  }

  #shrink(run: Run, rest: number): void {
    run.sender.unsent -= run.waiting - rest;
    run.waiting = rest;
  }
}
