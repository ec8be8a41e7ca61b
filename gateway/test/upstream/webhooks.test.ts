import type { ServerResponse } from 'node:http';
import { decodeValue } from '@signalbox/app-sdk/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { startUpstream, type Upstreamed } from './start-upstream.ts';
import { WebhookServer } from './webhook-server.ts';

const claim = (name: string, text: string) => ({ name, text });
/** What a client said of itself. */
const origin = {
  claims: [claim('asrs.s.uid', 'ann'), claim('role', 'admin'), claim('role', 'x, boss: yes'), claim('exp', '17')],
  query: 'hub=chat&a=1',
  headers: [],
  remoteAddress: '127.0.0.1',
  server: undefined,
  sticky: undefined,
  diagnostic: false,
};

let server: WebhookServer;
let node: Upstreamed;

beforeEach(async () => {
  server = await WebhookServer.start();
  node = await startUpstream(`${server.url}/up/{hub}/{category}/{event}?code=s3cret`);
});

afterEach(async () => {
  await node[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

describe('a webhook', () => {
  it('tells of a connection with the headers that apply, and a body of its own', async () => {
    const client = await node.connect({ userId: 'ann', connectionId: 'conn1', origin });
    const { method, path, headers, body } = await server.post(0);
    expect([method, path, body.toString()]).toEqual([
      'POST',
      '/up/chat/connections/connected?code=s3cret',
      '{"type":10}',
    ]);
    expect(client.connection.origin).toBeUndefined();
    expect(headers).toMatchObject({
      'x-asrs-connection-id': 'conn1',
      'x-asrs-hub': 'chat',
      'x-asrs-category': 'connections',
      'x-asrs-event': 'connected',
      'x-asrs-user-id': 'ann',
      'x-asrs-user-claims': 'asrs.s.uid: ann, role: admin, role: x%2C boss: yes, exp: 17',
      'x-asrs-client-query': '?hub=chat&a=1',
      'x-asrs-signature': 'sha256=8de7281e588e23b0a30a7180ffa240257b8176e983004c240c9f3f7a7233c993',
      'content-type': 'application/json',
      'content-length': '11',
    });
    expect(headers['transfer-encoding']).toBeUndefined();
  });

  it('of an anonymous client without claims and query has no headers for them', async () => {
    await node.connect();
    const { headers } = await server.post(0);
    expect(Object.keys(headers).filter((name) => /user|query/.test(name))).toEqual([]);
  });

  it('of a JSON invocation has its text as it came, numbers too, without separator', async () => {
    const client = await node.connect();
    const text = '{"type":1,"target":"sendMessage","arguments":["x", 9007199254740993, 1.50]}';
    client.say(`${text}\u001e`);
    const { path, headers, body } = await server.post(1);
    expect([path, body.toString()]).toEqual(['/up/chat/messages/sendMessage?code=s3cret', text]);
    expect(headers).toMatchObject({
      'x-asrs-category': 'messages',
      'x-asrs-event': 'sendMessage',
      'content-type': 'application/json',
    });
  });

  it('of a MessagePack invocation has its bytes without length prefix', async () => {
    const client = await node.connect({ protocol: 'messagepack' });
    client.send({
      kind: 'invocation',
      target: 'send',
      arguments: ['x', new Uint8Array([1, 2]), null, [[1]], { a: 1 }],
    });
    const { headers, body } = await server.post(1);
    expect(headers['content-type']).toBe('application/x-msgpack');
    const [type, , id, target, args] = decodeValue(body) as unknown[];
    expect([type, id, target, args]).toEqual([1, null, 'send', ['x', new Uint8Array([1, 2]), null, [[1]], { a: 1 }]]);
  });

  it('escapes a target in its URL, and lets it neither add a header nor a line', async () => {
    const client = await node.connect();
    for (const target of ['a/b c', "a?b#c&d=(e)*'!", 'a\r\nX-Evil: 1', 'Grüße']) {
      client.send({ kind: 'invocation', target, arguments: [] });
    }
    await server.post(4);
    expect(server.posts.items.slice(1).map(({ path }) => path.replace('/up/chat/messages/', ''))).toEqual([
      'a%2Fb%20c?code=s3cret',
      'a%3Fb%23c%26d%3D%28e%29%2A%27%21?code=s3cret',
      'a%0D%0AX-Evil%3A%201?code=s3cret',
      'Gr%C3%BC%C3%9Fe?code=s3cret',
    ]);
    expect(server.events.slice(1)).toEqual(['a/b c', "a?b#c&d=(e)*'!", 'a%0D%0AX-Evil: 1', 'Gr%C3%BC%C3%9Fe']);
    expect(server.posts.items.some(({ headers }) => 'x-evil' in headers)).toBe(false);
  });

  it('tells of the end once, behind all that the client said, with the reason unless it just left', async () => {
    const left = await node.connect();
    left.send({ kind: 'invocation', target: 'last', arguments: [] });
    left.leave();
    left.leave();
    await server.post(2);
    expect(server.events).toEqual(['connected', 'last', 'disconnected']);
    expect(server.posts.items.at(-1)?.body.toString()).toBe('{"type":11}');
    const bad = await node.connect();
    bad.say('nonsense\u001e');
    expect((await server.post(4)).body.toString()).toBe('{"type":11,"error":"bad_message"}');
    await node.upstream.idle();
    expect(server.events).toHaveLength(5);
  });

  it('of a client that failed the handshake is never posted', async () => {
    const client = node.arrive();
    client.say('{"protocol":"xyz","version":1}\u001e');
    await client.until(() => client.transport.ended);
    await node.upstream.idle();
    expect(server.events).toEqual([]);
  });
});

describe('the webhooks of one client', () => {
  it('come one at a time in order, connected first; pings flow and other clients do not wait', async () => {
    const held: ServerResponse[] = [];
    server.answer = ({ headers }, response) => {
      if (headers['x-asrs-user-id'] === 'slow') held.push(response);
      else response.writeHead(204).end();
    };
    const slow = node.arrive({ userId: 'slow' });
    const invocation = (n: number): string => `{"type":1,"invocationId":"${n}","target":"m${n}","arguments":[]}\u001e`;
    slow.say(`{"protocol":"json","version":1}\u001e${invocation(1)}${invocation(2)}`);
    const quick = await node.connect({ userId: 'quick' });
    quick.say(invocation(7));
    await quick.until(() => quick.messages.length === 1);
    slow.say('{"type":6}\u001e');
    expect([slow.connection.pings, slow.messages]).toEqual([true, []]);
    for (const event of ['connected', 'm1', 'm2']) {
      await until(`${event} is posted`, () => held.length === 1);
      const own = server.posts.items.filter(({ headers }) => headers['x-asrs-user-id'] === 'slow');
      expect(own.at(-1)?.headers['x-asrs-event']).toBe(event);
      held.shift()?.writeHead(204).end();
    }
    await slow.until(() => slow.messages.length === 2);
    expect(slow.messages).toEqual([
      { kind: 'completion', invocationId: '1' },
      { kind: 'completion', invocationId: '2' },
    ]);
  });

  it('leave the client connected when connected fails, and end it for good when it is answered with 403', async () => {
    server.answer = (_post, response) => void response.writeHead(500).end('no');
    const kept = await node.connect();
    await server.post(0);
    server.answer = (_post, response) => void response.writeHead(403).end();
    const refused = node.arrive();
    refused.say('{"protocol":"json","version":1}\u001e{"type":1,"target":"early","arguments":[]}\u001e');
    await refused.until(() => refused.messages.length === 1);
    expect(refused.messages).toEqual([
      { kind: 'close', error: 'Connection closed with an error.', allowReconnect: false },
    ]);
    expect([kept.connection.state, refused.transport.ended]).toEqual(['open', true]);
    await node.upstream.idle();
    expect(server.events).toEqual(['connected', 'connected']);
    expect(node.told.of('webhook').map(([event, status]) => [event, status])).toEqual([
      ['connected', '500'],
      ['connected', '403'],
      ['message', 'dropped'],
    ]);
    expect(node.logged[0]).toEqual({
      text: 'a webhook failed',
      kind: 'connected',
      hub: 'chat',
      origin: server.url,
      status: '500',
      more: undefined,
    });
  });
});

describe('what is not posted', () => {
  it.each([
    [
      'a stream',
      { kind: 'streamInvocation', invocationId: '1', target: 'counter', arguments: [] },
      'a serverless hub takes no streams.',
    ],
    [
      'an upload',
      { kind: 'invocation', invocationId: '1', target: 'sum', arguments: [], streamIds: ['2'] },
      'a serverless hub takes no streams.',
    ],
    [
      'a step up in the URL',
      { kind: 'invocation', invocationId: '1', target: '..', arguments: [] },
      'its name has no form in a URL.',
    ],
    [
      'half a character',
      { kind: 'invocation', invocationId: '1', target: '\ud83d', arguments: [] },
      'its name has no form in a URL.',
    ],
    [
      'a name without end',
      { kind: 'invocation', invocationId: '1', target: 'x'.repeat(1025), arguments: [] },
      'its name must be at most 1024 characters.',
    ],
  ] as const)('%s: it is declined with the reason', async (_what, message, why) => {
    const client = await node.connect();
    client.say(`${JSON.stringify({ ...message, type: message.kind === 'invocation' ? 1 : 4, kind: undefined })}\u001e`);
    await client.until(() => client.messages.length === 1);
    expect(client.messages[0]).toMatchObject({ kind: 'completion', invocationId: '1' });
    expect(JSON.stringify(client.messages[0])).toContain(why);
    client.leave();
    await node.upstream.idle();
    expect(server.events).toEqual(['connected', 'disconnected']);
  });

  it('what no template takes; without an id it is ignored', async () => {
    const only = await startUpstream(JSON.stringify([{ url: server.url, event: 'connected, taken' }]));
    const client = await only.connect();
    client.send({ kind: 'invocation', target: 'other', arguments: [] });
    client.send({ kind: 'invocation', invocationId: '1', target: 'other', arguments: [] });
    client.send({ kind: 'invocation', invocationId: '2', target: 'taken', arguments: [] });
    await client.until(() => client.messages.length === 2);
    expect(client.messages).toEqual([
      { kind: 'completion', invocationId: '1', error: "Failed to invoke 'other': no upstream takes it." },
      { kind: 'completion', invocationId: '2' },
    ]);
    client.leave();
    await only.upstream.idle();
    expect(server.events).toEqual(['connected', 'taken']);
    await only[Symbol.asyncDispose]();
  });

  it('clients of a hub that no template names', async () => {
    const other = await startUpstream(JSON.stringify([{ url: server.url, hub: 'Billing' }]));
    const client = await other.connect();
    client.send({ kind: 'invocation', invocationId: '1', target: 'x', arguments: [] });
    await client.until(() => client.messages.length === 1);
    expect(JSON.stringify(client.messages[0])).toContain('neither an app server nor an upstream');
    await other.connect({ hub: 'billing' });
    await server.post(0);
    expect(server.posts.items.map(({ headers }) => headers['x-asrs-hub'])).toEqual(['billing']);
    await other[Symbol.asyncDispose]();
  });
});
