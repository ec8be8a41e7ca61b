import { connect, type Socket } from 'node:net';

/** What a client of a bench is told of its socket. */
export interface RawSocketEvents {
  /** Its handshake was answered. */
  ready(): void;
  /** Bytes of frames came after that: the first `count` of `from`, valid only during the call. */
  bytes(count: number, from: Uint8Array): void;
  closed(why: string): void;
}

export interface RawSocketOptions {
  readonly port: number;
  /** Path and query of the upgrade. */
  readonly path: string;
  /** Local address: each one has ports of its own. */
  readonly from: string;
  readonly protocol: 'json' | 'messagepack';
}

const headEnd = '\r\n\r\n';
/** A frame with the three bytes of `{}` and the record separator. */
const handshakeAnswerBytes = 5;

/** All sockets read into the same memory: what comes is counted, not kept. */
const buffer = Buffer.allocUnsafe(256 * 1024);

/** The cheapest client there is: upgrades, shakes hands, and counts bytes. One hub message is not told from another. */
export class RawSocket {
  readonly #socket: Socket;
  readonly #events: RawSocketEvents;
  readonly #protocol: string;
  /** The head of the answer, until it is complete. */
  #head = '';
  #owedBytes = handshakeAnswerBytes;
  #state: 'upgrading' | 'shaking' | 'open' = 'upgrading';

  constructor({ port, path, from, protocol }: RawSocketOptions, events: RawSocketEvents) {
    this.#events = events;
    this.#protocol = protocol;
    const onread = {
      buffer,
      callback: (count: number): boolean => {
        this.#take(count);
        return true;
      },
    };
    this.#socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true, onread });
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    this.#socket.on('error', (error) => events.closed(error.message));
    this.#socket.on('close', () => events.closed('closed'));
  }

  /** Sends frames, masked already. */
  write(frames: Uint8Array): void {
    this.#socket.write(frames);
  }

  /** Drops the connection. */
  destroy(): void {
    this.#socket.removeAllListeners('close').destroy();
  }

  #take(count: number): void {
    if (this.#state === 'open') this.#events.bytes(count, buffer);
    else if (this.#state === 'upgrading') this.#upgrade(count);
    else this.#shake(count);
  }

  #upgrade(count: number): void {
    this.#head += buffer.toString('latin1', 0, count);
    const end = this.#head.indexOf(headEnd);
    if (end < 0) return;
    if (!this.#head.startsWith('HTTP/1.1 101')) {
      this.#events.closed(this.#head);
      return;
    }
    this.#head = '';
    this.#state = 'shaking';
    this.#socket.write(maskedText(`{"protocol":"${this.#protocol}","version":1}\x1e`));
  }

  #shake(count: number): void {
    this.#owedBytes -= count;
    if (this.#owedBytes > 0) return;
    this.#state = 'open';
    this.#events.ready();
    if (this.#owedBytes < 0) this.#events.bytes(-this.#owedBytes, buffer.subarray(count + this.#owedBytes));
  }
}

/** A text frame of a client, masked with zeros; at most 125 bytes of text. */
export function maskedText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | bytes.length, 0, 0, 0, 0]), bytes]);
}
