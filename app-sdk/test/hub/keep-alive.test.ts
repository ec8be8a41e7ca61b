import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { call, Host } from './host.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ping = '{"type":6}\u001e';

describe('the heartbeat', () => {
  test('pings an idle client every 15 to 16 s (HP-31)', async () => {
    const client = await new Host().connect();
    await vi.advanceTimersByTimeAsync(14_000);
    expect(client.rest()).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(client.rest()).toEqual([ping]);
    await vi.advanceTimersByTimeAsync(32_000);
    expect(client.rest()).toEqual([ping, ping]);
    expect(client.kinds).toEqual(['handshake', 'ping', 'ping', 'ping']);
  });

  test('pings a busy client too', async () => {
    const client = await new Host({ methods: { now: () => 1 } }).connect();
    for (let second = 0; second < 16; second++) {
      client.send(call('now', [], String(second)));
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(client.rest().filter((text) => text === ping)).toEqual([ping]);
  });

  test('ends a client that pinged once and then is silent for 30 s (HP-33)', async () => {
    const reasons: string[] = [];
    const host = new Host({ detailedErrors: true, onDisconnected: (_hub, { kind }) => void reasons.push(kind) });
    const client = await host.connect();
    client.send({ kind: 'ping' });
    await vi.advanceTimersByTimeAsync(29_000);
    expect(client.closed).toBeUndefined();
    await vi.advanceTimersByTimeAsync(2000);
    expect(client.rest().at(-1)).toBe(
      `{"type":7,"error":"Connection closed with an error. OperationCanceledException: Client hasn't sent a message/ping within the configured ClientTimeoutInterval.","allowReconnect":true}\u001e`,
    );
    expect([client.closed !== undefined, reasons]).toEqual([true, ['idle']]);
  });

  test('lets a client be silent that never pinged', async () => {
    const client = await new Host().connect();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(client.closed).toBeUndefined();
  });

  test('takes any message as a sign of life, also while a slow method runs (HP-30)', async () => {
    const client = await new Host({ methods: { slow: () => new Promise(() => undefined) } }).connect();
    client.send({ kind: 'ping' }, call('slow'));
    for (let n = 0; n < 10; n++) {
      client.send(n % 5 === 0 ? { kind: 'ping' } : { kind: 'cancelInvocation', invocationId: 'x' });
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(client.closed).toBeUndefined();
  });

  test('takes half a message for none', async () => {
    const client = await new Host().connect();
    client.send({ kind: 'ping' });
    await vi.advanceTimersByTimeAsync(29_000);
    client.connection.receive(new TextEncoder().encode('{"type"'));
    await vi.advanceTimersByTimeAsync(2000);
    expect(client.closed).toBeDefined();
  });

  test('is one timer for all clients, and none when there are none', async () => {
    const host = new Host();
    const clients = [
      await host.connect('json', { connectionId: 'a' }),
      await host.connect('json', { connectionId: 'b' }),
    ];
    expect(vi.getTimerCount()).toBe(1);
    for (const client of clients) await client.connection.end({ kind: 'client_left' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('keeps the times that the hub sets', async () => {
    const client = await new Host({ keepAliveMs: 3000, clientTimeoutMs: 5000 }).connect();
    client.send({ kind: 'ping' });
    await vi.advanceTimersByTimeAsync(3000);
    expect(client.rest()).toEqual([ping]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(client.closed).toBeDefined();
  });
});
