import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';
import { RawClient, type RawMessage } from '../support/raw-client.ts';
import { RawRest } from '../support/raw-rest.ts';
import { accessKey, clientToken, signToken } from '../support/tokens.ts';
import { within } from '../support/until.ts';

const hub = 'bad';
const otherKey = 'a-key-that-this-service-does-not-have-01';
let gateway: GatewayProcess;
let rest: RawRest;
let witness: RawClient;
let turns = 0;

beforeAll(async () => {
  gateway = await GatewayProcess.start({
    SIGNALBOX_ACCESS_KEY: accessKey,
    SIGNALBOX_CLIENT_MESSAGE_BYTES: '32768',
    SIGNALBOX_HANDSHAKE_BYTES: '1024',
  });
  rest = new RawRest(gateway.origin);
  witness = await RawClient.connect(gateway.port, { hub });
});

/** After every piece of bad input the node serves those who were there, and whoever comes. */
afterEach(async () => {
  const what = `still served ${++turns}`;
  const newcomer = await RawClient.connect(gateway.port, { hub });
  await rest.post(`/api/v1/hubs/${hub}`, 'news', what);
  await Promise.all([witness.heard(what), newcomer.heard(what)]);
  newcomer.leave();
});

afterAll(async () => {
  await rest.close();
  await gateway.kill();
});

const past = (): number => Math.floor(Date.now() / 1000) - 1;

describe('tokens', () => {
  const path = `/api/v1/hubs/${hub}`;
  const bad: readonly [string, () => Promise<string>][] = [
    ['an expired token', () => signToken(`http://x${path}`, { exp: past() })],
    ['a token of another key', () => signToken(`http://x${path}`, {}, otherKey)],
    ['a token for another hub', () => signToken('http://x/api/v1/hubs/other')],
    ['a client token', () => clientToken(hub)],
    ['a token with an issuer', () => signToken(`http://x${path}`, { iss: 'somebody' })],
    ['no JWT', async () => 'nonsense'],
    ['nothing', async () => ''],
  ];
  test.each(bad)('%s on /api/ gets 401 with Error.Request.Unauthorized', async (_, make) => {
    const answer = await rest.call('POST', path, {
      token: await make(),
      body: '{"target":"news","arguments":["never"]}',
    });
    expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([401, 'Error.Request.Unauthorized']);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  const badForClients: readonly [string, () => Promise<string>][] = [
    ['an expired token', () => clientToken(hub, undefined, { exp: past() })],
    ['a token of another key', () => signToken(`http://x/client/?hub=${hub}`, {}, otherKey)],
    ['a token for another hub', () => clientToken('other')],
    ['a token for /api/', () => signToken(`http://x/api/v1/hubs/${hub}`)],
    ['no JWT', async () => 'nonsense'],
  ];
  test.each(badForClients)('%s gets 401 from negotiate and from the WebSocket', async (_, make) => {
    const token = await make();
    const negotiated = await fetch(`${gateway.origin}/client/negotiate?hub=${hub}&negotiateVersion=1`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(negotiated.status).toBe(401);
    await expect(RawClient.open(gateway.port, { hub, token })).rejects.toThrow('refused with 401');
  });
});

describe('names', () => {
  test.each([
    ['that starts with a digit', '1st'],
    ['with a dash', 'a-b'],
    ['with a space', 'a%20b'],
    ['of 129 characters', 'x'.repeat(129)],
  ])('a hub name %s gets 400 from REST, negotiate and the WebSocket', async (_, name) => {
    const answer = await rest.post(`/api/v1/hubs/${name}`, 'news', 'never');
    expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([400, 'Error.Request.Invalid']);
    const headers = { authorization: `Bearer ${await clientToken(name)}` };
    const negotiated = await fetch(`${gateway.origin}/client/negotiate?hub=${name}`, { method: 'POST', headers });
    expect(negotiated.status).toBe(400);
    await expect(RawClient.open(gateway.port, { hub: name })).rejects.toThrow('refused with 400');
  });

  test('a group of 1,025 characters gets 400 with its length; one of 1,024 is taken', async () => {
    const longest = await rest.post(`/api/v1/hubs/${hub}/groups/${'g'.repeat(1024)}`, 'news', 'nobody');
    expect(longest.status).toBe(202);
    const answer = await rest.post(`/api/v1/hubs/${hub}/groups/${'g'.repeat(1025)}`, 'news', 'never');
    expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([400, 'Error.Request.Invalid']);
    expect(JSON.parse(answer.body)).toMatchObject({ message: '"group" must be 1 to 1024 characters, got 1025' });
  });

  test('an id that this service did not make gets 404', async () => {
    await expect(RawClient.open(gateway.port, { hub, id: 'made-up' })).rejects.toThrow('refused with 404');
  });
});

describe('handshakes', () => {
  const malformed = 'An unexpected error occurred during connection handshake.';
  test.each([
    ['garbage', 'no JSON at all\x1e', malformed],
    ['an empty record', '\x1e', malformed],
    ['a list', '[]\x1e', malformed],
    ['no version', '{"protocol":"json"}\x1e', malformed],
    ['an unknown hub protocol', '{"protocol":"xml","version":1}\x1e', "The protocol 'xml' is not supported."],
    [
      'an unknown version',
      '{"protocol":"json","version":9}\x1e',
      "The server does not support version 9 of the 'json' protocol.",
    ],
    ['more than SIGNALBOX_HANDSHAKE_BYTES', 'x'.repeat(1025), 'Handshake was canceled.'],
  ])('%s: refused with the words of the official server, then closed', async (_, text, error) => {
    const client = await RawClient.open(gateway.port, { hub });
    client.socket.send(text);
    await within('the close', client.closed);
    expect(client.inbox.items).toEqual([{ error }]);
  });
});

describe('hub messages', () => {
  const closing: RawMessage = { type: 7, error: 'Connection closed with an error.', allowReconnect: true };
  test.each([
    ['garbage', 'garbage\x1e', 'bad_message'],
    ['a record that is no hub message', '[1,2]\x1e', 'bad_message'],
    ['an invocation without a target', '{"type":1,"arguments":[]}\x1e', 'bad_message'],
    ['an empty record', '\x1e', 'bad_message'],
    [
      'one above SIGNALBOX_CLIENT_MESSAGE_BYTES (32,768)',
      `{"type":1,"target":"t","arguments":["${'x'.repeat(32_768)}"]}\x1e`,
      'too_large',
    ],
    ['32,768 bytes without an end', 'x'.repeat(32_769), 'too_large'],
  ])('%s: a Close with error and allowReconnect, and the reason in the metrics', async (_, text, reason) => {
    const before = await gateway.metric('signalbox_connections_closed_total', { reason });
    const client = await RawClient.connect(gateway.port, { hub });
    client.socket.send(text);
    await within('the close', client.closed);
    expect(client.inbox.items).toEqual([{}, closing]);
    expect(await gateway.metric('signalbox_connections_closed_total', { reason })).toBe(before + 1);
  });

  test('the largest message that is taken leaves the connection open', async () => {
    const client = await RawClient.connect(gateway.port, { hub });
    const frame = '{"type":1,"target":"t","arguments":[""],"invocationId":"1"}\x1e';
    const filling = 'x'.repeat(32_768 - frame.length);
    client.socket.send(frame.replace('[""]', `["${filling}"]`));
    await client.inbox.one('the completion', (message) => message['invocationId'] === '1');
    client.leave();
  });

  test('binary garbage to a MessagePack connection: a Close in MessagePack', async () => {
    const client = await RawClient.open(gateway.port, { hub });
    client.socket.removeAllListeners('message');
    const frames: Buffer[] = [];
    client.socket.on('message', (frame: Buffer) => frames.push(frame));
    client.say({ protocol: 'messagepack', version: 1 });
    client.socket.send(Buffer.from([3, 0xc1, 0xc1, 0xc1]));
    await within('the close', client.closed);
    expect(frames[0]?.toString()).toBe('{}\x1e');
    // [7, error, allowReconnect] behind its length
    expect([...(frames[1]?.subarray(1, 3) ?? [])]).toEqual([0x93, 7]);
    expect(frames[1]?.at(-1)).toBe(0xc3);
  });
});

describe('bytes that are no WebSocket or no HTTP', () => {
  test.each([
    ['a reserved opcode', Buffer.from([0x8b, 0x80, 0, 0, 0, 0])],
    ['reserved bits', Buffer.from([0xf1, 0x80, 0, 0, 0, 0])],
  ])('%s on an open WebSocket closes it', async (_, bytes) => {
    const client = await RawClient.connect(gateway.port, { hub });
    const { _socket: socket } = client.socket as unknown as { _socket: { write(bytes: Buffer): void } };
    socket.write(bytes);
    await within('the close', client.closed);
  });

  test('200 sockets that say nonsense and leave', async () => {
    const say = async (i: number): Promise<void> => {
      const socket = connect(gateway.port, '127.0.0.1');
      socket.on('error', () => undefined); // cut off: as good as an answer
      await once(socket, 'connect');
      socket.end(Buffer.from(Array.from({ length: 50 }, (_, at) => (i * 31 + at * 7) % 256)));
      socket.resume();
      await within('it is closed', new Promise((resolve) => socket.once('close', resolve)));
    };
    await Promise.all(Array.from({ length: 200 }, (_, i) => say(i)));
  });
});
