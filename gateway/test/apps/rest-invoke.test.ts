import { encodeValue, frame, type HubMessage, writePayloadMap } from '@signalbox/app-sdk/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FakeClient } from '../support/fake-client.ts';
import { type RestCore, startRestCore } from './rest-core.ts';
import type { RestAnswer } from './rest-server.ts';

let core: RestCore;
beforeAll(async () => {
  core = await startRestCore();
});
afterAll(() => core[Symbol.asyncDispose]());

type Invocation = Extract<HubMessage, { kind: 'invocation' }>;

const path = (id: string): string => `/api/hubs/chat/connections/${id}/:invoke?api-version=2024-12-01`;
const ask = (id: string, ...args: unknown[]): Promise<RestAnswer> =>
  core.post(path(id), { target: 'ask', arguments: args });

/** The call that came, with the id that wants an answer. */
async function called(client: FakeClient): Promise<Invocation & { invocationId: string }> {
  const find = (): HubMessage | undefined => client.messages.find(({ kind }) => kind === 'invocation');
  await client.until(() => find() !== undefined);
  const message = find();
  if (message?.kind !== 'invocation' || message.invocationId === undefined) throw new Error('no call came');
  return { ...message, invocationId: message.invocationId };
}

describe.each(['json', 'messagepack'] as const)('a call of a %s client', (protocol) => {
  test('gives its result', async () => {
    const client = await core.connect({ protocol });
    const answer = ask(client.id, 'name?', { deep: [1, null] });
    const { invocationId, target, arguments: args } = await called(client);
    expect([target, args]).toEqual(['ask', ['name?', { deep: [1, null] }]]);
    expect(invocationId).toMatch(/^[a-z]{24}$/);
    client.send({ kind: 'completion', invocationId, result: { name: 'Ann', ages: [1, 2.5, null] } });
    const { status, headers, body } = await answer;
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    expect(JSON.parse(body)).toEqual({ result: { name: 'Ann', ages: [1, 2.5, null] } });
  });

  test.each([{ result: null }, {}])('that returns %j gives null', async (end) => {
    const client = await core.connect({ protocol });
    const answer = ask(client.id);
    client.send({ kind: 'completion', invocationId: (await called(client)).invocationId, ...end });
    expect((await answer).body).toBe('{"result":null}');
  });

  test('that fails is 400 with its own text', async () => {
    const client = await core.connect({ protocol });
    const answer = ask(client.id);
    client.send({ kind: 'completion', invocationId: (await called(client)).invocationId, error: 'no name' });
    const { status, headers, body } = await answer;
    expect([status, headers['x-ms-error-code']]).toEqual([400, 'Error.Connection.Failed']);
    expect(JSON.parse(body)).toEqual({ code: 'Error.Connection.Failed', message: 'no name' });
  });

  test('that is not answered is 504, and says so', async () => {
    await using impatient = await startRestCore({ invokeMs: 200 });
    const client = await impatient.connect({ protocol });
    const { status, headers, body } = await impatient.post(path(client.id), { target: 'ask', arguments: [] });
    expect([status, headers['x-ms-error-code']]).toEqual([504, 'Error.Connection.Timeout']);
    expect(JSON.parse(body).message).toBe(
      `connection '${client.id}' did not answer within 200 ms (SIGNALBOX_INVOKE_MS)`,
    );
  });

  test('that ends with the client is 400', async () => {
    const client = await core.connect({ protocol });
    const answer = ask(client.id);
    await called(client);
    client.leave();
    expect(await answer).toMatchObject({ status: 400, headers: { 'x-ms-error-code': 'Error.Connection.Failed' } });
  });
});

describe('a call whose body is a payload map', () => {
  const args = ['name?', { deep: [1, null] }];
  const json = Buffer.from(
    `${JSON.stringify({ type: 1, target: 'ask', arguments: args, invocationId: 'x', headers: {} })}\u001e`,
  );
  const messagePack = frame(encodeValue([1, { trace: 'y' }, null, 'ask', args, []]));
  const callWith = (id: string, frames: readonly (readonly [string, Uint8Array])[]): Promise<RestAnswer> =>
    core.call('POST', path(id), {
      headers: { 'content-type': 'application/octet-stream' },
      body: writePayloadMap(new Map(frames)),
    });

  test.each(['json', 'messagepack'] as const)('reaches a %s client with an id of its own', async (protocol) => {
    const client = await core.connect({ protocol });
    const answer = callWith(client.id, [
      ['MessagePack', messagePack],
      ['json', json],
      ['blazorpack', Uint8Array.of(1)],
    ]);
    const { invocationId, target, arguments: came } = await called(client);
    expect([target, came]).toEqual(['ask', args]);
    expect(invocationId).toMatch(/^[a-z]{24}$/);
    client.send({ kind: 'completion', invocationId, result: 7 });
    expect((await answer).body).toBe('{"result":7}');
  });

  test('is not made for a client of another protocol', async () => {
    const client = await core.connect({ protocol: 'messagepack' });
    expect((await callWith(client.id, [['json', json]])).status).toBe(400);
    expect(client.messages).toEqual([]);
  });

  test.each([
    ['nothing', []],
    ['no protocol of the gateway', [['blazorpack', json]]],
    ['two messages', [['json', Buffer.concat([json, json])]]],
    ['no whole message', [['json', json.subarray(0, -1)]]],
    ['another message', [['messagepack', frame(encodeValue([6]))]]],
    ['no hub message', [['messagepack', frame(encodeValue('text'))]]],
    ['no frame', [['messagepack', Uint8Array.of(0xff)]]],
  ] as const)('with %s is 400, and the client hears nothing', async (_what, frames) => {
    const client = await core.connect();
    const answer = await callWith(client.id, frames);
    expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([400, 'Error.Request.Invalid']);
    expect(client.messages).toEqual([]);
  });
});

test('numbers of a JSON client come back as it wrote them', async () => {
  const client = await core.connect();
  const answer = ask(client.id);
  const { invocationId } = await called(client);
  client.say(`{"type":3,"invocationId":"${invocationId}","result":{"b":1.0,"a":12345678901234567890}}\u001e`);
  expect((await answer).body).toBe('{"result":{"b":1.0,"a":12345678901234567890}}');
});

test('what JSON has no form for is told as well as it can be', async () => {
  const client = await core.connect({ protocol: 'messagepack' });
  const answer = ask(client.id);
  const { invocationId } = await called(client);
  const result = [2n ** 63n, Uint8Array.of(1, 2), new Date(0), Number.NaN, { 'a"b': true }];
  client.say(frame(encodeValue([3, {}, invocationId, 3, result])));
  expect((await answer).body).toBe(
    '{"result":[9223372036854775808,"AQI=","1970-01-01T00:00:00.000Z",null,{"a\\"b":true}]}',
  );
});

test('an unknown connection is 404 with its code', async () => {
  const answer = await ask('nobody');
  expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([404, 'Warning.Connection.NotExisted']);
});

test.each([
  [{ 'content-type': 'application/x-msgpack' }, Uint8Array.of(0x80), 415],
  [{ 'content-type': 'application/json' }, '{"arguments":[]}', 400],
  [{ 'content-type': 'application/json' }, '', 400],
])('%j with %j is %d, and the client hears nothing', async (headers, body, status) => {
  const client = await core.connect();
  expect((await core.call('POST', path(client.id), { headers, body })).status).toBe(status);
  expect(client.messages).toEqual([]);
});
