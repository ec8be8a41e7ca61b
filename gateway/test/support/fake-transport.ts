import type { Frame, Transport, TransportKind } from '../../src/core/transport.ts';

/** A wire that keeps what was written. Its client may stop reading. */
export class FakeTransport implements Transport {
  kind: TransportKind = 'WebSockets';
  readonly frames: Frame[] = [];
  /** Calls of `write` and `writeAll`: on a real wire, system calls. */
  writes = 0;
  ended = false;
  /** False: what is written stays buffered. */
  reading = true;
  readonly #written: (frame: Frame) => void;
  #unread = 0;

  /** @param written called for each frame; the bytes are the transport's own copy. */
  constructor(written: (frame: Frame) => void = () => undefined) {
    this.#written = written;
  }

  write(frame: Frame): void {
    this.writeAll([frame]);
  }

  writeAll(frames: readonly Frame[]): void {
    if (this.ended) return;
    this.writes++;
    for (const { bytes, binary } of frames) {
      const copy = { bytes: Uint8Array.from(bytes), binary };
      this.frames.push(copy);
      if (!this.reading) this.#unread += bytes.length;
      this.#written(copy);
    }
  }

  buffered(): number {
    return this.#unread;
  }

  end(): void {
    this.ended = true;
  }

  /** All that was written, as text. */
  get text(): string {
    return this.frames.map(({ bytes }) => Buffer.from(bytes).toString()).join('');
  }
}
