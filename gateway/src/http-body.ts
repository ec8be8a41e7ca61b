import { GatewayError } from './errors.ts';

type State = 'coming' | 'complete' | 'too_large' | 'cut_off';

interface Reader {
  readonly limit: number;
  resolve(bytes: Uint8Array): void;
  reject(error: GatewayError): void;
}

/**
 * The body of one request. Its pieces are kept from the first turn on, because uWebSockets.js throws away what nobody
 * listens to while a handler awaits; never more than `ceiling` bytes, whatever was announced.
 */
export class Body {
  readonly #ceiling: number;
  readonly #announced: number;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #state: State = 'coming';
  #reader: Reader | undefined;

  /** @param announced the `Content-Length`; 0 for a chunked body */
  constructor(ceiling: number, announced: number) {
    this.#ceiling = ceiling;
    this.#announced = announced;
  }

  /** A piece came; it is copied, for its memory is taken back when this returns. */
  take(piece: ArrayBuffer, last: boolean): void {
    if (this.#state !== 'coming') return;
    this.#size += piece.byteLength;
    const limit = Math.min(this.#ceiling, this.#reader?.limit ?? this.#ceiling);
    if (this.#size > limit) this.#over();
    else {
      if (piece.byteLength > 0) this.#pieces.push(new Uint8Array(piece.slice(0)));
      if (last) this.#state = 'complete';
    }
    this.#settle();
  }

  /** The client is gone. */
  cutOff(): void {
    if (this.#state !== 'coming') return;
    this.#state = 'cut_off';
    this.#pieces = [];
    this.#settle();
  }

  /**
   * The whole body, to be read once.
   * @throws {GatewayError} `too_large` as soon as more than `limit` bytes are announced or came; `request_invalid` when cut off.
   */
  read(limit: number): Promise<Uint8Array> {
    if (this.#announced > limit || this.#size > limit) this.#over();
    return new Promise((resolve, reject) => {
      this.#reader = { limit: Math.min(limit, this.#ceiling), resolve, reject };
      this.#settle();
    });
  }

  #over(): void {
    this.#state = 'too_large';
    this.#pieces = [];
  }

  #settle(): void {
    const reader = this.#reader;
    if (reader === undefined || this.#state === 'coming') return;
    this.#reader = undefined;
    if (this.#state === 'complete') reader.resolve(this.#joined());
    else if (this.#state === 'cut_off') reader.reject(new GatewayError('request_invalid', 'the body was cut off'));
    else reader.reject(new GatewayError('too_large', `the body must be at most ${reader.limit} bytes`));
  }

  #joined(): Uint8Array {
    const pieces = this.#pieces;
    this.#pieces = [];
    const [first] = pieces;
    if (first === undefined) return new Uint8Array();
    return pieces.length === 1 ? first : Buffer.concat(pieces, this.#size);
  }
}
