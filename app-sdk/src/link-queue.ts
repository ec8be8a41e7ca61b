import { checkTimeout, Deadline } from './deadline.ts';
import { SignalboxError } from './errors.ts';
import type { CallOptions } from './hub-context.ts';

/** Under so many bytes a sender need not wait. */
const roomBytes = 1 << 20;

/** Most bytes of one write, unless one message is larger: small messages of one turn share it. */
const batchBytes = 64 * 1024;

/** What a waiting message costs besides its bytes: many small ones must not cost more than a large one. */
const frameBytes = 64;

/** Somebody who waits for room. `number`: of the frame after which it waits. */
interface Waiter {
  readonly number: number;
  readonly deadline: Deadline | undefined;
  resolve(): void;
  reject(error: SignalboxError): void;
}

/** What a queue needs. */
export interface LinkQueueParts {
  readonly maxBytes: number;
  /** Writes bytes that it does not keep. False: nothing more until `LinkQueue.drained`. */
  write(bytes: Uint8Array): boolean;
}

/**
 * What one link has to write, in order. What is put in within one turn of the event loop leaves together. Its bytes count
 * until the operating system has them.
 */
export class LinkQueue {
  readonly #parts: LinkQueueParts;
  /** Frames to write: `#next` reversed, so that its end is the head; then `#frames`. */
  #next: Uint8Array[] = [];
  #frames: Uint8Array[] = [];
  #waiting: Waiter[] = [];
  #empty: (() => void)[] = [];
  #bytes = 0;
  /** Bytes that were written and are not drained. */
  #handed = 0;
  #put = 0;
  #written = 0;
  #stuckSince: number | undefined;
  #flushing = false;
  #over = false;

  constructor(parts: LinkQueueParts) {
    this.#parts = parts;
  }

  /** Bytes that wait, each message counted with 64 on top. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Since when nothing could be written, by `performance.now()`; `undefined` while writing goes on. */
  get stuckSince(): number | undefined {
    return this.#stuckSince;
  }

  /**
   * Puts a message at the end before it returns; resolves when less than 1 MiB waits. Rejects ERR_QUEUE_FULL,
   * ERR_TOO_LARGE and, where the queue has ended, ERR_LINK_LOST; with options also ERR_TIMEOUT and ERR_ABORTED. Throws
   * `TypeError` for a time out of range.
   */
  put(frame: Uint8Array, options: CallOptions = {}): Promise<void> {
    checkTimeout(options.timeoutMs, endless);
    const refusal = this.#refusal(frame.length, options);
    if (refusal !== undefined) return Promise.reject(refusal);
    this.push(frame);
    return this.#bytes < roomBytes ? Promise.resolve() : this.#room(options);
  }

  /** Puts a small message at the end, whatever the bound. */
  push(frame: Uint8Array): void {
    if (this.#over) return;
    this.#frames.push(frame);
    this.#put++;
    this.#bytes += frame.length + frameBytes;
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  /** What was written has left: go on. */
  drained(): void {
    if (this.#over) return;
    this.#stuckSince = undefined;
    this.#bytes -= this.#handed;
    this.#handed = 0;
    this.#flush();
  }

  /** Resolves when all is written, or the queue has ended. */
  flushed(): Promise<void> {
    return this.#bytes === 0 ? Promise.resolve() : new Promise((resolve) => this.#empty.push(resolve));
  }

  /** The link is gone. @returns how many messages are lost that surely were not written. */
  end(text: string): number {
    const lost = this.#put - this.#written;
    this.#over = true;
    this.#next = [];
    this.#frames = [];
    this.#bytes = 0;
    for (const { number, deadline, reject } of this.#waiting.splice(0)) {
      deadline?.clear();
      reject(new SignalboxError('ERR_LINK_LOST', text, { outcome: number > this.#written ? 'notSent' : 'unknown' }));
    }
    this.#settle();
    return lost;
  }

  #refusal(length: number, { signal }: CallOptions): SignalboxError | undefined {
    const { maxBytes } = this.#parts;
    if (this.#over) return new SignalboxError('ERR_LINK_LOST', 'the link was lost before');
    if (signal?.aborted)
      return new SignalboxError('ERR_ABORTED', 'given up before it was sent', { cause: signal.reason });
    if (length > maxBytes) {
      return new SignalboxError('ERR_TOO_LARGE', `a message must be at most ${maxBytes} bytes, got ${length}`);
    }
    if (this.#bytes + length <= maxBytes) return undefined;
    return new SignalboxError('ERR_QUEUE_FULL', `what waits for a link must be at most ${maxBytes} bytes`);
  }

  #room({ timeoutMs, signal }: CallOptions): Promise<void> {
    const deadline =
      timeoutMs === undefined && signal === undefined ? undefined : new Deadline(timeoutMs ?? endless, signal);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { number: this.#put, deadline, resolve, reject };
      this.#waiting.push(waiter);
      deadline?.onEnd(() => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(deadline.error('room in the queue of the link', 'unknown'));
      });
    });
  }

  #flush(): void {
    while (this.#stuckSince === undefined && !this.#over && this.#next.length + this.#frames.length > 0) this.#write();
    this.#settle();
  }

  #write(): void {
    const frames = this.#take();
    const [first] = frames;
    if (first === undefined) return;
    const bytes = frames.length === 1 ? first : Buffer.concat(frames);
    const counted = bytes.length + frames.length * frameBytes;
    this.#written += frames.length;
    const more = this.#parts.write(bytes);
    if (this.#over) return;
    if (more) {
      this.#bytes -= counted;
    } else {
      this.#stuckSince = performance.now();
      this.#handed = counted;
    }
  }

  /** The frames of one write. */
  #take(): Uint8Array[] {
    const taken: Uint8Array[] = [];
    for (let size = 0; ; ) {
      if (this.#next.length === 0) this.#turn();
      const frame = this.#next.at(-1);
      if (frame === undefined || (size > 0 && size + frame.length > batchBytes)) return taken;
      size += frame.length;
      taken.push(frame);
      this.#next.pop();
    }
  }

  #turn(): void {
    this.#next = this.#frames.reverse();
    this.#frames = [];
  }

  #settle(): void {
    if (this.#bytes < roomBytes) {
      for (const { deadline, resolve } of this.#waiting.splice(0)) {
        deadline?.clear();
        resolve();
      }
    }
    if (this.#bytes === 0) for (const resolve of this.#empty.splice(0)) resolve();
  }
}

/** The longest that a timer of Node can hold: a signal alone has no time. */
const endless = 2 ** 31 - 1;
