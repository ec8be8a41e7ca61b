/** Refuses requests that two readers could cut at different places (architecture, section 10). */

const digits = /^[0-9]{1,15}$/;

/** What the head says about the body. */
export interface Framing {
  /** The rule that is broken, or undefined. */
  readonly fault: string | undefined;
  /** Bytes of the body; 0 when there is none or it is chunked. */
  readonly length: number;
  readonly chunked: boolean;
}

/** Collects the headers of one request as they are told, one by one, and judges its framing. */
export class Head {
  readonly #headers = new Map<string, string>();
  #lengths = 0;
  #encodings = 0;

  /** `name` is in lower case. Repeated headers are joined by a comma, as HTTP means them. */
  readonly add = (name: string, value: string): void => {
    if (name === 'content-length') this.#lengths++;
    else if (name === 'transfer-encoding') this.#encodings++;
    const before = this.#headers.get(name);
    this.#headers.set(name, before === undefined ? value : `${before}, ${value}`);
  };

  readonly get = (name: string): string | undefined => this.#headers.get(name);

  framing(): Framing {
    const length = this.#headers.get('content-length');
    const encoding = this.#headers.get('transfer-encoding');
    const fault = this.#fault(length, encoding);
    return { fault, length: Number(fault === undefined ? (length ?? 0) : 0), chunked: encoding !== undefined };
  }

  #fault(length: string | undefined, encoding: string | undefined): string | undefined {
    if (this.#lengths > 1) return `"Content-Length" must stand at most once, got ${this.#lengths}`;
    if (length !== undefined && !digits.test(length))
      return `"Content-Length" must be 1 to 15 digits, got ${show(length)}`;
    if (this.#encodings > 1) return `"Transfer-Encoding" must stand at most once, got ${this.#encodings}`;
    if (encoding !== undefined && encoding !== 'chunked')
      return `"Transfer-Encoding" must be chunked, got ${show(encoding)}`;
    if (length !== undefined && encoding !== undefined)
      return '"Content-Length" must not stand beside "Transfer-Encoding"';
    return undefined;
  }
}

const shownChars = 64;

function show(value: string): string {
  return JSON.stringify(value.length > shownChars ? `${value.slice(0, shownChars)}…` : value);
}
