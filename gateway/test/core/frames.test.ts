import { decode } from '@msgpack/msgpack';
import { describe, expect, it, vi } from 'vitest';
import { Frames } from '../../src/core/frames.ts';
import * as hub from '../../src/protocol/hub.ts';
import { toConvert } from '../support/commands.ts';

/** The arguments in the MessagePack form of a message whose JSON arguments are these. */
function converted(argumentsJson: string): unknown {
  const frame = new Frames(toConvert(argumentsJson)).of('messagepack');
  const [type, headers, id, target, args, streams] = decode(frame!.bytes.subarray(1), {
    useBigInt64: true,
  }) as unknown[];
  expect([type, headers, id, target, streams]).toEqual([1, {}, null, 'say', []]);
  return args;
}

describe('the frames of a message', () => {
  it('are what the app gave for each hub protocol, as they are: text for json, binary for all others', () => {
    const [json, messagepack, odd] = [Buffer.from('j'), Buffer.from('m'), Buffer.from('o')];
    const frames = new Frames({ kind: 'ready', frames: new Map(Object.entries({ json, messagepack, odd })) });
    expect(frames.of('json')).toEqual({ bytes: json, binary: false });
    expect(frames.of('messagepack')).toEqual({ bytes: messagepack, binary: true });
    expect(frames.of('odd')).toEqual({ bytes: odd, binary: true });
    expect(frames.of('json')?.bytes).toBe(json);
    expect(frames.of('none')).toBeUndefined();
  });

  it('are never converted when the app gave them ready', () => {
    const frames = new Frames({
      kind: 'ready',
      frames: new Map([['json', Buffer.from('{"type":1,"target":"say","arguments":[]}\u001e')]]),
    });
    expect(frames.of('messagepack')).toBeUndefined();
  });

  it('are made once per hub protocol, however many receivers there are', () => {
    const make = vi.spyOn(hub, 'jsonInvocationToMessagePack');
    const frames = new Frames(toConvert('[1]'));
    const first = frames.of('messagepack');
    expect(first).toBeDefined();
    for (let i = 0; i < 100; i++) expect(frames.of('messagepack')).toBe(first);
    expect(frames.of('json')).toBe(frames.of('json'));
    make.mockRestore();
  });

  it('keep the text of every number in JSON', () => {
    const text = '[1.0,1e2,9007199254740993,-0,0.1000,12345678901234567890123]';
    expect(Buffer.from(new Frames(toConvert(text)).of('json')!.bytes).toString()).toBe(
      `{"type":1,"target":"say","arguments":${text}}\u001e`,
    );
  });

  it('keep integers of up to 64 bits exact in MessagePack, and the rest as floating point', () => {
    expect(converted('[7,-7,9007199254740993,-9007199254740993,1.5]')).toEqual([
      7,
      -7,
      9007199254740993n,
      -9007199254740993n,
      1.5,
    ]);
    expect(converted('[{"é":[null,true,"x"]}]')).toEqual([{ é: [null, true, 'x'] }]);
    expect(converted('[1e30]')).toEqual([1e30]);
  });

  it('are missing for a hub protocol into which nothing converts', () => {
    expect(new Frames(toConvert('[1]')).of('odd')).toBeUndefined();
  });

  it('are missing, and no error, when bytes from another node do not convert', () => {
    for (const json of ['', '{', '[]', '{"type":1}\u001e', '{"type":1,"target":"a","arguments":7}\u001e', '\u00ff']) {
      const frames = new Frames({ kind: 'convert', json: Buffer.from(json, 'latin1') });
      expect(frames.of('messagepack'), json).toBeUndefined();
      expect(frames.of('json')).toBeDefined();
    }
  });
});
