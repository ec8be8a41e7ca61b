import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Service, startService } from '../support/service.ts';
import { clientToken } from '../support/tokens.ts';
import { until } from '../support/until.ts';

const KiB = 1024;
const hub = 'slow';
let service: Service;

beforeAll(async () => {
  service = await startService({ env: { SIGNALBOX_CLIENT_QUEUE_BYTES: String(64 * KiB) } });
});

afterAll(() => service[Symbol.asyncDispose]());

/** A masked WebSocket text message, below 126 bytes. */
function masked(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** A client that finishes its handshake and then never reads again. */
async function stopsReading(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined); // it is going to be cut off
  const token = await clientToken(hub);
  const lines = [
    `GET /client/?hub=${hub}&access_token=${token} HTTP/1.1`,
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await once(socket, 'data');
  socket.write(masked('{"protocol":"json","version":1}\x1e'));
  await once(socket, 'data');
  socket.pause();
  return socket;
}

test('a client that stops reading is closed as slow when 64 KiB wait for it; all others get all 16 MiB of broadcasts', {
  timeout: 120_000,
}, async () => {
  const others = await Promise.all([0, 1, 0, 1].map((at) => service.client(hub, { at })));
  const slow = await stopsReading(service.node(0).port);
  const app = service.app(hub);
  const bulk = 'x'.repeat(32 * KiB);
  for (let i = 0; i < 512; i++) {
    await app.send({ all: true }, 'news', i, bulk);
    await Promise.all(others.map((client) => client.heard(i))); // so that nobody who reads is ever behind
  }
  for (const { inbox } of others) expect(inbox.items).toEqual(Array.from({ length: 512 }, (_, i) => i));
  const closed = (reason: string): Promise<number> =>
    service.node(0).metric('signalbox_connections_closed_total', { reason });
  await until('it is closed', async () => (await closed('slow')) === 1);
  expect(await service.node(1).metric('signalbox_connections_closed_total')).toBe(0);
  expect(await closed('client_left')).toBe(0);
  slow.destroy();
});
