import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { startService } from '../support/service.ts';
import { accessKey } from '../support/tokens.ts';
import { until, within } from '../support/until.ts';

const hub = 'drain';

async function refuses(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

describe('SIGTERM to one of two nodes', () => {
  test('20 official clients with automatic reconnect come back on the other node and are reached there; exit code 0', async () => {
    await using service = await startService();
    const [leaving, staying] = service.nodes;
    const reconnect = { nextRetryDelayInMilliseconds: () => 10 };
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, i) => service.client(hub, { userId: `user${i}`, reconnect })),
    );
    const here = (await leaving?.metric('signalbox_connections', { hub })) ?? 0;
    expect(here).toBeGreaterThan(0);
    leaving?.signal('SIGTERM');
    expect((await within('the exit', leaving!.ended)).code).toBe(0);
    expect(leaving?.lines.filter(({ level }) => level !== 'info')).toEqual([]);
    await until(
      'all are on the other node',
      async () => (await staying?.metric('signalbox_connections', { hub })) === 20,
    );
    for (const [i, client] of clients.entries()) {
      await service.app(hub).send({ user: `user${i}` }, 'news', 'back');
      await client.heard('back');
    }
    expect(clients.flatMap((client) => client.returns.items)).toHaveLength(here);
  });

  test('clients are told with a Close that allows them to reconnect, then their WebSockets end with 1000', async () => {
    await using gateway = await GatewayProcess.start({ SIGNALBOX_ACCESS_KEY: accessKey, SIGNALBOX_DRAIN_RATE: '50' });
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(gateway.port, { hub })));
    gateway.signal('SIGTERM');
    for (const client of clients) {
      expect(await within('the close', client.closed)).toBe(1000);
      expect(client.inbox.items).toEqual([{}, { type: 7, allowReconnect: true }]);
    }
    expect((await within('the exit', gateway.ended)).code).toBe(0);
  });
});

describe('while a node stops', () => {
  /** A hundred clients at one close a second: it stops for longer than any test looks. */
  async function stopping(): Promise<{ gateway: GatewayProcess; clients: readonly RawClient[] }> {
    const gateway = await GatewayProcess.start({ SIGNALBOX_ACCESS_KEY: accessKey, SIGNALBOX_DRAIN_RATE: '1' });
    const clients = await Promise.all(Array.from({ length: 100 }, () => RawClient.connect(gateway.port, { hub })));
    gateway.signal('SIGTERM');
    await until('it stops', async () => (await gateway.admin('/readyz')).status === 503);
    return { gateway, clients };
  }

  test('/readyz says 503 and draining, /livez 200, and new sockets are refused', async () => {
    const { gateway, clients } = await stopping();
    const ready = await gateway.admin('/readyz');
    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.body)).toMatchObject({ ok: false, draining: true });
    expect((await gateway.admin('/livez')).status).toBe(200);
    await until('new sockets are refused', () => refuses(gateway.port));
    expect(clients.some((client) => client.socket.readyState === client.socket.OPEN)).toBe(true);
    await gateway.kill();
    await Promise.all(clients.map((client) => within('the close', client.closed)));
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('a second signal, %s, ends it at once with code 1', async (signal) => {
    const { gateway, clients } = await stopping();
    gateway.signal(signal);
    expect((await within('the exit', gateway.ended)).code).toBe(1);
    await Promise.all(clients.map((client) => within('the close', client.closed)));
  });

  test('the deadline (SIGNALBOX_DRAIN_MS) ends it with code 1 although clients are left', async () => {
    const gateway = await GatewayProcess.start({
      SIGNALBOX_ACCESS_KEY: accessKey,
      SIGNALBOX_DRAIN_RATE: '1',
      SIGNALBOX_DRAIN_MS: '300',
    });
    const clients = await Promise.all(Array.from({ length: 100 }, () => RawClient.connect(gateway.port, { hub })));
    gateway.signal('SIGTERM');
    expect((await within('the exit', gateway.ended)).code).toBe(1);
    await Promise.all(clients.map((client) => within('the close', client.closed)));
  });
});

test('SIGINT stops an idle node with code 0', async () => {
  const gateway = await GatewayProcess.start({ SIGNALBOX_ACCESS_KEY: accessKey });
  gateway.signal('SIGINT');
  expect((await within('the exit', gateway.ended)).code).toBe(0);
});
