import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventOf } from '../../src/clients/sse.ts';
import { head, raw } from '../http/raw.ts';
import { within } from '../support/until.ts';
import { type Door, startDoor } from './start-door.ts';
import { transportSuite } from './transport.suite.ts';
import { ask, bearer, negotiated, wires } from './wires.ts';

transportSuite('ServerSentEvents');

let door: Door;
beforeAll(async () => {
  door = await startDoor({ origins: ['https://page.example'] });
});
afterAll(() => door[Symbol.dispose]());
beforeEach(() => {
  door.clock.aheadMs = 0;
  door.clients.refused = undefined;
});

const accept = { accept: 'text/event-stream' };

describe('an event', () => {
  // client-transports, 12.2: E09 to E15
  it.each([
    ['{}\u001e', 'data: {}\u001e\r\n\r\n'],
    ['{"type":6}\u001e{"type":7}\u001e', 'data: {"type":6}\u001e{"type":7}\u001e\r\n\r\n'],
    ['a\nb\u001e', 'data: a\r\ndata: b\u001e\r\n\r\n'],
    ['a\r\nb\u001e', 'data: a\r\ndata: b\u001e\r\n\r\n'],
    ['\n', 'data: \r\ndata: \r\n\r\n'],
    ['', '\r\n'],
  ])('of %j is %j', (bytes, event) => {
    expect(Buffer.from(eventOf(Buffer.from(bytes))).toString()).toBe(event);
  });

  it('keeps what follows a lone CR, which ends a line for its receiver', () => {
    expect(Buffer.from(eventOf(Buffer.from('a\rb'))).toString()).toBe('data: a\r\ndata: b\r\n\r\n');
  });
});

describe('a stream', () => {
  it('opens with its head and a comment, at once, for the page that asks', async () => {
    const { connectionToken } = await negotiated(door);
    const token = bearer()['authorization']?.slice('Bearer '.length);
    const target = `GET /client/?hub=chat&id=${connectionToken}&access_token=${token}`;
    const socket = await raw(door.port, head(target, 'Accept: text/event-stream', 'Origin: https://page.example'));
    const answer = await socket.until('\r\n\r\n3\r\n:\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    for (const line of [
      'Content-Type: text/event-stream',
      'Cache-Control: no-cache,no-store',
      'Pragma: no-cache',
      'Content-Encoding: identity',
      'X-Accel-Buffering: no',
      'Access-Control-Allow-Origin: https://page.example',
      'Access-Control-Allow-Credentials: true',
    ]) {
      expect(answer).toContain(`\r\n${line}\r\n`);
    }
    socket.socket.destroy();
  });

  it('is 409 the second time, and the first is untouched', async () => {
    const { connectionToken } = await negotiated(door);
    const first = await raw(door.port, head(`GET /client/?hub=chat&id=${connectionToken}`, ...lines()));
    await first.until(':\r\n');
    const second = await ask(door, 'GET', `&id=${connectionToken}`, { headers: { ...bearer(), ...accept } });
    expect([second.status, second.body.toString()]).toEqual([409, '']);
    expect(first.socket.destroyed).toBe(false);
    first.socket.destroy();
  });

  it('cannot become another transport, nor be ended by DELETE', async () => {
    const { connectionToken } = await negotiated(door);
    const stream = await raw(door.port, head(`GET /client/?hub=chat&id=${connectionToken}`, ...lines()));
    await stream.until(':\r\n');
    const poll = await ask(door, 'GET', `&id=${connectionToken}`);
    expect([poll.status, poll.body.toString()]).toEqual([400, 'Cannot change transports mid-connection']);
    const removed = await ask(door, 'DELETE', `&id=${connectionToken}`);
    const words = 'Cannot terminate this connection using the DELETE endpoint.';
    expect([removed.status, removed.body.toString()]).toEqual([400, words]);
    stream.socket.destroy();
  });

  it('is refused without an id, with an unknown one, while limits are reached, and when it is switched off', async () => {
    const headers = { ...bearer(), ...accept };
    const got = async (query: string, at = door): Promise<[number, string]> => {
      const { status, body } = await ask(at, 'GET', query, { headers });
      return [status, body.toString()];
    };
    expect(await got('')).toEqual([400, 'Connection ID required']);
    expect(await got('&id=x')).toEqual([404, 'No Connection with that ID']);
    const { connectionToken } = await negotiated(door);
    door.clients.refused = 'draining';
    expect((await got(`&id=${connectionToken}`))[0]).toBe(503);
    using off = await startDoor({ transports: ['WebSockets'] });
    const unused = await negotiated(off);
    expect(await got(`&id=${unused.connectionToken}`, off)).toEqual([
      404,
      'ServerSentEvents transport not supported by this end point type',
    ]);
  });

  it('that drops is the end of the connection, without any wait', async () => {
    const wire = await wires.ServerSentEvents(door);
    wire.leave();
    expect(await within('the connection ends', door.clients.ended(wire.connection))).toBe('client_left');
    expect(door.owner.has('chat', wire.connection.id)).toBe(false);
  });
});

it('a POST is answered when its bytes were taken in, whatever the age of the token', async () => {
  const wire = await wires.ServerSentEvents(door, { claims: { exp: Math.floor(Date.now() / 1000) + 60 } });
  door.clients.texts.length = 0;
  door.clock.aheadMs = 3_600_000;
  expect(await wire.say('one')).toBe(200);
  expect(door.clients.texts).toEqual(['one']);
  wire.leave();
});

const lines = (): string[] => [`Authorization: ${bearer()['authorization']}`, 'Accept: text/event-stream'];
