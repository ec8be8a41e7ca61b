import { once } from 'node:events';
import { HttpTransportType, HubConnectionBuilder } from '@microsoft/signalr';
import { request } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Frame } from '../../src/core/transport.ts';
import { GatewayError } from '../../src/errors.ts';
import { clientClaims, sign, testKey } from '../auth/sign.ts';
import { raw, upgradeHead } from '../http/raw.ts';
import { type Door, startDoor } from './start-door.ts';
import { transportSuite } from './transport.suite.ts';
import { ask, bodyOf, statusOf, upgraded as upgradeAt } from './wires.ts';

transportSuite('WebSockets');

let door: Door;
beforeAll(async () => {
  door = await startDoor({ origins: ['https://page.example'] });
});
afterAll(() => door[Symbol.dispose]());
beforeEach(() => {
  door.clients.refused = undefined;
  door.clients.texts.length = 0;
  door.clients.heard = () => undefined;
  door.clock.aheadMs = 0;
});

const text = (words: string): Frame => ({ bytes: Buffer.from(words), binary: false });
const token = (more: object = {}, hub = 'chat'): string => sign(clientClaims(hub, more));
const auth = (more?: object): string => `Authorization: Bearer ${token(more)}`;

/** Negotiates; gives the id and the token. */
async function negotiated(more: object = {}, at = door): Promise<{ connectionId: string; connectionToken: string }> {
  const headers = { authorization: `Bearer ${token(more)}` };
  const url = `${at.url}/client/negotiate?hub=chat&negotiateVersion=1`;
  return (await (await request(url, { method: 'POST', headers })).body.json()) as Awaited<
    ReturnType<typeof negotiated>
  >;
}

const upgraded = (query: string, ...lines: string[]): Promise<string> => upgradeAt(door, query, ...lines);

/** A client that is up, and the core's side of it. */
async function connected(query = '?hub=chat', more: object = {}, at = door) {
  const socket = new WebSocket(`ws://127.0.0.1:${at.port}/client/${query}`, {
    headers: { authorization: `Bearer ${token(more)}` },
  });
  await once(socket, 'open');
  const connection = at.clients.arrived.at(-1);
  if (connection === undefined) throw new Error('the core heard of no connection');
  return { socket, connection };
}

describe('the id', () => {
  it('that was negotiated is the id of the connection', async () => {
    const { connectionId, connectionToken } = await negotiated();
    const { socket, connection } = await connected(`?hub=chat&id=${connectionToken}`);
    expect(connection.id).toBe(connectionId);
    socket.terminate();
  });

  it('of negotiate version 0 works as the secret that it is', async () => {
    const headers = { authorization: `Bearer ${token()}` };
    const answer = await request(`${door.url}/client/negotiate?hub=chat`, { method: 'POST', headers });
    const { connectionId } = (await answer.body.json()) as { connectionId: string };
    const { socket, connection } = await connected(`?hub=chat&id=${connectionId}`);
    expect(connectionId.endsWith(connection.id)).toBe(true);
    expect(connection.id).toHaveLength(34);
    socket.terminate();
  });

  it('may be absent: then the connection gets one', async () => {
    const { socket, connection } = await connected('?hub=chat');
    expect(connection.id).toMatch(/^[A-Za-z0-9_-]{34}$/);
    socket.terminate();
  });

  it('is the last of several, for an app may have one of its own in the URL', async () => {
    const { connectionId, connectionToken } = await negotiated();
    const { socket, connection } = await connected(`?hub=chat&id=mine&id=${connectionToken}`);
    expect(connection.id).toBe(connectionId);
    socket.terminate();
    expect(statusOf(await upgraded(`?hub=chat&id=${(await negotiated()).connectionToken}&id=mine`, auth()))).toBe(404);
  });

  it('that was never given out is 404 and says so, with CORS headers', async () => {
    const { connectionId } = await negotiated();
    for (const id of ['x', '', connectionId]) {
      const answer = await upgraded(`?hub=chat&id=${id}`, auth(), 'Origin: https://page.example');
      expect([statusOf(answer), bodyOf(answer)]).toEqual([404, 'No Connection with that ID']);
      expect(answer).toContain('Access-Control-Allow-Origin: https://page.example');
      expect(answer).toContain('Content-Type: text/plain');
    }
  });

  it('is 404 when nobody came with it in time', async () => {
    const { connectionToken } = await negotiated();
    door.clock.aheadMs = 30_001;
    expect(statusOf(await upgraded(`?hub=chat&id=${connectionToken}`, auth()))).toBe(404);
  });

  it('is 409 the second time, without words, and the first connection is untouched', async () => {
    const { connectionToken } = await negotiated();
    const { socket, connection } = await connected(`?hub=chat&id=${connectionToken}`);
    const answer = await upgraded(`?hub=chat&id=${connectionToken}`, auth());
    expect([statusOf(answer), bodyOf(answer)]).toEqual([409, '']);
    connection.transport.write(text('alive'));
    const [data] = (await once(socket, 'message')) as [Buffer];
    expect(data.toString()).toBe('alive');
    socket.terminate();
  });

  it('of another user is 403, and the user it belongs to can still use it', async () => {
    const { connectionToken } = await negotiated({ sub: 'alice' });
    expect(statusOf(await upgraded(`?hub=chat&id=${connectionToken}`, auth({ sub: 'bob' })))).toBe(403);
    expect(statusOf(await upgraded(`?hub=chat&id=${connectionToken}`, auth()))).toBe(403);
    expect(statusOf(await upgraded(`?hub=chat&id=${connectionToken}`, auth({ sub: 'alice' })))).toBe(101);
  });

  it('of another hub is 404', async () => {
    const { connectionToken } = await negotiated();
    const other = `Authorization: Bearer ${token({}, 'other')}`;
    expect(statusOf(await upgraded(`?hub=other&id=${connectionToken}`, other))).toBe(404);
  });
});

describe('the token', () => {
  it('may stand in the query; then the last one counts', async () => {
    expect(statusOf(await upgraded(`?hub=chat&access_token=${token()}`))).toBe(101);
    expect(statusOf(await upgraded(`?hub=chat&access_token=x&access_token=${token()}`))).toBe(101);
    expect(statusOf(await upgraded(`?hub=chat&access_token=${token()}&access_token=x`))).toBe(401);
  });

  it('in the header rules over the one in the query', async () => {
    expect(statusOf(await upgraded('?hub=chat&access_token=x', auth()))).toBe(101);
    expect(statusOf(await upgraded(`?hub=chat&access_token=${token()}`, 'Authorization: Bearer x'))).toBe(401);
  });

  it('is needed, for this hub and for clients', async () => {
    expect(statusOf(await upgraded('?hub=chat'))).toBe(401);
    expect(statusOf(await upgraded('?hub=other', auth()))).toBe(401);
    expect(statusOf(await upgraded('?hub=chat', auth({ aud: 'http://h/server/?hub=chat' })))).toBe(401);
    expect(statusOf(await upgraded('?hub=chat', auth({ exp: 1_700_000_000 })))).toBe(401);
  });

  it('opens its own hub only, whatever a client appends', async () => {
    expect(statusOf(await upgraded('?hub=other&hub=chat', auth()))).toBe(401);
    const { socket, connection } = await connected('?hub=CHAT&hub=other');
    expect(connection.hub).toBe('chat');
    socket.terminate();
  });

  it('without WebSockets among its transports is 404', async () => {
    const answer = await upgraded('?hub=chat', auth({ 'asrs.s.htt': '6' }));
    expect([statusOf(answer), bodyOf(answer)]).toEqual([
      404,
      'WebSockets transport not supported by this end point type',
    ]);
  });

  it('may fill a head of 15 KB', async () => {
    expect(statusOf(await upgraded(`?hub=chat&access_token=${token({ filler: 'x'.repeat(10_500) })}`))).toBe(101);
  });

  it('makes who the client is, and what an app is told of it, without its secrets', async () => {
    const { connectionId, connectionToken } = await negotiated({ nameid: 'u' });
    const more = { 'asrs.s.derror': 'True', 'asrs.s.cht': '5', 'asrs.s.sn': 's', 'asrs.s.ssticky': 'Required' };
    const claims = { nameid: 'u', ...more, 'asrs.s.coae': 'true', 'asrs.s.aeo': '4000000000', role: ['a', 'b'] };
    const query = [
      `hub=chat&a=1%202&id=mine&access_token=x&asrs.op=%2Fchat&id=${connectionToken}`,
      `access%5Ftoken=${token(claims)}`,
    ];
    const socket = new WebSocket(`ws://127.0.0.1:${door.port}/client/?${query.join('&')}`, {
      headers: { 'User-Agent': 'tests', Cookie: 'secret=1', 'X-Forwarded-For': '10.0.0.1' },
    });
    await once(socket, 'open');
    socket.terminate();
    const { origin, ...identity } = door.clients.identity ?? {};
    expect(identity).toEqual({
      hub: 'chat',
      connectionId,
      userId: 'u',
      detailedErrors: true,
      authExpires: 4_000_000_000_000,
      handshakeMs: 5000,
    });
    const { claims: all, ...rest } = origin ?? {};
    expect(rest).toEqual({
      query: 'hub=chat&a=1%202&id=mine&asrs.op=%2Fchat',
      headers: [['user-agent', 'tests']],
      remoteAddress: '127.0.0.1',
      server: 's',
      sticky: 'Required',
      diagnostic: false,
    });
    expect(all?.slice(-3).map(({ name, text }) => `${name} ${text}`)).toEqual([
      'asrs.s.aeo 4000000000',
      'role a',
      'role b',
    ]);
  });

  it('names a user by a number as it is written', async () => {
    const exact = JSON.stringify(clientClaims('chat')).replace('{', '{"nameid":9007199254740993,');
    const socket = new WebSocket(`ws://127.0.0.1:${door.port}/client/?hub=chat&access_token=${sign(exact, testKey)}`);
    await once(socket, 'open');
    expect(door.clients.identity?.userId).toBe('9007199254740993');
    socket.terminate();
  });
});

describe('a page of a browser', () => {
  it('of a foreign origin is refused, whatever its token', async () => {
    for (const origin of ['https://evil.example', 'null', 'https://page.example.evil']) {
      expect(statusOf(await upgraded('?hub=chat', auth(), `Origin: ${origin}`))).toBe(403);
    }
  });

  it('of an allowed origin is let in, and so is a client that is no page', async () => {
    expect(statusOf(await upgraded('?hub=chat', auth(), 'Origin: https://page.example'))).toBe(101);
    expect(statusOf(await upgraded('?hub=chat', auth()))).toBe(101);
  });
});

describe('a limit', () => {
  it('of connections is 429, or 503 while the node stops, and the id can be used again', async () => {
    const { connectionToken } = await negotiated();
    door.clients.refused = 'SIGNALBOX_MAX_CONNECTIONS_PER_USER';
    const answer = await upgraded(`?hub=chat&id=${connectionToken}`, auth());
    expect(statusOf(answer)).toBe(429);
    expect(bodyOf(answer)).toContain('SIGNALBOX_MAX_CONNECTIONS_PER_USER');
    door.clients.refused = 'draining';
    expect(statusOf(await upgraded(`?hub=chat&id=${connectionToken}`, auth()))).toBe(503);
    door.clients.refused = undefined;
    expect(statusOf(await upgraded(`?hub=chat&id=${connectionToken}`, auth()))).toBe(101);
  });

  it('of new connections in a second is 429 until the next, and the id can be used again', async () => {
    const frozen = Date.now(); // a second of the machine may be over before two clients have come
    using slow = await startDoor({ connectRate: 2, time: () => frozen });
    const { connectionToken } = await negotiated({}, slow);
    const ask = async (query: string): Promise<number> => {
      const socket = await raw(slow.port, upgradeHead(`/client?hub=chat${query}`, auth()));
      const status = statusOf(await socket.until('\r\n\r\n'));
      socket.socket.destroy();
      return status;
    };
    expect([await ask(''), await ask('')]).toEqual([101, 101]);
    expect(await ask(`&id=${connectionToken}`)).toBe(429);
    expect(slow.limits).toEqual(['SIGNALBOX_CONNECT_RATE']);
    slow.clock.aheadMs = 1000;
    expect(await ask(`&id=${connectionToken}`)).toBe(101);
  });
});

describe('what is not there', () => {
  it('for a connection with a WebSocket is told as the official server tells it', async () => {
    const { connectionToken } = await negotiated();
    const { socket } = await connected(`?hub=chat&id=${connectionToken}`);
    const told = async (...asked: Parameters<typeof ask>): Promise<unknown[]> => {
      const { status, body, headers } = await ask(...asked);
      return [status, body.toString(), headers['content-type']];
    };
    const id = `&id=${connectionToken}`;
    const plain = 'text/plain';
    expect(await told(door, 'POST', id)).toEqual([
      405,
      'POST requests are not allowed for WebSocket connections.',
      plain,
    ]);
    const noDelete = 'Cannot terminate this connection using the DELETE endpoint.';
    expect(await told(door, 'DELETE', id)).toEqual([400, noDelete, plain]);
    const noChange = 'Cannot change transports mid-connection';
    expect(await told(door, 'GET', id)).toEqual([400, noChange, plain]);
    const headers = { authorization: `Bearer ${token()}`, accept: 'text/event-stream' };
    expect(await told(door, 'GET', id, { headers })).toEqual([400, noChange, plain]);
    socket.terminate();
  });

  it('is 404 without a word of clients elsewhere', async () => {
    for (const path of ['/clients', '/client/x', '/aspnetclient/', '/Client/']) {
      const answer = await request(`${door.url}${path}?hub=chat`, { method: 'POST' });
      expect([path, answer.statusCode]).toEqual([path, 404]);
      await answer.body.dump();
    }
  });
});

describe('the transport', () => {
  it('carries text and binary, one and several frames, in order', async () => {
    const { socket, connection } = await connected();
    const came: [string, boolean][] = [];
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer, binary: boolean) => {
        came.push([data.toString(), binary]);
        if (came.length === 4) resolve();
      });
    });
    connection.transport.write(text('1'));
    connection.transport.writeAll([text('2'), { bytes: Buffer.from('3'), binary: true }, text('4')]);
    await all;
    expect(came).toEqual([
      ['1', false],
      ['2', false],
      ['3', true],
      ['4', false],
    ]);
    expect(connection.transport.buffered()).toBe(0);
    socket.terminate();
  });

  it('gives the core what the client sends, and its leaving', async () => {
    const { socket, connection } = await connected();
    socket.send('a');
    socket.send(Buffer.from('b'));
    socket.close();
    expect(await door.clients.ended(connection)).toBe('client_left');
    expect(door.clients.texts).toEqual(['a', 'b']);
  });

  it('ends with close code 1000, after what was written', async () => {
    const { socket, connection } = await connected();
    const came: string[] = [];
    socket.on('message', (data: Buffer) => came.push(data.toString()));
    connection.transport.write(text('last words'));
    connection.close('closed_by_app');
    const [code] = (await once(socket, 'close')) as [number];
    expect([code, came, door.clients.endsOf(connection)]).toEqual([1000, ['last words'], ['closed_by_app']]);
  });

  it('does nothing after the end', async () => {
    const { socket, connection } = await connected();
    connection.close('closed_by_app');
    connection.transport.write(text('x'));
    connection.transport.writeAll([text('x'), text('y')]);
    connection.transport.end();
    expect(connection.transport.buffered()).toBe(0);
    await once(socket, 'close');
    expect(door.clients.endsOf(connection)).toEqual(['closed_by_app']);
    expect(door.defects).toEqual([]);
  });

  it('reads nothing more once it has ended', async () => {
    const { socket, connection } = await connected();
    door.clients.heard = (speaker) => speaker.close('bad_message');
    for (let i = 0; i < 100; i++) socket.send(`message ${i}`);
    await once(socket, 'close');
    expect(door.clients.texts).toEqual(['message 0']);
    expect(door.clients.endsOf(connection)).toEqual(['bad_message']);
  });

  it('ended while the client is behind still brings all that was written', async () => {
    using roomy = await startDoor({ queueBytes: 50_000_000 });
    const { socket, connection } = await connected('?hub=chat', {}, roomy);
    socket.pause();
    const piece = text('x'.repeat(100_000));
    let written = 0;
    for (; connection.transport.buffered() < 1_000_000; written++) connection.transport.write(piece);
    roomy.clients.heard = () => connection.close('closed_by_app');
    socket.send('go');
    expect(await roomy.clients.ended(connection)).toBe('closed_by_app');
    let came = 0;
    socket.on('message', (data: Buffer) => {
      came += data.length;
    });
    socket.resume();
    const [code] = (await once(socket, 'close')) as [number];
    expect([code, came]).toEqual([1000, written * piece.bytes.length]);
  });

  it('of a client that does not read is closed as slow, and what waited for it is thrown away', async () => {
    using tight = await startDoor({ queueBytes: 100_000 });
    const { socket, connection } = await connected('?hub=chat', {}, tight);
    socket.pause();
    const frames = [text('x'.repeat(50_000)), text('y'.repeat(50_000))];
    let written = 0;
    let waiting = 0;
    for (let i = 0; i < 1000 && connection.state !== 'closed'; i++) {
      waiting = connection.transport.buffered();
      expect(waiting).toBeLessThanOrEqual(300_000);
      if (i % 2 === 0) connection.transport.writeAll(frames);
      else for (const frame of frames) connection.transport.write(frame);
      written += 100_000;
    }
    expect(await tight.clients.ended(connection)).toBe('slow');
    expect(connection.transport.buffered()).toBe(0);
    let came = 0;
    socket.on('message', (data: Buffer) => {
      came += data.length;
    });
    socket.on('error', () => undefined);
    socket.resume();
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1006);
    expect(came).toBeLessThanOrEqual(written - waiting);
  });
});

describe('the official JavaScript client', () => {
  const start = async (options: object, path: string): Promise<string | null> => {
    const hub = new HubConnectionBuilder()
      .withUrl(`${door.url}${path}`, { accessTokenFactory: () => token({ sub: 'u' }), ...options })
      .configureLogging(0x6)
      .build();
    await hub.start();
    const { connectionId } = hub;
    await hub.stop();
    return connectionId;
  };

  it('negotiates and connects under the id that it was told', async () => {
    const id = await start({}, '/client/?hub=chat');
    expect(id).toBe(door.clients.arrived.at(-1)?.id);
    expect(door.clients.arrived.at(-1)?.userId).toBe('u');
  });

  it('connects without negotiating', async () => {
    const options = { skipNegotiation: true, transport: HttpTransportType.WebSockets };
    expect(await start(options, '/client?hub=chat')).toBe(null);
  });
});

it('a lost claim is known on the second node, and one that cannot be asked ends as its error', async () => {
  using lost = await startDoor({ claims: { claim: async () => false, owner: async () => undefined } });
  using down = await startDoor({
    claims: {
      claim: async () => {
        throw new GatewayError('no_answer', 'nobody answered');
      },
      owner: async () => undefined,
    },
  });
  for (const [at, status] of [
    [lost, 409],
    [down, 503],
  ] as const) {
    const { connectionToken } = await negotiated({}, at);
    const socket = await raw(at.port, upgradeHead(`/client/?hub=chat&id=${connectionToken}`, auth()));
    expect(statusOf(await socket.until('\r\n\r\n'))).toBe(status);
    expect(at.clients.arrived).toEqual([]);
    socket.socket.destroy();
  }
});
