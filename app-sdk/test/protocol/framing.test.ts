import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedError, TooLargeError } from '../../src/protocol/errors.ts';
import {
  FrameSplitter,
  frame,
  RecordSplitter,
  readLengthPrefix,
  type Splitter,
  writeLengthPrefix,
} from '../../src/protocol/framing.ts';
import { hex, pieces, unhex, utf8 } from './bytes.ts';

function feed(splitter: Splitter, chunks: readonly Uint8Array[]): string[] {
  return chunks.flatMap((chunk) => [...splitter.push(chunk)].map(hex));
}

describe('the length prefix', () => {
  test.each([
    [0, '00'],
    [1, '01'],
    [127, '7f'],
    [128, '8001'],
    [5248, '8029'],
    [16_383, 'ff7f'],
    [16_384, '808001'],
    [2_097_151, 'ffff7f'],
    [2_097_152, '80808001'],
    [2_147_483_647, 'ffffffff07'],
  ])('of %d is %s', (length, bytes) => {
    expect(hex(writeLengthPrefix(length))).toBe(bytes);
    expect(readLengthPrefix(unhex(bytes))).toEqual({ length, size: bytes.length / 2 });
  });

  test('may be longer than needed', () => {
    expect(readLengthPrefix(unhex('8200'))).toEqual({ length: 2, size: 2 });
    expect(readLengthPrefix(unhex('8280808000'))).toEqual({ length: 2, size: 5 });
  });

  test('is awaited while it is incomplete', () => {
    for (const bytes of ['', '80', 'ffffffff']) expect(readLengthPrefix(unhex(bytes)), bytes).toBeUndefined();
  });

  test('is refused beyond five bytes or 2^31 - 1', () => {
    for (const bytes of ['ffffffff0f', '8080808080', 'ffffffffff01', '8080808008']) {
      expect(() => readLengthPrefix(unhex(bytes)), bytes).toThrow(
        new MalformedError('a length prefix must have at most five bytes and state at most 2147483647'),
      );
    }
  });

  test('cannot be written for what is not a length', () => {
    for (const length of [-1, 1.5, 2 ** 31]) expect(() => writeLengthPrefix(length)).toThrow(RangeError);
  });
});

const kinds = [
  { kind: 'frames', make: (limit: number, framed = false) => new FrameSplitter({ limit, framed }), wrap: frame },
  {
    kind: 'records',
    make: (limit: number, framed = false) => new RecordSplitter({ limit, framed }),
    wrap: (body: Uint8Array) => new Uint8Array(Buffer.concat([body, Uint8Array.of(0x1e)])),
  },
];

describe.each(kinds)('a splitter of $kind', ({ make, wrap }) => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 300 }).map((body) => body.filter((byte) => byte !== 0x1e)));
  const cuts = fc.array(fc.nat(3_000));

  test('yields the same messages however the stream is cut', () => {
    fc.assert(
      fc.property(bodies, cuts, (messages, places) => {
        const stream = new Uint8Array(Buffer.concat(messages.map(wrap)));
        const splitter = make(1_000);
        expect(feed(splitter, pieces(stream, places))).toEqual(messages.map(hex));
        expect(splitter.pending).toBe(0);
        expect(feed(make(1_000, true), pieces(stream, places)).join('')).toBe(hex(stream));
      }),
    );
  });

  test('yields a view of a message that lies whole in a piece', () => {
    const chunk = wrap(utf8('abc'));
    const [message] = [...make(100).push(chunk)];
    expect(message?.buffer).toBe(chunk.buffer);
  });

  test('tells how many bytes it holds of an unfinished message', () => {
    const splitter = make(100);
    expect(feed(splitter, [wrap(utf8('abc')).subarray(0, 3)])).toEqual([]);
    expect(splitter.pending).toBe(3);
  });

  test('counts the frame to the limit: exactly the limit passes, one byte more does not', () => {
    const exact = wrap(new Uint8Array(99).fill(0x61));
    expect(exact.length).toBe(100);
    for (const places of [[], [1], [50, 99]]) {
      expect(feed(make(100), pieces(exact, places))).toHaveLength(1);
      expect(() => feed(make(99), pieces(exact, places))).toThrow(new TooLargeError(99));
    }
  });

  test('yields what came before a message that is too large', () => {
    const chunk = Uint8Array.of(...wrap(utf8('a')), ...wrap(new Uint8Array(50).fill(0x61)));
    const seen: string[] = [];
    expect(() => {
      for (const message of make(20).push(chunk)) seen.push(hex(message));
    }).toThrow('a message must be at most 20 bytes with its frame');
    expect(seen).toEqual(['61']);
  });

  test('takes a megabyte byte by byte in linear time', () => {
    const message = wrap(new Uint8Array(1 << 20).fill(0x61));
    const splitter = make(1 << 21);
    let yielded = 0;
    for (let at = 0; at < message.length; at++) {
      for (const body of splitter.push(message.subarray(at, at + 1))) yielded += body.length;
    }
    expect(yielded).toBe(1 << 20);
  });
});

test('a splitter of frames refuses a length over the limit before the body comes, and allocates nothing for it', () => {
  const splitter = new FrameSplitter({ limit: 1_000 });
  expect(() => [...splitter.push(unhex('ffffffff07'))]).toThrow(TooLargeError);
  expect(splitter.pending).toBe(0);
});

test('a splitter of records refuses an endless record', () => {
  const splitter = new RecordSplitter({ limit: 1_000 });
  expect(() => {
    for (let i = 0; i < 2_000; i++) feed(splitter, [utf8('a')]);
  }).toThrow(TooLargeError);
  expect(splitter.pending).toBeLessThan(1_000);
});

test('a splitter of frames answers any bytes with messages, MalformedError or TooLargeError', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (chunks) => {
      try {
        feed(new FrameSplitter({ limit: 100 }), chunks);
      } catch (error) {
        expect([MalformedError, TooLargeError]).toContain((error as Error).constructor);
      }
    }),
    { numRuns: 1_000 },
  );
});
