import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LongPollingTransport } from '../../src/clients/long-polling.ts';
import type { Frame } from '../../src/core/transport.ts';
import { head, raw } from '../http/raw.ts';
import { until, within } from '../support/until.ts';
import { type Door, startDoor } from './start-door.ts';
import { transportSuite } from './transport.suite.ts';
import { type Answered, ask, bearer, negotiated } from './wires.ts';

transportSuite('LongPolling');

let door: Door;
beforeAll(async () => {
  door = await startDoor({ origins: ['https://page.example'] });
});
afterAll(() => door[Symbol.dispose]());
beforeEach(() => {
  door.clock.aheadMs = 0;
  door.clients.texts.length = 0;
});

const frame = (words: string): Frame => ({ bytes: Buffer.from(words), binary: false });
const told = ({ status, body }: Answered): [number, string] => [status, body.toString()];

/** A client whose first poll was answered. */
async function polling(at = door, claims: object = {}) {
  const { connectionToken } = await negotiated(at, claims);
  const headers = bearer(claims);
  const id = `&id=${connectionToken}`;
  const poll = (signal?: AbortSignal): Promise<Answered> =>
    ask(at, 'GET', `${id}&_=1700000000000`, { headers, ...(signal && { signal }) });
  expect(told(await within('the first poll is answered at once', poll()))).toEqual([200, '']);
  const connection = at.clients.arrived.at(-1);
  if (connection === undefined) throw new Error('the core heard of no connection');
  const post = (body: string | Uint8Array): Promise<Answered> => ask(at, 'POST', id, { headers, body });
  const remove = (): Promise<Answered> => ask(at, 'DELETE', id, { headers });
  return { id, connectionToken, connection, poll, post, remove };
}

/** Resolves when a poll of this client waits at its transport. */
async function waits(at: Door, before: number): Promise<void> {
  await until('the poll waits', () => at.polls() > before);
}

describe('a poll', () => {
  it('brings what came before it, whole and at once, and is not to be kept by caches', async () => {
    const { connection, poll, post, remove } = await polling();
    expect(told(await post('{"protocol":"json","version":1}\u001e'))).toEqual([200, '']);
    connection.transport.write(frame('x\u001e'));
    const answer = await poll();
    await until('the outbox was written', () => connection.transport.buffered() === 0);
    const came = answer.body.toString();
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/octet-stream']);
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-cache, no-store',
      pragma: 'no-cache',
      expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
    });
    const rest = came.includes('{}') ? '' : (await poll()).body.toString();
    expect([...(came + rest)].sort()).toEqual([...'{}\u001ex\u001e'].sort());
    await remove();
  });

  it('carries bytes as they are', async () => {
    const { connection, poll, remove } = await polling();
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
    connection.transport.write({ bytes, binary: true });
    expect([...(await poll()).body]).toEqual([...bytes]);
    await remove();
  });

  it('is 200 and empty when its time is over, and the connection lives', async () => {
    using quick = await startDoor({ pollMs: 100 });
    const { poll, connection } = await polling(quick);
    expect(told(await poll())).toEqual([200, '']);
    expect(connection.state).not.toBe('closed');
  });

  it('is 204 when a newer one comes, which gets the data', async () => {
    const { connection, poll, remove } = await polling();
    const before = door.polls();
    const older = poll();
    await waits(door, before);
    const newer = poll();
    expect(told(await older)).toEqual([204, '']);
    connection.transport.write(frame('to the newer'));
    expect(told(await newer)).toEqual([200, 'to the newer']);
    await remove();
  });

  it('whose client has gone loses nothing: the next one brings it', async () => {
    const { connection, poll, remove } = await polling();
    const [before, drops] = [door.polls(), door.drops()];
    const abort = new AbortController();
    const gone = poll(abort.signal);
    await waits(door, before);
    abort.abort();
    await expect(gone).rejects.toThrow();
    await until('the gateway knows', () => door.drops() > drops);
    connection.transport.write(frame('kept'));
    expect(told(await poll())).toEqual([200, 'kept']);
    await remove();
  });

  it('brings the Close of the server, and the next one is 204, and then 404', async () => {
    const { connection, poll, post } = await polling();
    await post('{"protocol":"json","version":1}\u001e');
    expect(told(await poll())).toEqual([200, '{}\u001e']);
    connection.close('closed_by_app');
    expect(told(await poll())).toEqual([200, '{"type":7}\u001e']);
    expect(told(await post('late'))).toEqual([404, 'No Connection with that ID']);
    expect(told(await poll())).toEqual([204, '']);
    expect((await poll()).status).toBe(404);
    expect(door.owner.has('chat', connection.id)).toBe(false);
  });

  it('that waits is told of the end at once', async () => {
    const { connection, poll } = await polling();
    const before = door.polls();
    const waiting = poll();
    await waits(door, before);
    connection.finish('closed_by_app');
    expect(told(await waiting)).toEqual([204, '']);
  });

  it('is answered for the page of an allowed origin, refusals too', async () => {
    const headers = { ...bearer(), origin: 'https://page.example' };
    const { headers: given, status } = await ask(door, 'GET', '&id=x', { headers });
    expect([status, given['access-control-allow-origin']]).toEqual([404, 'https://page.example']);
    const foreign = await ask(door, 'POST', '&id=x', { headers: { ...bearer(), origin: 'https://evil.example' } });
    expect([foreign.status, foreign.headers['access-control-allow-origin']]).toEqual([403, undefined]);
  });
});

describe('what a poll was given', () => {
  /** A transport whose first poll is over, and polls that keep what they got. */
  function start() {
    let heard: () => void = () => undefined;
    const fence = vi.fn(() => new Promise<void>((resolve) => (heard = resolve)));
    const over = vi.fn();
    const transport = new LongPollingTransport({ pollMs: 60_000, gapMs: 60_000, queueBytes: 1000, fence, over });
    const got: string[] = [];
    const poll = (key: string, foreign: boolean): void =>
      transport.poll({ key, foreign, answer: (outcome, bytes) => got.push(`${key} ${outcome} ${Buffer.from(bytes)}`) });
    poll('first', true);
    got.length = 0;
    return { transport, poll, got, fence, hear: () => heard(), over };
  }

  it('is given again when nobody said that it came, before what came later', () => {
    const { transport, poll, got } = start();
    poll('a', true);
    transport.write(frame('1'));
    transport.write(frame('2'));
    poll('b', true);
    transport.taken('b', true);
    transport.taken('b', false); // it was on its way, and the client had gone all the same
    poll('c', true);
    transport.taken('c', true);
    transport.write(frame('3'));
    poll('d', true);
    expect(got).toEqual(['a done 1', 'b done 12', 'c done 12', 'd done 3']);
    transport.remove();
  });

  it('by another node is not given again by this one before that was heard', async () => {
    const { transport, poll, got, fence, hear } = start();
    poll('far', true);
    transport.write(frame('1'));
    poll('near', false);
    transport.write(frame('2'));
    expect([got, fence.mock.calls.length]).toEqual([['far done 1'], 1]);
    transport.taken('far', true);
    hear();
    await new Promise(setImmediate);
    expect(got).toEqual(['far done 1', 'near done 2']);
    transport.remove();
  });

  it('waits for the newest of the polls that came meanwhile', async () => {
    const { transport, poll, got, hear, over } = start();
    poll('far', true);
    transport.write(frame('1'));
    poll('near', false);
    poll('newest', true);
    hear();
    await new Promise(setImmediate);
    expect(got).toEqual(['far done 1', 'near ended ', 'newest done 1']);
    transport.remove();
    expect(over).toHaveBeenCalledOnce();
  });
});

describe('a client that does not poll', () => {
  it('is gone when its time is over', async () => {
    using quick = await startDoor({ pollGapMs: 150 });
    const { connection, poll } = await polling(quick);
    expect(await within('the client is gone', quick.clients.ended(connection))).toBe('idle');
    expect((await poll()).status).toBe(404);
  });

  it('is gone when the time that its token gives is over', async () => {
    const { connection } = await polling(door, { 'asrs.s.ttl': '1' });
    expect(await within('the client is gone', door.clients.ended(connection))).toBe('idle');
  });
});

describe('a POST', () => {
  it('of many messages is taken in one piece, before it is answered', async () => {
    const { post, remove } = await polling();
    const many = Array.from({ length: 40 }, (_, n) => `{"n":${n}}\u001e`).join('');
    expect(told(await post(many))).toEqual([200, '']);
    expect(door.clients.texts).toEqual([many]);
    await remove();
  });

  it('that is cut off is not taken, and one that is too large is 413', async () => {
    const { id, post, remove } = await polling();
    const authorization = `Authorization: ${bearer()['authorization']}`;
    const cut = await raw(door.port, `${head(`POST /client/?hub=chat${id}`, authorization, 'Content-Length: 10')}abc`);
    cut.socket.destroy();
    expect((await post('x'.repeat(10_001))).status).toBe(413);
    expect(told(await post('after'))).toEqual([200, '']);
    expect(door.clients.texts).toEqual(['after']);
    await remove();
  });
});

describe('DELETE', () => {
  it('is 202, ends the poll that waits with 204, and all later requests are 404', async () => {
    const { connection, poll, post, remove } = await polling();
    const before = door.polls();
    const waiting = poll();
    await waits(door, before);
    expect(told(await remove())).toEqual([202, '']);
    expect(told(await waiting)).toEqual([204, '']);
    expect(door.clients.endsOf(connection)).toEqual(['client_left']);
    const gone = [404, 'No Connection with that ID'];
    expect([told(await remove()), told(await post('x')), told(await poll())]).toEqual([gone, gone, gone]);
  });
});

describe('who asks', () => {
  it('must be the user of the connection, by a token of any age with a good signature', async () => {
    const { id, poll, post, remove } = await polling(door, { sub: 'alice' });
    const by = async (headers: Record<string, string>): Promise<number> =>
      (await ask(door, 'POST', id, { headers, body: 'x' })).status;
    expect(await by(bearer({ sub: 'bob' }))).toBe(403);
    expect(await by({})).toBe(401);
    expect(await by({ authorization: `${bearer({ sub: 'alice' })['authorization']}x` })).toBe(401);
    expect(await by(bearer({ sub: 'alice', exp: 1_700_000_000 }))).toBe(200);
    door.clock.aheadMs = 3_600_000;
    expect((await post('later')).status).toBe(200);
    const waiting = poll();
    await remove();
    expect([204, 404]).toContain((await waiting).status);
  });

  it('cannot open a connection with a token that has expired', async () => {
    const { connectionToken } = await negotiated(door);
    const headers = bearer({ exp: 1_700_000_000 });
    expect((await ask(door, 'GET', `&id=${connectionToken}`, { headers })).status).toBe(401);
  });
});

describe('misuse', () => {
  it('of a connection that polls is refused in plain text', async () => {
    const { id, remove } = await polling();
    const stream = await ask(door, 'GET', id, { headers: { ...bearer(), accept: 'text/event-stream' } });
    expect(told(stream)).toEqual([400, 'Cannot change transports mid-connection']);
    expect(stream.headers['content-type']).toBe('text/plain');
    await remove();
  });
});
