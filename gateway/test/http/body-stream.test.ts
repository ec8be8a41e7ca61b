import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type BodyStream, createHttpServer, type HttpServer } from '../../src/http.ts';
import { until, within } from '../support/until.ts';
import { head, raw } from './raw.ts';

let server: HttpServer;
let port: number;
const defects: unknown[] = [];
/** What the newest request was given, and whether its client went. */
let opened: { stream: BodyStream; gone: Promise<void> } | undefined;
let written: Promise<boolean>;
let hold: () => void;
let heldGone: Promise<void>;

beforeAll(async () => {
  server = await createHttpServer({ bodyBytes: 1000, defect: (error) => defects.push(error) });
  server.mount((request) => {
    const gone = new Promise<void>((resolve) => request.onGone(resolve));
    if (request.path === '/stream') {
      return {
        status: 200,
        stream: (stream) => {
          opened = { stream, gone };
        },
      };
    }
    if (request.path === '/broken') {
      return {
        status: 200,
        stream: () => {
          throw new Error('boom');
        },
      };
    }
    heldGone = gone;
    return new Promise((answer) => {
      written = new Promise((resolve) => {
        hold = () => answer({ status: 200, body: 'held', written: resolve });
      });
    });
  });
  port = await server.listen('127.0.0.1', 0, true);
});
afterAll(() => server.close());
beforeEach(() => {
  opened = undefined;
  defects.length = 0;
});

async function open() {
  const client = await raw(port, head('GET /stream'));
  await until('the stream is open', () => opened !== undefined);
  if (opened === undefined) throw new Error('no stream was opened');
  return { client, ...opened };
}

const bytes = (size: number): Uint8Array => Buffer.alloc(size, 'x');

test('a body is written as it comes, ends when it is told to, and the socket lives on', async () => {
  const { client, stream } = await open();
  stream.write(Buffer.from('one'));
  await client.until('one');
  stream.write(Buffer.from('two'));
  stream.end();
  stream.write(Buffer.from('never'));
  stream.end();
  expect(await client.until('0\r\n\r\n')).not.toContain('never');
  client.write(head('GET /stream'));
  await until('the next request came', () => opened?.stream !== stream);
  client.socket.destroy();
});

test('what a client does not take is counted, comes in order when it takes again, and then the body ends', async () => {
  const { client, stream } = await open();
  client.socket.pause();
  let size = 0;
  for (; stream.buffered() < 1_000_000; size += 100_000) {
    stream.write(bytes(100_000));
    await new Promise(setImmediate);
  }
  expect(stream.buffered()).toBeLessThan(1_200_000);
  stream.write(Buffer.from('last'));
  stream.end();
  client.socket.resume();
  const all = await client.until('0\r\n\r\n');
  expect(all.match(/x/g)?.length).toBe(size);
  expect(all.indexOf('last')).toBeGreaterThan(all.lastIndexOf('x'));
  expect(stream.buffered()).toBe(0);
  client.socket.destroy();
});

test('a client that leaves is told of once, and later writes do nothing', async () => {
  const { client, stream, gone } = await open();
  client.socket.destroy();
  await within('the end is told', gone);
  stream.write(bytes(10));
  stream.end();
  stream.cut();
  expect([stream.buffered(), defects]).toEqual([0, []]);
});

test('a client that is cut off sees a body that is not whole', async () => {
  const { client, stream, gone } = await open();
  stream.write(Buffer.from('half'));
  stream.cut();
  expect(await client.closed()).not.toContain('0\r\n\r\n');
  await within('the end is told', gone);
});

test('a stream whose start throws closes the socket, and is told as a defect', async () => {
  const client = await raw(port, head('GET /broken'));
  await client.closed();
  expect(defects).toEqual([new Error('boom')]);
});

test('a held answer says whether it found its client', async () => {
  const client = await raw(port, head('GET /held'));
  await until('it is held', () => hold !== undefined);
  hold();
  await client.until('held');
  expect(await written).toBe(true);
  const before = hold;
  client.write(head('GET /held'));
  await until('it is held', () => hold !== before);
  client.socket.destroy();
  await within('the end is told', heldGone);
  hold();
  expect(await written).toBe(false);
});
