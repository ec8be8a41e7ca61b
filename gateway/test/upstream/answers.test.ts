import type { ServerResponse } from 'node:http';
import { type CompletionMessage, hubProtocol } from '@signalbox/app-sdk/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startUpstream, type Upstreamed } from './start-upstream.ts';
import { WebhookServer } from './webhook-server.ts';

type Name = 'json' | 'messagepack';
type Body = Uint8Array | string | ((name: Name) => Uint8Array | string);

let server: WebhookServer;
let node: Upstreamed;

beforeAll(async () => {
  server = await WebhookServer.start();
  node = await startUpstream(JSON.stringify([{ url: server.url, category: 'messages' }]), { bodyBytes: 4096 });
});

afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const completion =
  (more: Omit<CompletionMessage, 'kind' | 'invocationId'>, invocationId = '1') =>
  (name: Name) =>
    hubProtocol(name)!.write({ kind: 'completion', invocationId, ...more });

/** What the caller gets when the invocation is answered so. */
async function answered(name: Name, answer: (response: ServerResponse) => void, where = node): Promise<unknown> {
  server.answer = (_post, response) => answer(response);
  const client = await where.connect({ protocol: name });
  client.send({ kind: 'invocation', invocationId: '1', target: 'ask', arguments: [] });
  await client.until(() => client.messages.length === 1);
  const [message] = client.messages;
  client.leave();
  if (message?.kind !== 'completion') return message;
  return message.error ?? (message.result === undefined ? 'nothing' : { result: message.result });
}

const none = 'Invocation failed, the response must be one framed Completion of it.';

it('an answer is counted as a frame to its client', async () => {
  const before = node.told.of('delivered').length;
  const bytes = completion({ result: 42 })('json');
  expect(await answered('json', (response) => response.end(bytes))).toEqual({ result: 42 });
  expect(node.told.of('delivered').slice(before)).toEqual([[1, bytes.length]]);
});

describe.each(['json', 'messagepack'] as const)('an invocation in %s', (name) => {
  it.each<[string, number, Body, unknown]>([
    ['a framed result', 200, completion({ result: 42 }), { result: 42 }],
    ['a framed error', 200, completion({ error: 'Room is full' }), 'Room is full'],
    ['a completion without result', 200, completion({}), 'nothing'],
    ['200 without body', 200, '', 'nothing'],
    ['204', 204, '', 'nothing'],
    ['202', 202, completion({ result: 42 }), 'Invocation failed, status code 202'],
    ['302', 302, '', 'Invocation failed, status code 302'],
    ['404', 404, 'no such function', 'Invocation failed, status code 404'],
    ['503', 503, '', 'Invocation failed, status code 503'],
    ['the completion of another', 200, completion({ result: 1 }, '2'), none],
    ['two completions', 200, (one) => Buffer.concat([completion({})(one), completion({})(one)]), none],
    ['half a completion', 200, (one) => Buffer.from(completion({ result: 'xyz' })(one)).subarray(0, -3), none],
    ['another message', 200, (one) => hubProtocol(one)!.write({ kind: 'close' }), none],
    ['what is no hub message', 200, '<html>', none],
    [
      'more than SIGNALBOX_UPSTREAM_BYTES',
      200,
      completion({ result: 'x'.repeat(4096) }),
      'Invocation failed, response too large.',
    ],
  ])('answered with %s', async (_what, status, body, expected) => {
    const bytes = typeof body === 'function' ? body(name) : body;
    const headers = { location: `${server.url}/elsewhere` };
    expect(await answered(name, (response) => response.writeHead(status, headers).end(bytes))).toEqual(expected);
  });

  it('whose answer breaks off, or never comes', async () => {
    const bytes = Buffer.from(completion({ result: 42 })(name));
    const cut = (response: ServerResponse): void => {
      response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 5), () => response.destroy());
    };
    expect(await answered(name, cut)).toBe('Invocation failed, error: the response ended before it was whole.');
    expect(await answered(name, (response) => response.destroy())).toBe('Invocation failed, status code 500');
  });

  it('that wants no answer gets none, whatever is answered', async () => {
    server.answer = (_post, response) => response.writeHead(200).end(completion({ result: 42 })(name));
    const client = await node.connect({ protocol: name });
    client.send({ kind: 'invocation', target: 'tell', arguments: [] });
    await node.upstream.idle();
    client.send({ kind: 'invocation', invocationId: '1', target: 'ask', arguments: [] });
    await client.until(() => client.messages.length > 0);
    expect(client.messages).toMatchObject([{ kind: 'completion', result: 42 }]);
    client.leave();
  });
});

it('a JSON completion without its separator is taken as if it had it', async () => {
  const text = '{"type":3,"invocationId":"1","result":9007199254740993}';
  server.answer = (_post, response) => response.writeHead(200).end(text);
  const client = await node.connect();
  client.send({ kind: 'invocation', invocationId: '1', target: 'ask', arguments: [] });
  await client.until(() => client.messages.length === 1);
  expect(client.transport.text).toContain(`${text}\u001e`);
  client.leave();
});

it('an upstream that hangs, and one that is not there, count as status 500', async () => {
  const url = 'http://127.0.0.1:1'; // privileged, and given to no program of our times
  const message = { category: 'messages' };
  const lost = await startUpstream(JSON.stringify([{ url, ...message }]));
  const hung = await startUpstream(JSON.stringify([{ url: server.url, ...message }]), { deadlineMs: 100 });
  for (const [where, status] of [
    [lost, 'unreachable'],
    [hung, 'timeout'],
  ] as const) {
    expect(await answered('json', () => undefined, where)).toBe('Invocation failed, status code 500');
    expect(where.told.of('webhook').map(([event, word]) => [event, word])).toEqual([['message', status]]);
    await where[Symbol.asyncDispose]();
  }
});
