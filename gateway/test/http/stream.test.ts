import { request } from 'undici';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createHttpServer, type HttpServer } from '../../src/http.ts';
import { head, raw } from './raw.ts';

let server: HttpServer;
let port: number;
let defects: unknown[];
/** Pieces that the endless answer made, and whether it was told to stop. */
let endless: { made: number; stopped: Promise<void>; stop: () => void };

async function* three(): AsyncGenerator<string> {
  yield 'one ';
  await new Promise(setImmediate);
  yield '';
  yield 'two ';
  yield 'three';
}

async function* broken(): AsyncGenerator<string> {
  yield 'one';
  await new Promise(setImmediate);
  throw new Error('boom');
}

async function* withoutEnd(): AsyncGenerator<string> {
  try {
    for (;;) {
      endless.made++;
      yield 'x'.repeat(65_536);
      await new Promise(setImmediate);
    }
  } finally {
    endless.stop();
  }
}

const bodies: Readonly<Record<string, () => AsyncIterable<string>>> = {
  '/three': three,
  '/broken': broken,
  '/endless': withoutEnd,
};

beforeAll(async () => {
  server = await createHttpServer({
    bodyBytes: 1000,
    bodyBytesAt: (path) => (path === '/large' ? 5000 : undefined),
    defect: (error) => defects.push(error),
  });
  server.mount((given) => {
    const body = bodies[given.path];
    return body && { status: 200, headers: { 'x-word': 'w' }, body: body() };
  });
  server.mount(async (given) => ({ status: 200, body: String((await given.body(4000)).length) }));
  port = await server.listen('127.0.0.1', 0, true);
});
afterAll(() => server.close());
beforeEach(() => {
  defects = [];
  let stop = (): void => undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  endless = { made: 0, stopped, stop };
});

const url = (path: string): string => `http://127.0.0.1:${port}${path}`;

test('a body in pieces is one chunked answer, and the socket lives on', async () => {
  const client = await raw(port, head('GET /three'));
  const answer = await client.until('0\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\nx-word: w\r\n/);
  expect(answer.toLowerCase()).toContain('transfer-encoding: chunked');
  client.write(`${head('POST /small', 'Content-Length: 2')}ab`);
  expect((await client.until('\r\n\r\n2')).endsWith('2')).toBe(true);
  client.socket.destroy();
  const { body } = await request(url('/three'));
  expect(await body.text()).toBe('one two three');
});

test('HEAD has no pieces', async () => {
  const { statusCode, body } = await request(url('/three'), { method: 'HEAD' });
  expect([statusCode, await body.text()]).toEqual([200, '']);
});

test('a body that fails half-way does not look whole, and is told as a defect', async () => {
  const client = await raw(port, head('GET /broken'));
  expect(await client.closed()).not.toContain('0\r\n\r\n');
  expect(defects).toEqual([new Error('boom')]);
});

test('a client that does not read is not written ahead of, and one that leaves ends the body', async () => {
  const client = await raw(port);
  client.socket.pause();
  client.write(head('GET /endless'));
  let before = 0;
  for (let still = 0; still < 1000; still = before > 0 && before === endless.made ? still + 1 : 0) {
    before = endless.made;
    await new Promise(setImmediate);
  }
  expect(endless.made).toBeLessThan(1000);
  client.socket.destroy();
  await endless.stopped;
  expect(defects).toEqual([]);
});

test('more of a body is kept where the server says so, and never more than its reader wants', async () => {
  const post = async (path: string, bytes: number): Promise<[number, string]> => {
    const { statusCode, body } = await request(url(path), { method: 'POST', body: 'x'.repeat(bytes) });
    return [statusCode, await body.text()];
  };
  expect(await post('/large', 4000)).toEqual([200, '4000']);
  expect((await post('/large', 4001))[0]).toBe(413);
  expect((await post('/small', 1001))[0]).toBe(413);
});
