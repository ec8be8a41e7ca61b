import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RestServer, startRest } from './rest-server.ts';

let rest: RestServer;
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest.close());
beforeEach(() => rest.reset());

const framed = '{"type":1,"target":"t","arguments":[1]}\u001e';

describe('bodies', () => {
  const send = (body: string | Uint8Array, type?: string, more = {}) =>
    rest.call('POST', '/api/hubs/chat/:send', {
      body,
      headers: type === undefined ? {} : { 'content-type': type },
      ...more,
    });
  const sentJson = (): string[] =>
    rest.commands.map((command) => {
      if (command.kind !== 'send' || command.payload.kind !== 'convert') throw new Error('no JSON was sent');
      return Buffer.from(command.payload.json).toString();
    });

  test.each([
    ['application/json', '{"target":"t","arguments":[1]}'],
    ['application/json; charset=utf-8', '{"Target":"t","Arguments":[1]}'],
    ['Application/JSON;charset="UTF-8"', '\ufeff{"other":{},"ARGUMENTS":[1],"TARGET":"t"}'],
  ])('%s %s is one framed invocation', async (type, body) => {
    expect((await send(body, type)).status).toBe(202);
    expect((await send(body, type, { chunk: 7 })).status).toBe(202);
    expect(sentJson()).toEqual([framed, framed]);
  });

  test('numbers and the order of properties stay as they were written', async () => {
    await send('{"arguments":[1.0,12345678901234567890,{"b":1,"a":[null]}],"target":"t"}', 'application/json');
    expect(sentJson()).toEqual([
      '{"type":1,"target":"t","arguments":[1.0,12345678901234567890,{"b":1,"a":[null]}]}\u001e',
    ]);
  });

  test.each(['{"target":"t"}', '{"target":"t","arguments":null}'])('%s has no arguments', async (body) => {
    await send(body, 'application/json');
    expect(sentJson()).toEqual(['{"type":1,"target":"t","arguments":[]}\u001e']);
  });

  const echo = Buffer.from(
    '82a46a736f6ec42e7b2274797065223a312c22746172676574223a226563686f222c22617267756d656e7473223a5b226869225d7d1e' +
      'ab6d6573736167657061636bc40f0e960180c0a46563686f91a2686990',
    'hex',
  );

  test('a payload map is carried byte by byte, never converted', async () => {
    expect((await send(echo, 'application/octet-stream', { chunk: 5 })).status).toBe(202);
    const [command] = rest.commands;
    if (command?.kind !== 'send' || command.payload.kind !== 'ready') throw new Error('no frames were sent');
    const frames = [...command.payload.frames].map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')]);
    expect(frames).toEqual([
      ['json', echo.subarray(8, 54).toString('hex')],
      ['messagepack', '0e960180c0a46563686f91a2686990'],
    ]);
  });

  test.each([
    ['nothing', '', 'application/json'],
    ['nothing without a type', '', undefined],
    ['no target', '{"arguments":[]}', 'application/json'],
    ['an empty target', '{"target":""}', 'application/json'],
    ['a target that is no string', '{"target":1}', 'application/json'],
    ['arguments that are no array', '{"target":"t","arguments":{}}', 'application/json'],
    ['cut JSON', '{"target":"t"', 'application/json'],
    ['no object', '[]', 'application/json'],
    ['bytes that are no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'application/json'],
    ['deep JSON', `{"target":"t","arguments":${'['.repeat(5000)}${']'.repeat(5000)}}`, 'application/json'],
    ['a cut map', echo.subarray(0, 20), 'application/octet-stream'],
    ['an empty map', Uint8Array.of(0x80), 'application/octet-stream'],
    ['text as a map', 'hello', 'application/octet-stream'],
    ['something behind the map', Buffer.concat([echo, Buffer.from([0])]), 'application/octet-stream'],
  ])('%s is 400 and nothing is sent', async (_name, body, type) => {
    const answer = await send(body, type);
    expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([400, 'Error.Request.Invalid']);
    expect(rest.commands).toEqual([]);
  });

  test.each([
    'text/plain',
    'application/x-msgpack',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
    'application/jsonp',
    '__proto__',
    ';',
  ])('the type %s is 415', async (type) => {
    const answer = await send('{"target":"t"}', type);
    expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([415, 'Error.Request.UnsupportedMediaType']);
    expect(rest.commands).toEqual([]);
  });

  test('a body without a type, and one that is encoded, are 415', async () => {
    expect((await send('{"target":"t"}')).status).toBe(415);
    const gzip = { headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } };
    expect((await send('{"target":"t"}', undefined, gzip)).status).toBe(415);
  });

  test('SIGNALBOX_MESSAGE_BYTES bounds the body, its length known or not', async () => {
    const small = await startRest({ messageBytes: 1024 });
    try {
      const sized = (size: number) => `{"target":"${'t'.repeat(size - 13)}"}`;
      for (const chunk of [undefined, 100]) {
        const options = { headers: { 'content-type': 'application/json' }, ...(chunk && { chunk }) };
        const fits = await small.call('POST', '/api/hubs/chat/:send', { ...options, body: sized(1024) });
        const above = await small.call('POST', '/api/hubs/chat/:send', { ...options, body: sized(1025) });
        expect([fits.status, above.status]).toEqual([202, 413]);
        expect(above.headers['x-ms-error-code']).toBe('Error.Request.TooLarge');
      }
      expect(small.commands).toHaveLength(2);
    } finally {
      small.close();
    }
  });
});
