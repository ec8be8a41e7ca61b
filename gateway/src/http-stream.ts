import type { NativeResponse } from './http-native.ts';

/** The body of an answer that is written as it comes. Once it has ended, whoever ended it, every call does nothing. */
export interface BodyStream {
  /** Writes, or keeps until the client takes more. The bytes must not change any more. */
  write(bytes: Uint8Array): void;
  /** Bytes written that the client has not taken; precise to one piece of 64 KiB. */
  buffered(): number;
  /** Ends the answer after what was written. */
  end(): void;
  /** Ends the socket at once: what waits is thrown away, and half an answer does not look whole. */
  cut(): void;
}

/** Bytes given to uWebSockets.js at once: what it keeps itself cannot be asked for, so it shall be little. */
const pieceBytes = 64 * 1024;

/**
 * Writes to a response whose head was written. uWebSockets.js keeps without limit what its client does not take: what
 * comes after the first such piece waits here, where it can be counted.
 */
export class ResponseStream implements BodyStream {
  /** Undefined once ended or aborted: any further use would throw. */
  #response: NativeResponse | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Bytes of the last piece while the client has not taken all of it. */
  #untaken = 0;
  #ending = false;

  constructor(response: NativeResponse) {
    this.#response = response;
    response.onWritable(() => {
      this.#untaken = 0;
      this.#pump();
      return true;
    });
  }

  write(bytes: Uint8Array): void {
    if (this.#response === undefined || this.#ending || bytes.length === 0) return;
    for (let at = 0; at < bytes.length; at += pieceBytes) this.#waiting.push(bytes.subarray(at, at + pieceBytes));
    this.#waitingBytes += bytes.length;
    this.#pump();
  }

  buffered(): number {
    return this.#waitingBytes + this.#untaken;
  }

  end(): void {
    this.#ending = true;
    this.#pump();
  }

  cut(): void {
    this.#response?.close();
    this.gone();
  }

  /** The client has gone. */
  gone(): void {
    this.#response = undefined;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#untaken = 0;
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#untaken === 0) this.#send(this.#piece());
    if (!this.#ending || this.#waiting.length > 0) return;
    const response = this.#response;
    this.gone();
    response?.cork(() => response.end());
  }

  /** What waits, as much as goes at once. */
  #piece(): Uint8Array {
    let count = 0;
    let bytes = 0;
    for (const { length } of this.#waiting) {
      if (count > 0 && bytes + length > pieceBytes) break;
      bytes += length;
      count++;
    }
    this.#waitingBytes -= bytes;
    const [first, ...others] = this.#waiting.splice(0, count);
    return first !== undefined && others.length === 0 ? first : Buffer.concat([first ?? new Uint8Array(), ...others]);
  }

  /** Within a cork a blocked socket is told of one piece late. */
  #send(piece: Uint8Array): void {
    this.#response?.cork(() => {
      if (!this.#response?.write(piece)) this.#untaken = piece.length;
    });
  }
}
