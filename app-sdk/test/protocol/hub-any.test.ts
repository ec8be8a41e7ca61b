import { JsonHubProtocol, NullLogger } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedError, TooLargeError } from '../../src/protocol/errors.ts';
import type { HubMessage } from '../../src/protocol/hub.ts';
import { jsonHubProtocol } from '../../src/protocol/hub-json.ts';
import { messagePackHubProtocol } from '../../src/protocol/hub-messagepack.ts';
import { pieces, text } from './bytes.ts';
import { jsonValues } from './values.ts';

const id = fc.string({ minLength: 1 });
const headers = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { minKeys: 1, noNullPrototype: true });
const call = {
  headers: fc.option(headers, { nil: undefined }),
  target: id,
  arguments: fc.array(jsonValues),
  streamIds: fc.option(fc.array(fc.string(), { minLength: 1 }), { nil: undefined }),
};
const messages = fc.oneof(
  fc.record({ kind: fc.constant('invocation'), invocationId: fc.option(id, { nil: undefined }), ...call }),
  fc.record({ kind: fc.constant('streamInvocation'), invocationId: id, ...call }),
  fc.record({ kind: fc.constant('streamItem'), invocationId: id, item: jsonValues }),
  fc.record({ kind: fc.constant('completion'), invocationId: id, result: jsonValues }),
  fc.record({ kind: fc.constant('completion'), invocationId: id, error: id }),
  fc.record({ kind: fc.constant('cancelInvocation'), invocationId: id }),
  fc.record({ kind: fc.constant('ping') }),
  fc.record({ kind: fc.constant('close'), error: id, allowReconnect: fc.boolean() }),
  fc.record({ kind: fc.constant('ack'), sequenceId: fc.nat() }),
  fc.record({ kind: fc.constant('sequence'), sequenceId: fc.integer({ min: 1 }) }),
) as fc.Arbitrary<HubMessage>;

describe.each([jsonHubProtocol, messagePackHubProtocol])('any messages in $name', (protocol) => {
  test('are read as they were written, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 5 }), fc.array(fc.nat(2_000)), (sent, cuts) => {
        const stream = new Uint8Array(Buffer.concat(sent.map((message) => protocol.write(message))));
        const splitter = protocol.split({ limit: 1 << 20 });
        const records = pieces(stream, cuts).flatMap((piece) => [...splitter.push(piece)]);
        expect(records.map((record) => protocol.parse(record))).toEqual(sent);
      }),
    );
  });

  test('are never read from noise in any other way than by a named refusal', () => {
    const noise = fc.array(fc.uint8Array({ maxLength: 30 }));
    const mutated = fc.tuple(messages, fc.nat(), fc.nat(255)).map(([message, place, byte]) => {
      const bytes = protocol.write(message);
      bytes[place % bytes.length] = byte;
      return [bytes];
    });
    fc.assert(
      fc.property(fc.oneof(noise, mutated), (chunks) => {
        try {
          const splitter = protocol.split({ limit: 1_000 });
          for (const chunk of chunks) for (const record of splitter.push(chunk)) protocol.parse(record);
        } catch (error) {
          expect([MalformedError, TooLargeError]).toContain((error as Error).constructor);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test('the official JavaScript client reads what is written here', () => {
  const forClients = messages.filter(({ kind }) => kind !== 'streamInvocation' && kind !== 'cancelInvocation');
  // Its decoder of MessagePack refuses a header of this name, whoever wrote it.
  const readable = forClients.filter((message) => !('headers' in message && hasProto(message.headers)));
  fc.assert(
    fc.property(readable, (message) => {
      const json = new JsonHubProtocol().parseMessages(text(jsonHubProtocol.write(message)), NullLogger.instance);
      const bytes = messagePackHubProtocol.write(message);
      const input = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
      const binary = new MessagePackHubProtocol().parseMessages(input, NullLogger.instance);
      expect([json.length, binary.length]).toEqual([1, 1]);
      expect(json[0]?.type).toBe(binary[0]?.type);
    }),
  );
});

function hasProto(headers: object | undefined): boolean {
  return headers !== undefined && Object.hasOwn(headers, '__proto__');
}
