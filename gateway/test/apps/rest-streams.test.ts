import { hubProtocols, writePayloadMap } from '@signalbox/app-sdk/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FakeClient } from '../support/fake-client.ts';
import { type RestCore, startRestCore } from './rest-core.ts';

let core: RestCore;
beforeAll(async () => {
  core = await startRestCore();
});
afterAll(() => core[Symbol.asyncDispose]());

const stream = ({ id }: FakeClient, verb: string, name = 's%2F1'): string =>
  `/api/hubs/chat/connections/${id}/streams/${name}/${verb}`;
const item = (value: unknown) => ({ kind: 'streamItem', headers: undefined, invocationId: 's/1', item: value });
const end = (error?: string) => ({
  kind: 'completion',
  headers: undefined,
  invocationId: 's/1',
  ...(error && { error }),
});

describe.each(['json', 'messagepack'] as const)('a stream to a %s client', (protocol) => {
  test('has its items and its end in the order sent, among sends', async () => {
    const client = await core.connect({ protocol });
    for (const value of [1, null, 'text', { a: [true] }]) {
      expect(await core.post(stream(client, ':send'), value)).toMatchObject({ status: 202, body: '' });
    }
    await core.post(`/api/hubs/chat/connections/${client.id}/:send`, { target: 'news', arguments: ['between'] });
    expect((await core.call('POST', stream(client, ':complete'))).status).toBe(202);
    await client.until(() => client.messages.length === 6);
    expect(client.messages.slice(0, 4)).toEqual([1, null, 'text', { a: [true] }].map(item));
    expect(client.heard).toEqual(['between']);
    expect(client.messages[5]).toEqual(end());
  });

  test('ends with the item that is the last', async () => {
    const client = await core.connect({ protocol });
    await core.post(stream(client, ':send?completed=True'), 'last');
    await client.until(() => client.messages.length === 2);
    expect(client.messages).toEqual([item('last'), end()]);
  });

  test.each(['reason=broken%20off', 'error=broken%20off', 'error=x&reason=broken%20off'])(
    'that ends with ?%s has failed',
    async (query) => {
      const client = await core.connect({ protocol });
      await core.call('POST', stream(client, `:complete?${query}`));
      await client.until(() => client.messages.length === 1);
      expect(client.messages).toEqual([end('broken off')]);
    },
  );

  test('takes ready messages, as the Management SDK writes them, and ends them too', async () => {
    const client = await core.connect({ protocol });
    const frames = [...hubProtocols.values()].map(
      (codec) => [codec.name, codec.write({ kind: 'streamItem', invocationId: 's/1', item: 'ready' })] as const,
    );
    const headers = { 'content-type': 'application/octet-stream' };
    const body = writePayloadMap(new Map(frames));
    await core.call('POST', stream(client, ':send?completed=true'), { headers, body });
    await client.until(() => client.messages.length === 2);
    expect(client.messages).toEqual([item('ready'), end()]);
  });
});

test('numbers of an item stay as they were written', async () => {
  const client = await core.connect();
  const headers = { 'content-type': 'application/json' };
  await core.call('POST', stream(client, ':send'), { headers, body: ' [1.0, 12345678901234567890] ' });
  await client.until(() => client.messages.length === 1);
  const sent = client.transport.frames.map(({ bytes }) => Buffer.from(bytes).toString());
  expect(sent.at(-1)).toBe('{"type":2,"invocationId":"s/1","item": [1.0, 12345678901234567890] }\u001e');
});

test('an unknown connection is no error, as for sends', async () => {
  expect((await core.post('/api/hubs/chat/connections/nobody/streams/s/:send', 1)).status).toBe(202);
});

test.each([
  ['two values', '1,2', 's'],
  ['a value that closes the message', '1},{"a":1', 's'],
  ['a record separator', '1\u001e{}', 's'],
  ['no JSON', 'nope', 's'],
  ['nothing', '', 's'],
  ['deep JSON', `${'['.repeat(5000)}${']'.repeat(5000)}`, 's'],
  ['a blank stream id', '1', '%20'],
  ['a stream id of 101 characters', '1', 's'.repeat(101)],
])('%s is 400 and nothing is sent', async (_name, body, name) => {
  const client = await core.connect();
  const headers = { 'content-type': 'application/json' };
  const answer = await core.call('POST', stream(client, ':send', name), { headers, body });
  expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([400, 'Error.Request.Invalid']);
  expect(client.messages).toEqual([]);
});

test('"completed" is true or false', async () => {
  const answer = await core.post('/api/hubs/chat/connections/c/streams/s/:send?completed=1', 1);
  expect(JSON.parse(answer.body).message).toBe('"completed" must be true or false, got "1"');
});
