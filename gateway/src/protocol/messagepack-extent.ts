/** How far a MessagePack value reaches, without decoding it. Nested values are counted, not recursed into. */

interface Head {
  /** Bytes of the head with its length field. */
  readonly size: number;
  /** Bytes behind the head. */
  readonly body: number;
  /** Values behind the head. */
  readonly children: number;
}

/** Where the value that begins at `at` ends. Throws `RangeError` when the bytes end before it. */
export function endOfValue(bytes: Uint8Array, at: number): number {
  let end = at;
  for (let open = 1; open > 0; open--) {
    const head = readHead(bytes, end);
    end += head.size + head.body;
    open += head.children;
    if (end > bytes.length) throw new RangeError('value longer than its bytes');
  }
  return end;
}

/** Length of the array that begins at `at`, and where its first element begins. Throws `RangeError` when it is no array. */
export function readArrayHeader(bytes: Uint8Array, at: number): { length: number; end: number } {
  const byte = bytes[at] ?? 0;
  if (byte < 0x90 || (byte > 0x9f && byte !== 0xdc && byte !== 0xdd)) throw new RangeError('not an array');
  const head = readHead(bytes, at);
  return { length: head.children, end: at + head.size };
}

/** The bytes that begin an array of `length` values. */
export function arrayHeader(length: number): Uint8Array {
  if (length < 16) return Uint8Array.of(0x90 | length);
  if (length < 0x10000) return Uint8Array.of(0xdc, length >> 8, length & 0xff);
  return Uint8Array.of(0xdd, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff);
}

/** Width of the length field, what one unit of length is, and fixed bytes behind it; for 0xc0 to 0xdf. */
type Row = readonly [width: 0 | 1 | 2 | 4, unit: 'none' | 'bytes' | 'values' | 'pairs', fixed: number];
const rows: readonly (Row | undefined)[] = [
  [0, 'none', 0], // nil
  undefined, // never used
  [0, 'none', 0], // false
  [0, 'none', 0], // true
  [1, 'bytes', 0], // bin 8
  [2, 'bytes', 0],
  [4, 'bytes', 0],
  [1, 'bytes', 1], // ext 8
  [2, 'bytes', 1],
  [4, 'bytes', 1],
  [0, 'none', 4], // float 32
  [0, 'none', 8], // float 64
  [0, 'none', 1], // uint 8
  [0, 'none', 2],
  [0, 'none', 4],
  [0, 'none', 8],
  [0, 'none', 1], // int 8
  [0, 'none', 2],
  [0, 'none', 4],
  [0, 'none', 8],
  [0, 'none', 2], // fixext 1
  [0, 'none', 3],
  [0, 'none', 5],
  [0, 'none', 9],
  [0, 'none', 17],
  [1, 'bytes', 0], // str 8
  [2, 'bytes', 0],
  [4, 'bytes', 0],
  [2, 'values', 0], // array 16
  [4, 'values', 0],
  [2, 'pairs', 0], // map 16
  [4, 'pairs', 0],
];

function readHead(bytes: Uint8Array, at: number): Head {
  const byte = bytes[at];
  if (byte === undefined) throw new RangeError('value longer than its bytes');
  if (byte < 0x80 || byte >= 0xe0) return { size: 1, body: 0, children: 0 };
  if (byte < 0x90) return { size: 1, body: 0, children: (byte & 0x0f) * 2 };
  if (byte < 0xa0) return { size: 1, body: 0, children: byte & 0x0f };
  if (byte < 0xc0) return { size: 1, body: byte & 0x1f, children: 0 };
  return readSized(bytes, at, rows[byte - 0xc0]);
}

function readSized(bytes: Uint8Array, at: number, row: Row | undefined): Head {
  if (row === undefined) throw new RangeError('0xc1 is no MessagePack');
  const [width, unit, fixed] = row;
  let length = 0;
  for (let i = 1; i <= width; i++) length = length * 256 + (bytes[at + i] ?? Number.NaN);
  if (Number.isNaN(length)) throw new RangeError('value longer than its bytes');
  const children = unit === 'values' ? length : unit === 'pairs' ? length * 2 : 0;
  return { size: 1 + width, body: fixed + (unit === 'bytes' ? length : 0), children };
}
