const nothing = new Uint8Array();

/** One piece of something that is too large for a message between nodes. */
export interface Piece {
  /** Counts from 1. */
  readonly number: number;
  readonly last: boolean;
  readonly bytes: Uint8Array;
}

/** Cuts; what is empty is one empty piece. The pieces are views. */
export function* cut(bytes: Uint8Array, pieceBytes: number): Generator<Piece> {
  let number = 1;
  for (let at = 0; at < bytes.length || number === 1; at += pieceBytes) {
    yield { number: number++, last: at + pieceBytes >= bytes.length, bytes: bytes.subarray(at, at + pieceBytes) };
  }
}

/** Puts pieces together again, as they come. */
export class Pieces {
  readonly #limit: number;
  readonly #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** @param limit most bytes of the whole. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a copy of the next one. @returns the whole, `more`, or why there will be none: a hole, or too much. */
  take({ number, last, bytes }: Piece): Uint8Array | 'more' | 'lost' | 'too_large' {
    if (number !== this.#pieces.length + 1) return 'lost';
    this.#bytes += bytes.length;
    if (this.#bytes > this.#limit) return 'too_large';
    this.#pieces.push(bytes.length === 0 ? nothing : bytes.slice());
    return last ? Buffer.concat(this.#pieces, this.#bytes) : 'more';
  }
}
