import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedError } from '../../src/protocol/errors.ts';
import { parsePayloadJson, parsePayloadMap, writePayloadMap } from '../../src/protocol/rest.ts';
import { hex, text, unhex, utf8 } from './bytes.ts';
import { jsonValues } from './values.ts';

describe('a JSON body', () => {
  test.each([
    ['{"target":"newMessage","arguments":["a",1,{"k":[true,null]}]}', 'newMessage', '["a",1,{"k":[true,null]}]'],
    ['{"Target":"t","Arguments":[1]}', 't', '[1]'],
    ['{"ARGUMENTS":[ 9007199254740993 , 1.0 ],"tArGeT":"t"}', 't', '[ 9007199254740993 , 1.0 ]'],
    ['\ufeff{"target":"t"}', 't', '[]'],
    [' \r\n{ "target" : "t" , "arguments" : null }\t', 't', '[]'],
    ['{"x":{"target":"inner","arguments":[1]},"target":"t","y":[[]]}', 't', '[]'],
    ['{"target":"a","target":"b","arguments":[1],"Arguments":[2]}', 'b', '[2]'],
    ['{"target":"\\u00e9\\n😀","arguments":["\\ud83d\\ude00"]}', 'é\n😀', '["\\ud83d\\ude00"]'],
    ['{"t\\u0061rget":"t"}', 't', '[]'],
  ])('%s is read', (body, target, argumentsJson) => {
    expect(parsePayloadJson(utf8(body))).toEqual({ target, argumentsJson });
  });

  test.each([
    ['', 'the body must be a JSON object'],
    ['[]', 'the body must be a JSON object'],
    ['{}', '"target" must be present'],
    ['{"arguments":[]}', '"target" must be present'],
    ['{"target":""}', '"target" must be a string that is not empty'],
    ['{"target":null}', '"target" must be a string that is not empty'],
    ['{"target":5}', '"target" must be a string that is not empty'],
    ['{"target":"t","arguments":{}}', '"arguments" must be an array'],
    ['{"target":"t","arguments":"[]"}', '"arguments" must be an array'],
    ['{"target":"t","arguments":[1,]}', 'JSON must have a value at position 29'],
    ['{"target":"t","x":tru}', 'JSON must have a value at position 18'],
    ['{"target":"t"', 'JSON must have "}" at position 13'],
    ['{"target":"t"}{', 'JSON must have the end at position 14'],
    [`{"target":"t","arguments":${'['.repeat(100_000)}`, 'JSON must nest at most 64 deep'],
  ])('is refused when it is wrong (row %#)', (body, sentence) => {
    expect(() => parsePayloadJson(utf8(body))).toThrow(new MalformedError(sentence));
  });

  test('is refused when it is not UTF-8', () => {
    expect(() => parsePayloadJson(unhex('7b22ff227d'))).toThrow(new MalformedError('text must be UTF-8'));
  });

  test('keeps the text of any arguments, wherever they stand', () => {
    fc.assert(
      fc.property(fc.array(jsonValues), fc.string({ minLength: 1 }), jsonValues, (args, target, other) => {
        const argumentsJson = JSON.stringify(args, null, 1);
        const members = [`"arguments":${argumentsJson}`, `"target":${JSON.stringify(target)}`];
        for (const order of [members, members.toReversed()]) {
          const body = `{"other":${JSON.stringify(other)},${order.join(',')}}`;
          expect(parsePayloadJson(utf8(body))).toEqual({ target, argumentsJson });
        }
      }),
    );
  });
});

describe('a binary body', () => {
  const json = '{"type":1,"target":"echo","arguments":["hi"]}\u001e';
  const bytes = unhex(
    `82 a46a736f6e c42e ${hex(utf8(json))} ab6d6573736167657061636b c40f 0e960180c0a46563686f91a2686990`,
  );

  test('is a map of protocol names to framed messages, which are views', () => {
    const payloads = parsePayloadMap(bytes);
    expect([...payloads.keys()]).toEqual(['json', 'messagepack']);
    expect(text(payloads.get('json') as Uint8Array)).toBe(json);
    expect(hex(payloads.get('messagepack') as Uint8Array)).toBe('0e960180c0a46563686f91a2686990');
    expect(payloads.get('json')?.buffer).toBe(bytes.buffer);
  });

  test('is written as it was read', () => {
    expect(hex(writePayloadMap(parsePayloadMap(bytes)))).toBe(hex(bytes));
  });

  test.each([
    ['', 'a MessagePack value must be complete'],
    ['90', 'a MessagePack map must stand here, got array'],
    ['8101c400', 'a MessagePack str must stand here, got int'],
    ['81a16101', 'a MessagePack bin must stand here, got int'],
    ['81a161c402ff', 'a MessagePack value must be complete'],
    ['8000', 'nothing may follow the payload map'],
  ])('is refused when it is %s', (body, sentence) => {
    expect(() => parsePayloadMap(unhex(body))).toThrow(new MalformedError(sentence));
  });
});
