import { describe, expect, test } from 'vitest';
import { MalformedError } from '../../src/protocol/errors.ts';
import type { HubMessage, HubProtocol } from '../../src/protocol/hub.ts';
import { jsonHubProtocol, jsonInvocation } from '../../src/protocol/hub-json.ts';
import { messagePackHubProtocol, messagePackInvocation } from '../../src/protocol/hub-messagepack.ts';
import { hubProtocol } from '../../src/protocol/hub-protocols.ts';
import { encodeValue } from '../../src/protocol/messagepack.ts';
import { hex, text, unhex, utf8, vectors } from './bytes.ts';

interface Vector {
  readonly id: string;
  readonly kind: string;
  readonly json?: string;
  readonly messagepackHex?: string;
  readonly note: string;
}

const rows = vectors<Vector>('hub-protocol.json');
const pairs = rows.filter((row) => row.kind === 'message' || row.kind === 'server-message');

/** What no official server writes; such rows are for reading only. */
const readOnly = {
  json: new Map([
    ['M13', 'the JavaScript client writes an empty list of streams'],
    ['M15', 'the JavaScript client writes an empty list of streams'],
    ['M24', 'the JavaScript client writes an empty list of streams'],
  ]),
  messagepack: new Map([
    ['M09', 'five elements'],
    ['M11', 'five elements'],
    ['M25', 'five elements'],
    ['M28', 'a close of two elements'],
  ]),
};

function read(protocol: HubProtocol, bytes: Uint8Array): HubMessage[] {
  const records = [...protocol.split({ limit: 1 << 20 }).push(bytes)];
  return records.map((record) => protocol.parse(record)).filter((message) => message !== undefined);
}

describe('the vectors of both encodings', () => {
  test.each(pairs)('$id reads as the same message in both: $note', ({ json = '', messagepackHex = '' }) => {
    const [message, ...more] = read(jsonHubProtocol, utf8(json));
    expect(message).toBeDefined();
    expect(more).toEqual([]);
    expect(read(messagePackHubProtocol, unhex(messagepackHex))).toEqual([message]);
  });

  test.each(pairs.filter((row) => !readOnly.json.has(row.id)))(
    '$id is written as this JSON: $note',
    ({ json = '' }) => {
      expect(read(jsonHubProtocol, utf8(json)).map((message) => text(jsonHubProtocol.write(message)))).toEqual([json]);
    },
  );

  test.each(pairs.filter((row) => !readOnly.messagepack.has(row.id)))(
    '$id is written as this MessagePack: $note',
    ({ messagepackHex = '' }) => {
      const [message] = read(messagePackHubProtocol, unhex(messagepackHex));
      expect(hex(messagePackHubProtocol.write(message as HubMessage))).toBe(messagepackHex);
    },
  );

  test.each(pairs.filter((row) => readOnly.messagepack.has(row.id)))(
    '$id is written longer than it was read: $note',
    ({ messagepackHex = '' }) => {
      const [message] = read(messagePackHubProtocol, unhex(messagepackHex));
      const written = messagePackHubProtocol.write(message as HubMessage);
      expect(written.length).toBe(messagepackHex.length / 2 + 1);
      expect(read(messagePackHubProtocol, written)).toEqual([message]);
    },
  );
});

describe('MessagePack of its own kind', () => {
  const bytes = (id: string) => unhex(rows.find((row) => row.id === id)?.messagepackHex ?? '');

  test('B41: bytes stay bytes', () => {
    const [message] = read(messagePackHubProtocol, bytes('B41'));
    expect(message).toEqual({ kind: 'streamItem', invocationId: 's', item: Uint8Array.of(1, 2, 255) });
    expect(hex(messagePackHubProtocol.write(message as HubMessage))).toBe(hex(bytes('B41')));
  });

  test('B42: dates, floats, wide integers and nested values', () => {
    const [message] = read(messagePackHubProtocol, bytes('B42'));
    const date = new Date('2024-01-02T03:04:05.006Z');
    const args = [date, 1.5, -1, -129, 4_294_967_296, true, [1, 'a'], { k: 'v' }];
    expect(message).toEqual({ kind: 'invocation', target: 'D', arguments: args });
    expect(hex(messagePackHubProtocol.write(message as HubMessage))).toBe(hex(bytes('B42')));
  });

  test.each([
    ['B43', 2, 'two messages in one unit'],
    ['B44', 0, 'an unknown type is skipped'],
    ['B45', 1, 'an unknown type is skipped and the next message is read'],
    ['B46', 1, 'a length may be longer than needed'],
    ['B47', 0, 'a truncated message is awaited'],
  ])('%s gives %d pings: %s', (id, count) => {
    expect(read(messagePackHubProtocol, bytes(id))).toEqual(Array(count).fill({ kind: 'ping' }));
  });

  test.each([
    ['00', 'a MessagePack value must be complete'],
    ['ffffffffff01', 'a length prefix must have at most five bytes and state at most 2147483647'],
    ['0190', 'a hub message must have a type'],
    ['0106', 'a MessagePack array must stand here, got int'],
    ['0391a136', 'a MessagePack int must stand here, got str'],
    ['029107', 'a close must have at least 2 elements'],
    ['06940380a13103', 'a completion of kind 3 must have at least 5 elements'],
    ['06940180c0a161', 'an invocation must have at least 5 elements'],
    ['06950180c0a090', '"target" must be a string that is not empty'],
    ['05940280c0c0', '"invocationId" must be a string that is not empty'],
    ['03920900', '"sequenceId" must be an integer of at least 1'],
    ['039208ff', '"sequenceId" must be an integer of at least 0'],
    ['03910600', 'nothing may follow a hub message in its frame'],
  ])('%s is refused', (bytesOfRow, sentence) => {
    expect(() => read(messagePackHubProtocol, unhex(bytesOfRow))).toThrow(new MalformedError(sentence));
  });

  test('extra elements are ignored, so that messages can grow', () => {
    expect(read(messagePackHubProtocol, unhex('05920681c0c0'))).toEqual([{ kind: 'ping' }]);
    expect(read(messagePackHubProtocol, unhex('07950380a13102c0'))).toEqual([
      { kind: 'completion', invocationId: '1' },
    ]);
  });

  test('a completion of an unknown kind has no result', () => {
    expect(read(messagePackHubProtocol, unhex('07950380a1310905'))).toEqual([
      { kind: 'completion', invocationId: '1' },
    ]);
  });

  test('an empty invocation id asks for no answer', () => {
    expect(read(messagePackHubProtocol, unhex('07950180a0a16190'))).toEqual([
      { kind: 'invocation', target: 'a', arguments: [] },
    ]);
  });
});

describe('JSON that a reader must survive', () => {
  const ping: HubMessage = { kind: 'ping' };

  test.each<[string, string, HubMessage[]]>([
    ['E60', '{"type":6}␞{"type":6}␞', [ping, ping]],
    ['E61', '{"type":6}', []],
    ['E62', '{"type":6}␞{"ty', [ping]],
    ['E63', '{"type":42}␞{"type":6}␞', [ping]],
    ['E67', '{"type":3,"invocationId":"1","result":null,"error":"e"}␞', [completion({ error: 'e' })]],
    ['E68', '{"type":3,"invocationId":"1","error":""}␞', [completion({})]],
    ['E73', '{"extra":{"a":[1]},"type":6}␞', [ping]],
    ['type last', '{"arguments":[1],"target":"a","type":1}␞', [{ kind: 'invocation', target: 'a', arguments: [1] }]],
    ['no arguments', '{"type":1,"target":"a"}␞', [{ kind: 'invocation', target: 'a', arguments: [] }]],
    ['twice', '{"type":1,"type":6}␞', [ping]],
  ])('%s: %s', (_, input, messages) => {
    expect(read(jsonHubProtocol, utf8(input.replaceAll('␞', '\u001e')))).toEqual(messages);
  });

  test.each([
    ['E64', '{"type":"6"}', '"type" must be a number'],
    ['E65', '', 'a hub message must be valid JSON'],
    [
      'E66',
      '{"invocationId":"1","type":3,"result":1,"error":"x"}',
      'a completion must not have both "error" and "result"',
    ],
    [
      'E69',
      '{"type":1,"target":"a","invocationId":null,"arguments":[]}',
      '"invocationId" must be a string that is not empty',
    ],
    [
      'E70',
      '{"type":1,"target":"a","invocationId":7,"arguments":[]}',
      '"invocationId" must be a string that is not empty',
    ],
    ['E71', '{"type":1,"target":"","arguments":[]}', '"target" must be a string that is not empty'],
    ['E72', '{"type":2,"invocationId":"1"}', '"item" must be present'],
    ['array', '[6]', 'a hub message must be a JSON object'],
    ['null', 'null', 'a hub message must be a JSON object'],
    ['comment', '{"type":6/**/}', 'a hub message must be valid JSON'],
    ['arguments', '{"type":1,"target":"a","arguments":{}}', '"arguments" must be an array'],
    ['headers', '{"type":5,"invocationId":"1","headers":{"a":1}}', '"headers" must be an object of strings'],
    ['streams', '{"type":1,"target":"a","streamIds":[1]}', '"streamIds" must be an array of strings'],
    ['close', '{"type":7,"allowReconnect":1}', '"allowReconnect" must be a boolean'],
    ['error', '{"type":7,"error":1}', '"error" must be a string'],
    ['sequence', '{"type":9,"sequenceId":0}', '"sequenceId" must be an integer of at least 1'],
    ['ack', '{"type":8,"sequenceId":1.5}', '"sequenceId" must be an integer of at least 0'],
    ['stream call', '{"type":4,"target":"a","arguments":[]}', '"invocationId" must be a string that is not empty'],
    ['depth', `{"type":6,"a":${'['.repeat(64)}${']'.repeat(64)}}`, 'JSON must nest at most 64 deep'],
  ])('%s is refused: %s', (_, record, sentence) => {
    expect(() => jsonHubProtocol.parse(utf8(record))).toThrow(new MalformedError(sentence));
  });

  test('brackets in strings do not count as depth', () => {
    const item = `${'[{\\"'.repeat(100)}`;
    const message = jsonHubProtocol.parse(utf8(`{"type":2,"invocationId":"1","item":"${item}"}`));
    expect(message).toMatchObject({ item: '[{"'.repeat(100) });
  });
});

describe('writing', () => {
  test('bytes become base64 in JSON, also those of a Buffer', () => {
    const args = [Uint8Array.of(1, 2, 255), { inner: Buffer.from([255]) }];
    expect(text(jsonHubProtocol.write({ kind: 'invocation', target: 't', arguments: args }))).toBe(
      '{"type":1,"target":"t","arguments":["AQL/",{"inner":"/w=="}]}\u001e',
    );
  });

  test('undefined becomes null where a value must stand', () => {
    expect(text(jsonHubProtocol.write({ kind: 'streamItem', invocationId: '1', item: undefined }))).toBe(
      '{"type":2,"invocationId":"1","item":null}\u001e',
    );
    expect(text(jsonHubProtocol.write({ kind: 'invocation', target: 't', arguments: [undefined] }))).toBe(
      '{"type":1,"target":"t","arguments":[null]}\u001e',
    );
  });

  test('the separator never stands inside a record', () => {
    const bytes = jsonHubProtocol.write({ kind: 'invocation', target: '\u001e', arguments: ['\u001e'] });
    expect(bytes.indexOf(0x1e)).toBe(bytes.length - 1);
  });

  test.each([jsonHubProtocol, messagePackHubProtocol])('an empty error is refused in $name', (protocol) => {
    const refusal = new TypeError('"error" must not be empty');
    expect(() => protocol.write({ kind: 'close', error: '' })).toThrow(refusal);
    expect(() => protocol.write({ kind: 'completion', invocationId: '1', error: '' })).toThrow(refusal);
  });

  test('a message that could not be written leaves nothing behind', () => {
    const broken: HubMessage = { kind: 'invocation', target: 't', arguments: [() => 1] };
    expect(() => messagePackHubProtocol.write(broken)).toThrow(TypeError);
    expect(hex(messagePackHubProtocol.write({ kind: 'ping' }))).toBe('029106');
  });

  test('raw arguments are carried as they are', () => {
    const rawArguments = '[9007199254740993, 1.0,\t"é"]';
    expect(text(jsonInvocation({ target: 'a"b', rawArguments }))).toBe(
      '{"type":1,"target":"a\\"b","arguments":[9007199254740993, 1.0,\t"é"]}\u001e',
    );
    expect(text(jsonInvocation({ target: 't', rawArguments: '[]', invocationId: 's1' }))).toBe(
      '{"type":1,"invocationId":"s1","target":"t","arguments":[]}\u001e',
    );
    expect(hex(messagePackInvocation({ target: 'Send', rawArguments: encodeValue(['hi']) }))).toBe(
      '0e960180c0a453656e6491a2686990',
    );
  });
});

describe('names', () => {
  test('of protocols are compared without case', () => {
    expect(hubProtocol('JSON')).toBe(jsonHubProtocol);
    expect(hubProtocol('MessagePack')).toBe(messagePackHubProtocol);
    expect(hubProtocol('xml')).toBeUndefined();
  });
});

function completion(outcome: { error?: string; result?: unknown }): HubMessage {
  return { kind: 'completion', invocationId: '1', ...outcome };
}
