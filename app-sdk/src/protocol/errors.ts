/** Bytes or text that break a rule of the protocol they claim to speak. The sentence names the rule; it never quotes a payload. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
  readonly code = 'ERR_MALFORMED';
}

/** One message is longer than the reader allows. Sizes are framed bytes: separator or length prefix included. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
  readonly code = 'ERR_TOO_LARGE';
  /** The most framed bytes that one message may have. */
  readonly limit: number;

  constructor(limit: number) {
    super(`a message must be at most ${limit} bytes with its frame`);
    this.limit = limit;
  }
}
