import { expect, test } from 'vitest';
import { HandshakeRequests } from '../../src/apps/handshake-requests.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const json = '{"protocol":"json","version":1}\x1e';

test('clients that say the same share the bytes', () => {
  const requests = new HandshakeRequests();
  const first = requests.keep(bytesOf(json));
  expect(first).toEqual(bytesOf(json));
  expect(requests.keep(bytesOf(json))).toBe(first);
  expect(requests.keep(bytesOf(json.replace('json', 'messagepack')))).not.toBe(first);
});

test('what is kept is no view of what came', () => {
  const came = Buffer.from(json);
  const kept = new HandshakeRequests().keep(came.subarray(0));
  came.fill(0);
  expect(kept).toEqual(bytesOf(json));
});

test('bytes that are no text are kept as they are', () => {
  const odd = Uint8Array.from({ length: 128 }, (_, at) => 255 - at);
  const requests = new HandshakeRequests();
  expect(requests.keep(odd)).toEqual(odd);
  expect(requests.keep(odd.slice())).toEqual(odd);
});

test.each([
  ['the 65th kind', 64, json],
  ['one above 128 bytes', 0, 'x'.repeat(129)],
])('%s is kept for its client alone', (_, before, text) => {
  const requests = new HandshakeRequests();
  for (let kind = 0; kind < before; kind++) requests.keep(bytesOf(`kind ${kind}`));
  const first = requests.keep(bytesOf(text));
  expect(first).toEqual(bytesOf(text));
  expect(requests.keep(bytesOf(text))).not.toBe(first);
});
