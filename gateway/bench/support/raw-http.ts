import { connect, type Socket } from 'node:net';

/** One keep-alive connection that carries one request after another. Answers must come with a `Content-Length`. */
export class RawHttp {
  readonly #socket: Socket;
  #text = '';
  #resolve: ((answer: string) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#take(text));
    this.#socket.on('error', (error) => this.#reject?.(error));
    this.#socket.on('close', () => this.#reject?.(new Error(`closed after ${this.#text}`)));
  }

  /** Sends a whole request. Resolves with the whole answer. */
  request(bytes: string | Uint8Array): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#reject = undefined;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#text += text;
    const end = this.#text.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#text)?.[1] ?? '0';
    if (this.#text.length < end + 4 + Number(length)) return;
    const answer = this.#text;
    this.#text = '';
    this.#resolve?.(answer);
  }
}

/** The text of a POST request. */
export function post(path: string, token: string, body: string): string {
  return (
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}
