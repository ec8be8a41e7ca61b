import { encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { decodeEnvelope, type Envelope, encodeEnvelope } from '../../src/protocol/envelope.ts';

const commands = [encode([1, 'all', 'x']), encode({ a: [1, 2, { b: null }] }), encode(new Uint8Array(300))];
const envelope: Envelope = {
  node: 'n0123456789a',
  lane: 'chat',
  sequence: 2 ** 40,
  previous: 7,
  sentAt: 1_763_000_000_000,
  trace: 'abc',
  echo: true,
  commands,
};

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

describe('an envelope', () => {
  it('reads back as it was written, commands byte for byte', () => {
    const read = decodeEnvelope(encodeEnvelope(envelope));
    expect(read).toMatchObject({ ...envelope, commands: expect.any(Array) });
    expect(read?.commands.map(hex)).toEqual(commands.map(hex));
  });

  it('has the fields of docs/protocol.md in their order', () => {
    const plain = { ...envelope, node: 'n', lane: 'l', sequence: 3, previous: undefined, sentAt: 5 };
    const bytes = encodeEnvelope({ ...plain, trace: undefined, echo: true, commands: [Uint8Array.of(0x91, 0x01)] });
    expect(hex(bytes)).toBe('98' + '01' + 'a16e' + 'a16c' + '03' + 'c0' + '05' + '8102c3' + '91' + '9101');
  });

  it('takes times that are not whole milliseconds, and no commands', () => {
    const read = decodeEnvelope(encodeEnvelope({ ...envelope, sentAt: 1.5, commands: [] }));
    expect(read).toMatchObject({ sentAt: 1.5, commands: [] });
  });

  it('carries payloads larger than any buffer it keeps', () => {
    const large = encode(new Uint8Array(1_000_000).fill(7));
    expect(hex(decodeEnvelope(encodeEnvelope({ ...envelope, commands: [large] }))?.commands[0])).toBe(hex(large));
  });

  it('reads commands as views, not copies', () => {
    const bytes = encodeEnvelope(envelope);
    for (const command of decodeEnvelope(bytes)?.commands ?? []) expect(command.buffer).toBe(bytes.buffer);
  });

  it('passes over fields and extensions that it does not know', () => {
    const newer = encode([1, 'n', 'l', 3, null, 5, {}, [[1]], 'new', { newer: true }]);
    expect(decodeEnvelope(newer)).toMatchObject({ node: 'n', sequence: 3, echo: false });
    const extended = Buffer.from('9801a16ea16c03c005' + '8209a16302c3' + '919101', 'hex');
    expect(decodeEnvelope(extended)).toMatchObject({ echo: true, trace: undefined });
  });

  it.each([
    ['another version', encode([2, 'n', 'l', 3, null, 5, {}, []])],
    ['too few fields', encode([1, 'n', 'l', 3, null, 5, {}])],
    ['a field of another type', encode([1, 'n', 'l', 'three', null, 5, {}, []])],
    ['commands that are no array', encode([1, 'n', 'l', 3, null, 5, {}, 'all'])],
    ['no MessagePack', Buffer.from('{"not":"ours"}')],
    ['no bytes', new Uint8Array(0)],
    ['an array longer than its bytes', Buffer.from('9801a16ea16c03c00580ddffffffff', 'hex')],
  ])('is undefined for %s', (_what, bytes) => {
    expect(decodeEnvelope(bytes)).toBeUndefined();
  });

  it('is undefined for every beginning of an envelope', () => {
    const bytes = encodeEnvelope(envelope);
    for (let length = 0; length < bytes.length; length++)
      expect(decodeEnvelope(bytes.subarray(0, length))).toBeUndefined();
  });
});
