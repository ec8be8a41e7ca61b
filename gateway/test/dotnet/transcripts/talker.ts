import { WebSocket } from 'ws';
import { Inbox } from '../../support/inbox.ts';
import { within } from '../../support/until.ts';

const ping = '{"type":6}';

/** What one client heard: each record as it came, and how its connection ended. */
export class Heard {
  readonly lines = new Inbox<string>();
  /** Pings come when time says so; they are counted. */
  readonly pings = new Inbox<string>();
  readonly closed: Promise<void>;
  #close: () => void = () => undefined;

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  /** Writes down what a socket brings. */
  listen(socket: WebSocket): void {
    socket.on('message', (data: Buffer) => {
      for (const record of data.toString().split('\x1e').slice(0, -1)) {
        (record === ping ? this.pings : this.lines).add(record);
      }
    });
    socket.on('error', () => undefined); // the close tells
    socket.once('close', (code: number) => {
      this.lines.add(`closed with ${code}`);
      this.#close();
    });
  }

  /** Resolves when this many lines came. */
  count(lines: number): Promise<void> {
    return this.lines.until(`${lines} lines`, ({ length }) => length >= lines);
  }

  /** Resolves when a line came that has this text in it. */
  text(part: string): Promise<void> {
    return this.lines.one(part, (line) => line.includes(part));
  }
}

/** A client by hand: says any text over a WebSocket, and writes down what comes. */
export class Talker {
  readonly heard = new Heard();
  readonly id: string;
  readonly #socket: WebSocket;
  #calls = 0;

  private constructor(socket: WebSocket, id: string) {
    this.#socket = socket;
    this.id = id;
    this.heard.listen(socket);
  }

  /** Resolves when the WebSocket is open; nothing was said yet. */
  static async open(url: string, id: string): Promise<Talker> {
    const socket = new WebSocket(url);
    const talker = new Talker(socket, id);
    const opened = new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('close', () => reject(new Error('the WebSocket was refused')));
    });
    await within('the WebSocket opens', opened);
    return talker;
  }

  /** Says messages, or texts as they are, in one WebSocket message. */
  say(...records: readonly (object | string)[]): void {
    const texts = records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record)));
    this.#socket.send(texts.map((text) => `${text}\x1e`).join(''));
  }

  /** Says bytes without a frame around them. */
  sayRaw(text: string): void {
    this.#socket.send(text);
  }

  /** Calls a hub method, and waits for its completion. */
  async call(target: string, ...args: readonly unknown[]): Promise<void> {
    const invocationId = `c${++this.#calls}`;
    this.say({ type: 1, invocationId, target, arguments: args });
    await this.heard.text(`{"type":3,"invocationId":"${invocationId}"`);
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Closes the WebSocket without a word. */
  leave(): void {
    this.#socket.close(1000);
  }
}
