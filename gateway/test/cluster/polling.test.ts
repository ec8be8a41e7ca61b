import { Redis } from 'ioredis';
import { request } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { decodeCommand } from '../../src/protocol/command-codec.ts';
import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import { Inbox } from '../support/inbox.ts';
import { negotiate, RawClient } from '../support/raw-client.ts';
import { type Service, startService } from '../support/service.ts';
import { clientToken } from '../support/tokens.ts';
import { until, within } from '../support/until.ts';

const hub = 'polled';
const KiB = 1024;
const handshake = '{"protocol":"json","version":1}\u001e';
let service: Service;
let wire: Redis;
/** Connections of the polls that left a node for another one, as Redis took them while {@link heldFar} listened. */
const passedOn = new Inbox<string>();

beforeAll(async () => {
  service = await startService({ nodes: 4, env: { SIGNALBOX_MESSAGE_BYTES: String(16 * KiB) } });
  wire = new Redis(service.redis.url());
  wire.on('error', () => undefined); // the last test stops Redis
  wire.on('pmessageBuffer', (_pattern: Buffer, _topic: Buffer, bytes: Buffer) => overhear(bytes));
});
afterAll(async () => {
  wire.disconnect();
  await service[Symbol.asyncDispose]();
});

function overhear(bytes: Buffer): void {
  for (const one of decodeEnvelope(bytes)?.commands ?? []) {
    const command = decodeCommand(one);
    if (command?.kind === 'clientRequest' && command.what === 'poll') passedOn.add(command.connection);
  }
}

type Method = 'GET' | 'POST' | 'DELETE';

interface More {
  readonly body?: string;
  readonly signal?: AbortSignal;
  readonly accept?: string;
}

/** A client that chooses the node of each request. */
class Roaming {
  readonly id: string;
  readonly #query: string;
  readonly #authorization: string;

  private constructor(id: string, token: string, bearer: string) {
    this.id = id;
    this.#query = `/client/?hub=${hub}&id=${token}`;
    this.#authorization = `Bearer ${bearer}`;
  }

  static async negotiate(user?: string): Promise<Roaming> {
    const { connectionId, connectionToken } = await negotiate(service.balancer.origin, hub, user);
    return new Roaming(connectionId, connectionToken, await clientToken(hub, user));
  }

  /** One whose first poll was at this node, and whose handshake came by the next one. */
  static async connect(at: number, user?: string): Promise<Roaming> {
    const client = await Roaming.negotiate(user);
    expect(await client.poll(at)).toBe('200 ');
    expect(await client.ask((at + 1) % 3, 'POST', { body: handshake })).toBe('200 ');
    expect(await client.poll((at + 2) % 3)).toBe('200 {}\u001e');
    return client;
  }

  /** Status and body. */
  async ask(at: number, method: Method, { accept, ...more }: More = {}): Promise<string> {
    const headers = { authorization: this.#authorization, ...(accept !== undefined && { accept }) };
    const answer = await request(service.node(at).origin + this.#query, { method, headers, ...more });
    return `${answer.statusCode} ${await answer.body.text()}`;
  }

  poll(at: number, signal?: AbortSignal): Promise<string> {
    return within('the poll is answered', this.ask(at, 'GET', signal && { signal }), 15_000);
  }

  /** Opens a stream at this node; resolves when its comment came. */
  async stream(at: number): Promise<AbortController> {
    const abort = new AbortController();
    const headers = { authorization: this.#authorization, accept: 'text/event-stream' };
    const { statusCode, body } = await request(service.node(at).origin + this.#query, {
      headers,
      signal: abort.signal,
    });
    body.on('error', () => undefined); // aborted below
    expect(statusCode).toBe(200);
    await new Promise((resolve) => body.once('data', resolve));
    return abort;
  }
}

const send = (to: Roaming, what: unknown): Promise<void> =>
  service.app(hub, 0).send({ connection: to.id }, 'news', what);
const invocation = (what: unknown): string => `${JSON.stringify({ type: 1, target: 'news', arguments: [what] })}\u001e`;
const gone = '404 No Connection with that ID';
let at = 0;
beforeEach(() => {
  at = (at + 1) % 3;
});
const other = (): number => (at + 1) % 3;
const third = (): number => (at + 2) % 3;

const betweenNodes = 'signalbox@0:n:*';

/**
 * Polls at a node that is not the owner, and resolves when the owner hears of it before anything that comes later. Listens
 * no longer than it must: nodes count who listens.
 */
async function heldFar({ id }: Roaming, poll: () => Promise<string>): Promise<{ answered: Promise<string> }> {
  const ofThis = (polls: readonly string[]): number => polls.filter((connection) => connection === id).length;
  const before = ofThis(passedOn.items);
  await wire.psubscribe(betweenNodes);
  const answered = poll();
  answered.catch(() => undefined); // whoever asked awaits it
  await passedOn.until('the poll left for the owner', (polls) => ofThis(polls) > before);
  await wire.punsubscribe(betweenNodes);
  return { answered };
}

describe('a client that polls, met by a node that is not its own,', () => {
  test('is brought what waits for it', async () => {
    const client = await Roaming.connect(at);
    const waiting = client.poll(other());
    await send(client, 'to the one that waits');
    expect(await waiting).toBe(`200 ${invocation('to the one that waits')}`);
    await send(client, 'before the poll');
    expect(await client.poll(third())).toBe(`200 ${invocation('before the poll')}`);
  });

  test('gets the data by the newer of two polls, the older one ends with 204', async () => {
    const client = await Roaming.connect(at);
    const { answered: older } = await heldFar(client, () => client.poll(other()));
    const newer = client.poll(third());
    const first = await Promise.race([older, newer]);
    expect(first).toBe('204 ');
    await send(client, 'once');
    expect([await older, await newer].sort()).toEqual([`200 ${invocation('once')}`, '204 ']);
  });

  test('loses nothing when it gives up a poll: the next one, at any node, brings it', async () => {
    const client = await Roaming.connect(at);
    for (const next of [at, third(), other()]) {
      const abort = new AbortController();
      const { answered: given } = await heldFar(client, () => client.poll(other(), abort.signal));
      abort.abort();
      await expect(given).rejects.toThrow();
      await send(client, next);
      expect(await client.poll(next)).toBe(`200 ${invocation(next)}`);
    }
  });

  test('says and hears more at once than goes into one message between nodes', async () => {
    const client = await Roaming.connect(at);
    const filler = 'x'.repeat(100 * KiB);
    const call = JSON.stringify({ type: 1, invocationId: '7', target: filler, arguments: [] });
    expect(await client.ask(other(), 'POST', { body: `${call}\u001e` })).toBe('200 ');
    const answer = await client.poll(third());
    expect(answer).toContain('"invocationId":"7"');
    expect(answer.endsWith('\u001e')).toBe(true);
    for (const part of [1, 2, 3]) await send(client, `${part}${'y'.repeat(10 * KiB)}`);
    const all = await client.poll(other());
    expect(all).toBe(`200 ${[1, 2, 3].map((part) => invocation(`${part}${'y'.repeat(10 * KiB)}`)).join('')}`);
  });

  test('ends it by DELETE, with 202 once and 404 ever after, everywhere', async () => {
    const client = await Roaming.connect(at);
    const { answered: waiting } = await heldFar(client, () => client.poll(third()));
    expect(await client.ask(other(), 'DELETE')).toBe('202 ');
    expect(['204 ', gone]).toContain(await waiting);
    for (const node of [at, other(), third()]) {
      expect(await client.ask(node, 'DELETE')).toBe(gone);
      expect(await client.ask(node, 'POST', { body: 'x' })).toBe(gone);
      expect(await client.poll(node)).toBe(gone);
    }
  });

  test('is told of its end, and then 204', async () => {
    const client = await Roaming.connect(at);
    await service.app(hub, 0).connections.close({ connection: client.id });
    expect(await client.poll(other())).toBe('200 {"type":7,"allowReconnect":true}\u001e');
    expect(await client.poll(third())).toBe('204 ');
  });
});

describe('a connection has one transport, whichever node is asked:', () => {
  test('a second stream is 409, a poll 400, DELETE 400', async () => {
    const client = await Roaming.negotiate();
    const stream = await client.stream(at);
    for (const node of [at, other(), third()]) {
      expect(await client.ask(node, 'GET', { accept: 'text/event-stream' })).toBe('409 ');
      expect(await client.poll(node)).toBe('400 Cannot change transports mid-connection');
      expect(await client.ask(node, 'DELETE')).toBe('400 Cannot terminate this connection using the DELETE endpoint.');
    }
    stream.abort();
    await until('it is gone everywhere', async () => (await client.ask(other(), 'POST', { body: 'x' })) === gone);
  });

  test('a stream for a client that polls is 400', async () => {
    const client = await Roaming.connect(at);
    for (const node of [at, other()]) {
      expect(await client.ask(node, 'GET', { accept: 'text/event-stream' })).toBe(
        '400 Cannot change transports mid-connection',
      );
    }
  });

  test('a WebSocket takes no POST, no poll and no DELETE', async () => {
    const { connectionToken } = await negotiate(service.balancer.origin, hub);
    const socket = await RawClient.connect(service.node(at).port, { hub, id: connectionToken });
    const authorization = `Bearer ${await clientToken(hub)}`;
    const asked = async (method: Method): Promise<string> => {
      const url = `${service.node(other()).origin}/client/?hub=${hub}&id=${connectionToken}`;
      const answer = await request(url, { method, headers: { authorization } });
      return `${answer.statusCode} ${await answer.body.text()}`;
    };
    expect(await asked('POST')).toBe('405 POST requests are not allowed for WebSocket connections.');
    expect(await asked('GET')).toBe('400 Cannot change transports mid-connection');
    expect(await asked('DELETE')).toBe('400 Cannot terminate this connection using the DELETE endpoint.');
    socket.leave();
  });
});

test('a node that stops says so to its clients, by poll and by stream, is no longer asked, and lets go of the polls of others', async () => {
  const [polling, late, streaming] = [await Roaming.connect(3), await Roaming.connect(3), await Roaming.negotiate()];
  await streaming.stream(3);
  at = 0;
  const other = await Roaming.connect(at);
  const { answered: held } = await heldFar(other, () => other.poll(3));
  await send(late, 'before the stop');
  const { answered: waiting } = await heldFar(polling, () => polling.poll(0));
  service.node(3).signal('SIGTERM');
  expect(await waiting).toBe('200 {"type":7,"allowReconnect":true}\u001e');
  expect(await held, 'a client of another node asks again, elsewhere').toBe('200 ');
  expect(await late.poll(1), 'who does not poll at this moment loses nothing').toBe(
    `200 ${invocation('before the stop')}{"type":7,"allowReconnect":true}\u001e`,
  );
  for (const client of [polling, late]) expect(await client.ask(2, 'DELETE')).toBe('202 ');
  await within('the node has stopped', service.node(3).ended);
  await send(other, 'after');
  expect(await other.poll(1)).toBe(`200 ${invocation('after')}`);
  expect(await polling.ask(0, 'POST', { body: 'x' })).toBe(gone);
  expect(await streaming.ask(0, 'POST', { body: 'x' })).toBe(gone);
});

test('the node of a client that dies ends it: its requests are 404 at the others', async () => {
  const client = await Roaming.connect(2);
  await service.node(2).kill();
  await until('the client is gone', async () => (await client.ask(0, 'POST', { body: '{"type":6}\u001e' })) === gone);
  expect(await client.poll(1)).toBe(gone);
});

test('without Redis a poll that cannot reach its owner comes back empty, a POST is 503, and the client stays', async () => {
  const client = await Roaming.negotiate();
  expect(await client.poll(0)).toBe('200 ');
  expect(await client.ask(1, 'POST', { body: handshake })).toBe('200 ');
  expect(await client.poll(1)).toBe('200 {}\u001e');
  await service.redis.stop();
  await until('the node knows', async () => (await client.ask(1, 'POST', { body: 'x' })).startsWith('503 '));
  expect(await client.poll(1)).toBe('200 ');
  const waiting = client.poll(0);
  await send(client, 'by its own node');
  expect(await waiting).toBe(`200 ${invocation('by its own node')}`);
});
