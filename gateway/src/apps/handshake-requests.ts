/** Longer requests are rare. */
const longest = 128;
/** A few hub protocols in a few spellings: who sends others does not fill the memory. */
const most = 64;

/**
 * The handshake requests of clients that stay. Nearly all are word for word the same, so those clients share the bytes: a
 * request of each one's own kept a piece of Node's buffer pool alive, about 500 bytes (measured).
 */
export class HandshakeRequests {
  readonly #known = new Map<string, Uint8Array>();

  /** The same bytes, in memory that nobody else writes to. They must not be changed. */
  keep(request: Uint8Array): Uint8Array {
    if (request.length > longest) return new Uint8Array(request);
    const text = Buffer.from(request.buffer, request.byteOffset, request.length).toString('latin1');
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const own = new Uint8Array(request);
    if (this.#known.size < most) this.#known.set(text, own);
    return own;
  }
}
