/** What is said in an echo, byte by byte: an invocation of 100 bytes, and the completion that answers it. */

const invocationBytes = 100;
/** Invocation ids have two digits: clients count through them again and again. */
export const ids = 100;

const invocationOf = (id: string, text: string): string =>
  `{"type":1,"invocationId":"${id}","target":"sayBack","arguments":["${text}"]}\x1e`;
const text = 'x'.repeat(invocationBytes - invocationOf('00', '').length);
const idAt = invocationOf('', '').indexOf('""') + 1;

/** One invocation, ready to be sent. */
export function invocation(id: number): string {
  return invocationOf(String(id).padStart(2, '0'), text);
}

/** What a hub method that gives back its argument answers. */
export function completion(asked: Uint8Array): Uint8Array {
  const id = String.fromCharCode(asked[idAt] ?? 0, asked[idAt + 1] ?? 0);
  return Buffer.from(`{"type":3,"invocationId":"${id}","result":"${text}"}\x1e`, 'latin1');
}

/** Of one completion. A multiple of four, as those of an invocation: so no length of frames has a separator in it. */
export const completionBytes = completion(new Uint8Array(invocationBytes)).length;

/** What a hub says to a handshake request that it accepts. */
export const accepted: Uint8Array = Buffer.from('{}\x1e');

if (completionBytes % 4 !== 0) {
  throw new Error(`a completion must have a multiple of four bytes, got ${completionBytes}`);
}
