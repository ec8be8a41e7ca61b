import { GatewayError } from '../errors.ts';

/** Text of a caller as it may stand in an answer: quoted, control characters escaped, at most 80 characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/**
 * Decodes one percent-encoded part of a URL, once.
 * @throws {GatewayError} `request_invalid` when it is not percent-encoded UTF-8; `part` names it in the sentence.
 */
export function decodeOnce(encoded: string, part: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    // The one thing decodeURIComponent throws is URIError: a bad escape, or bytes that are no UTF-8.
    throw new GatewayError('request_invalid', `${part} must be percent-encoded UTF-8, got ${quoted(encoded)}`);
  }
}

/** The query of a request. Names are matched in any case, a repeated name keeps all its values (REST reference, 2.2). */
export class Query {
  readonly #values = new Map<string, string[]>();

  /**
   * @param text what stands behind `?`, undecoded
   * @throws {GatewayError} `request_invalid` when it is not percent-encoded UTF-8.
   */
  constructor(text: string) {
    for (const pair of text.split('&')) {
      if (pair !== '') this.#add(pair);
    }
  }

  /** Was the name given at all, even without a value? */
  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  /** All values of the name, in order; none when it was not given. */
  all(name: string): readonly string[] {
    return this.#values.get(name.toLowerCase()) ?? [];
  }

  /**
   * The value of a name that may stand once; `undefined` when it was not given.
   * @throws {GatewayError} `request_invalid` when it was given more often: two readers could take different ones.
   */
  one(name: string): string | undefined {
    const values = this.all(name);
    if (values.length <= 1) return values[0];
    throw new GatewayError('request_invalid', `"${name}" must be given at most once, got ${values.length}`);
  }

  #add(pair: string): void {
    const spaced = pair.replaceAll('+', ' ');
    const cut = spaced.indexOf('=');
    const name = decodeOnce(cut < 0 ? spaced : spaced.slice(0, cut), 'the query').toLowerCase();
    const value = cut < 0 ? '' : decodeOnce(spaced.slice(cut + 1), 'the query');
    const values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, [value]);
    else values.push(value);
  }
}
