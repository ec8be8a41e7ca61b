import { connect, type Socket } from 'node:net';
import { FrameSplitter, readServiceMessage, type ServiceMessage } from '@signalbox/app-sdk/protocol';

/** What a link is opened with. */
export interface RawLinkOptions {
  readonly port: number;
  readonly hub: string;
  readonly token: string;
  /** Id of the app server. */
  readonly server: string;
}

const headEnd = '\r\n\r\n';

/** One service connection without a WebSocket library behind it: upgrades, cuts what comes, and writes once a turn. */
export class RawLink {
  readonly #socket: Socket;
  readonly #heard: (message: ServiceMessage) => void;
  readonly #splitter = new FrameSplitter({ limit: Number.POSITIVE_INFINITY });
  /** What came and is not a whole frame yet. */
  #rest: Buffer = Buffer.alloc(0);
  #upgraded = false;
  #owed: Uint8Array[] = [];

  /** @param heard is told of each message; byte strings in it are views, valid only during the call. */
  constructor({ port, hub, token, server }: RawLinkOptions, heard: (message: ServiceMessage) => void) {
    this.#heard = heard;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.write(
      `GET /server/?hub=${hub}&cid=bench HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
        `Authorization: Bearer ${token}\r\nX-ASRS-Server-Id: ${server}\r\n\r\n`,
    );
    this.#socket.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#socket.on('error', (error) => {
      throw error;
    });
  }

  /** Owes the bytes of a message; they leave at the end of this turn. */
  write(frame: Uint8Array): void {
    if (this.#owed.push(frame) === 1) setImmediate(() => this.#flush());
  }

  /** Nothing leaves before the upgrade was answered. */
  #flush(): void {
    if (!this.#upgraded || this.#owed.length === 0) return;
    const length = this.#owed.reduce((sum, { length: one }) => sum + one, 0);
    this.#socket.write(Buffer.concat([maskedHead(length), ...this.#owed]));
    this.#owed = [];
  }

  #take(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    if (!this.#upgraded && !this.#upgrade()) return;
    for (let body = this.#frame(); body !== undefined; body = this.#frame()) this.#read(body);
  }

  #upgrade(): boolean {
    const end = this.#rest.indexOf(headEnd);
    if (end < 0) return false;
    const head = this.#rest.toString('latin1', 0, end);
    if (!head.startsWith('HTTP/1.1 101')) throw new Error(`a link was refused: ${head}`);
    this.#rest = this.#rest.subarray(end + headEnd.length);
    this.#upgraded = true;
    this.#flush();
    return true;
  }

  /** The next whole frame without its head; servers do not mask. */
  #frame(): Buffer | undefined {
    const rest = this.#rest;
    if (rest.length < 2) return undefined;
    const short = rest[1]! & 0x7f;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (rest.length < head) return undefined;
    const length = head === 2 ? short : head === 4 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
    if (rest.length < head + length) return undefined;
    if (rest[0] !== 0x82) throw new Error(`a link must bring binary frames, got one of ${rest[0]}`);
    this.#rest = rest.subarray(head + length);
    return rest.subarray(head, head + length);
  }

  #read(bytes: Buffer): void {
    for (const body of this.#splitter.push(bytes)) {
      const message = readServiceMessage(body);
      if (message !== undefined) this.#heard(message);
    }
  }
}

/** The head of a binary frame of a client, masked with zeros. */
function maskedHead(length: number): Buffer {
  if (length < 126) return Buffer.from([0x82, 0x80 | length, 0, 0, 0, 0]);
  const head = Buffer.alloc(length < 65_536 ? 8 : 14);
  head[0] = 0x82;
  head[1] = length < 65_536 ? 0xfe : 0xff;
  if (length < 65_536) head.writeUInt16BE(length, 2);
  else head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}
