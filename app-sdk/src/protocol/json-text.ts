import { MalformedError } from './errors.ts';
import { maxDepth } from './messagepack-reader.ts';

const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside strings
const control = /[\u0000-\u001f]/;
const literals = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const tooDeep = `JSON must nest at most ${maxDepth} deep`;

/** UTF-8 bytes as text, without a byte order mark. @throws MalformedError when they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new MalformedError('text must be UTF-8');
  }
}

/** Refuses JSON that nests deeper than 64. Looks at brackets only; whether the text is JSON is for the parser to say. */
export function checkJsonDepth(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === 0x22) at = stringEnd(text, at);
    else if (char === 0x7b || char === 0x5b) depth++;
    else if (char === 0x7d || char === 0x5d) depth--;
    if (depth > maxDepth) throw new MalformedError(tooDeep);
  }
}

/** Where the string that opens at `open` closes; the length of the text when it does not. */
function stringEnd(text: string, open: number): number {
  let close = open;
  do close = text.indexOf('"', close + 1);
  while (close > 0 && isEscaped(text, close));
  return close < 0 ? text.length : close;
}

function isEscaped(text: string, quote: number): boolean {
  let at = quote;
  while (text.charCodeAt(at - 1) === 0x5c) at--;
  return (quote - at) % 2 === 1;
}

/**
 * A cursor over JSON text (RFC 8259) for those who need the text of a value and not the value: where it stands, and how a
 * number was written. Breaking the grammar, or nesting deeper than 64, is a `MalformedError`.
 */
export class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The first character of the next token, with blanks passed over; empty at the end of the text. */
  peek(): string {
    while (' \n\r\t'.includes(this.#text[this.#at] ?? '-')) this.#at++;
    return this.#text[this.#at] ?? '';
  }

  /** The text of the next value, exactly as it is written. */
  readRaw(): string {
    this.peek();
    const from = this.#at;
    this.skip();
    return this.#text.slice(from, this.#at);
  }

  readString(): string {
    if (this.peek() !== '"') throw this.#unexpected('a string');
    const end = stringEnd(this.#text, this.#at);
    const quoted = this.#text.slice(this.#at, end + 1);
    if (end === this.#text.length || control.test(quoted)) throw this.#unexpected('a complete string');
    this.#at = end + 1;
    return quoted.includes('\\') ? withoutEscapes(quoted) : quoted.slice(1, -1);
  }

  /** The text of a number. */
  readNumber(): string {
    this.peek();
    number.lastIndex = this.#at;
    const match = number.exec(this.#text);
    if (!match) throw this.#unexpected('a value');
    this.#at = number.lastIndex;
    return match[0];
  }

  readLiteral(): boolean | null {
    this.peek();
    for (const [word, value] of literals) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    throw this.#unexpected('a value');
  }

  /** Takes an array; `element` must take exactly one value. */
  readArray(element: () => void): void {
    this.#sequence('[', ']', element);
  }

  /** Takes an object; `member` gets the name and must take exactly one value. */
  readObject(member: (name: string) => void): void {
    this.#sequence('{', '}', () => {
      const name = this.readString();
      this.#token(':');
      member(name);
    });
  }

  /** Passes over one value. */
  skip(): void {
    const first = this.peek();
    if (first === '{') this.readObject(() => this.skip());
    else if (first === '[') this.readArray(() => this.skip());
    else if (first === '"') this.readString();
    else if ('tfn'.includes(first || '-')) this.readLiteral();
    else this.readNumber();
  }

  /** Nothing but blanks may be left. */
  end(): void {
    if (this.peek() !== '') throw this.#unexpected('the end');
  }

  #sequence(open: string, close: string, item: () => void): void {
    this.#token(open);
    if (++this.#depth > maxDepth) throw new MalformedError(tooDeep);
    if (this.peek() !== close) {
      item();
      while (this.peek() === ',') {
        this.#at++;
        item();
      }
    }
    this.#token(close);
    this.#depth--;
  }

  #token(wanted: string): void {
    if (this.peek() !== wanted) throw this.#unexpected(`"${wanted}"`);
    this.#at++;
  }

  #unexpected(wanted: string): MalformedError {
    return new MalformedError(`JSON must have ${wanted} at position ${this.#at}`);
  }
}

function withoutEscapes(quoted: string): string {
  try {
    return JSON.parse(quoted);
  } catch {
    throw new MalformedError('JSON strings must use the escapes of RFC 8259');
  }
}
