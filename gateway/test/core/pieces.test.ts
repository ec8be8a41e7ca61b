import { expect, it } from 'vitest';
import { cut, Pieces } from '../../src/core/pieces.ts';

const bytes = (...numbers: number[]): Uint8Array => Uint8Array.from(numbers);

it('what is cut comes together again, whatever its length', () => {
  for (const length of [0, 1, 2, 3, 4, 7]) {
    const whole = Uint8Array.from({ length }, (_, n) => n);
    const pieces = new Pieces(100);
    const ends = [...cut(whole, 2)].map((piece) => pieces.take(piece));
    expect(ends.slice(0, -1).every((end) => end === 'more')).toBe(true);
    expect([...(ends.at(-1) as Uint8Array)]).toEqual([...whole]);
  }
});

it('a hole, a piece that comes twice and too much are told', () => {
  expect(new Pieces(100).take({ number: 2, last: true, bytes: bytes(1) })).toBe('lost');
  const twice = new Pieces(100);
  twice.take({ number: 1, last: false, bytes: bytes(1) });
  expect(twice.take({ number: 1, last: false, bytes: bytes(1) })).toBe('lost');
  expect(new Pieces(1).take({ number: 1, last: true, bytes: bytes(1, 2) })).toBe('too_large');
});

it('pieces are copies, for those between nodes are views', () => {
  const pieces = new Pieces(100);
  const view = bytes(1);
  pieces.take({ number: 1, last: false, bytes: view });
  view.fill(9);
  expect([...(pieces.take({ number: 2, last: true, bytes: bytes(2) }) as Uint8Array)]).toEqual([1, 2]);
});
