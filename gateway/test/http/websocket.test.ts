import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { GatewayError } from '../../src/errors.ts';
import { createHttpServer, type HttpServer, type Socket, type SocketDoor } from '../../src/http.ts';
import { head, raw, upgradeHead } from './raw.ts';

interface Guest {
  readonly name: string;
  socket?: Socket;
}

let server: HttpServer;
let port: number;
let facts: string[];
let defects: unknown[];
let told: (fact: string) => void;
/** Resolves when the door has told this fact. */
let fact: (text: string) => Promise<void>;
let letIn: () => void;

const door: SocketDoor<Guest> = {
  maxPayloadBytes: 10_000,
  maxBufferedBytes: 100_000,
  async admit(request) {
    const name = request.query.get('name') ?? '';
    told(`asks ${name}`);
    if (name === 'stranger') throw new GatewayError('unauthorized', 'who are you');
    if (name === 'bug') throw new Error('boom');
    if (name === 'slow') {
      await new Promise<void>((resolve) => {
        letIn = resolve;
      });
      // Copied before the await: the native request is gone by now.
      return { name: `${request.query.get('name')} from ${request.sender.address}` };
    }
    return { name };
  },
  opened(socket, held) {
    held.socket = socket;
    told(`opened ${held.name}`);
    if (held.name === 'breaks-open') throw new Error('boom');
  },
  received(held, bytes, binary) {
    const text = Buffer.from(bytes).toString();
    told(`received ${held.name} ${bytes.length > 100 ? bytes.length : text} ${binary ? 'binary' : 'text'}`);
    if (text === 'throw') throw new Error('boom');
    if (text === 'close and throw') {
      held.socket?.end(4000);
      throw new Error('boom');
    }
  },
  closed(held) {
    told(`closed ${held.name}`);
    if (held.name === 'breaks-close') throw new Error('boom');
  },
};

beforeAll(async () => {
  server = await createHttpServer({ bodyBytes: 1000, defect: (error) => defects.push(error) });
  server.mount((request) => (request.path === '/plain' ? { status: 200, body: 'plain' } : undefined));
  server.upgrade(['/door', '/door/'], door);
  port = await server.listen('127.0.0.1', 0, true);
});
afterAll(() => server.close());
beforeEach(() => {
  facts = [];
  defects = [];
  const waiting = new Map<string, () => void>();
  told = (text) => {
    facts.push(text);
    waiting.get(text)?.();
  };
  fact = (text) =>
    facts.includes(text) ? Promise.resolve() : new Promise((resolve) => waiting.set(text, () => resolve()));
});

function client(target: string, ...protocols: string[]): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${port}${target}`, protocols);
}

/** The code with which it closes; a reset is a way of closing too. */
function closeCode(socket: WebSocket): Promise<number> {
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.once('close', resolve));
}

it('a WebSocket is let in on each of its paths, its messages come whole, and its end is told once', async () => {
  for (const path of ['/door', '/door/']) {
    facts.length = 0;
    const socket = client(`${path}?name=a`);
    await once(socket, 'open');
    socket.send('in ', { fin: false });
    socket.send('pieces', { fin: true });
    socket.send(Buffer.from('raw'));
    await fact('received a raw binary');
    socket.close(1000);
    expect(await closeCode(socket)).toBe(1000);
    await fact('closed a');
    expect(facts).toEqual(['asks a', 'opened a', 'received a in pieces text', 'received a raw binary', 'closed a']);
  }
});

it('an upgrade that is decided later succeeds, and what the request said can still be read', async () => {
  const socket = client('/door?name=slow');
  await fact('asks slow');
  letIn();
  await once(socket, 'open');
  await fact('opened slow from 127.0.0.1');
  socket.terminate();
  await fact('closed slow from 127.0.0.1');
});

it('a client that leaves while its upgrade is decided is never opened', async () => {
  const socket = await raw(port, upgradeHead('/door?name=slow'));
  await fact('asks slow');
  socket.socket.destroy();
  await socket.closed();
  const next = client('/door?name=next');
  await once(next, 'open');
  letIn();
  next.close();
  await fact('closed next');
  expect(facts).not.toContain('opened slow from 127.0.0.1');
  expect(defects).toEqual([]);
});

it('a refused upgrade is answered with the status and code of the refusal', async () => {
  const text = await (await raw(port, upgradeHead('/door?name=stranger'))).until('}');
  expect(text).toMatch(/^HTTP\/1\.1 401 /);
  expect(text).toContain('x-ms-error-code: Error.Request.Unauthorized');
  expect(text).toContain('who are you');
});

for (const line of ['Sec-WebSocket-Version: 8', 'Sec-WebSocket-Version:']) {
  it(`an upgrade with "${line}" is 400 and says that 13 is spoken`, async () => {
    const text = await (await raw(port, upgradeHead('/door?name=old', line))).until('}');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('Sec-WebSocket-Version: 13\r\n');
    expect(facts).toEqual([]);
  });
}

it('an upgrade to something else than a WebSocket is 400', async () => {
  const text = await (await raw(port, upgradeHead('/door?name=odd', 'Upgrade: h2c'))).until('}');
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
  expect(facts).toEqual([]);
});

it('an upgrade with a duplicate Content-Length is 400 and the socket is closed', async () => {
  const text = await (
    await raw(port, upgradeHead('/door?name=evil', 'Content-Length: 0', 'content-length: 0'))
  ).closed();
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
  expect(facts).toEqual([]);
});

it('an upgrade on a path without a door goes to the handlers', async () => {
  expect(await (await raw(port, upgradeHead('/plain'))).until('plain')).toMatch(/^HTTP\/1\.1 200 /);
  expect(await (await raw(port, upgradeHead('/nobody'))).until('}')).toMatch(/^HTTP\/1\.1 404 /);
});

it('a plain GET on a path with a door goes to the handlers', async () => {
  expect(await (await raw(port, head('GET /door'))).until('}')).toMatch(/^HTTP\/1\.1 404 /);
  expect(facts).toEqual([]);
});

it('neither a sub-protocol nor compression is agreed to', async () => {
  const text = await (
    await raw(
      port,
      upgradeHead('/door?name=a', 'Sec-WebSocket-Protocol: chat', 'Sec-WebSocket-Extensions: permessage-deflate'),
    )
  ).until('\r\n\r\n');
  expect(text).toMatch(/^HTTP\/1\.1 101 /);
  expect(text).not.toMatch(/sec-websocket-(protocol|extensions)/i);
});

it('a message above the native limit ends the connection without a close frame, and the door is told', async () => {
  const socket = client('/door?name=big');
  await once(socket, 'open');
  socket.send('x'.repeat(door.maxPayloadBytes + 1));
  expect(await closeCode(socket)).toBe(1006);
  await fact('closed big');
});

it('a defect of the door at an upgrade is 500 and told once', async () => {
  const text = await (await raw(port, upgradeHead('/door?name=bug'))).until('}');
  expect(text).toMatch(/^HTTP\/1\.1 500 /);
  expect(text).not.toContain('boom');
  expect(defects).toHaveLength(1);
});

it('a defect of the door later closes that WebSocket with 1011 and ends nothing else', async () => {
  const breaking = client('/door?name=breaks-open');
  expect(await closeCode(breaking)).toBe(1011);
  const throwing = client('/door?name=a');
  await once(throwing, 'open');
  throwing.send('throw');
  expect(await closeCode(throwing)).toBe(1011);
  const both = client('/door?name=b');
  await once(both, 'open');
  both.send('close and throw');
  expect(await closeCode(both)).toBe(4000);
  const ending = client('/door?name=breaks-close');
  await once(ending, 'open');
  ending.close(1000);
  await fact('closed breaks-close');
  expect(defects).toHaveLength(4);
});

it('a ping is answered', async () => {
  const socket = client('/door?name=a');
  await once(socket, 'open');
  socket.ping('p');
  const [data] = (await once(socket, 'pong')) as [Buffer];
  expect(data.toString()).toBe('p');
  socket.terminate();
});
