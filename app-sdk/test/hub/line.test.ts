import { describe, expect, test } from 'vitest';
import { call, gate, Host } from './host.ts';

describe('the line of a client', () => {
  test('is one call at a time, in the order of arrival', async () => {
    const seen: string[] = [];
    const gates = [gate(), gate()];
    const methods = {
      wait: async (_hub: unknown, index: number) => {
        seen.push(`${index} starts`);
        await gates[index]?.passed;
        seen.push(`${index} ends`);
        return index;
      },
    };
    const client = await new Host({ methods }).connect();
    client.send(call('wait', [0], '0'), call('wait', [1], '1'));
    gates[1]?.open();
    gates[0]?.open();
    expect([await client.message(), await client.message()]).toMatchObject([{ result: 0 }, { result: 1 }]);
    expect(seen).toEqual(['0 starts', '0 ends', '1 starts', '1 ends']);
  });

  test('runs as many at a time as the hub says', async () => {
    let running = 0;
    let most = 0;
    const { passed, open } = gate();
    const methods = {
      wait: async () => {
        most = Math.max(most, ++running);
        if (running === 2) open();
        await passed;
        running--;
      },
    };
    const client = await new Host({ methods, parallelInvocations: 2 }).connect();
    client.send(...['1', '2', '3'].map((id) => call('wait', [], id)));
    for (const _ of [1, 2, 3]) await client.message();
    expect(most).toBe(2);
  });

  test('holds 1 MiB; with more the client is closed, app_slow, and what waited never runs', async () => {
    let runs = 0;
    const { passed, open } = gate();
    const { passed: started, open: start } = gate();
    const wait = () => {
      runs++;
      start();
      return passed;
    };
    const reasons: string[] = [];
    const host = new Host({ methods: { wait }, onDisconnected: (_hub, { kind }) => void reasons.push(kind) });
    const client = await host.connect();
    const big = call('wait', ['x'.repeat(32_000)]);
    client.send(big);
    await started;
    for (let n = 0; n < 32; n++) client.send(big);
    expect([client.closed, client.connection.load > 1_000_000]).toEqual([undefined, true]);
    client.send(big);
    expect(await client.message()).toMatchObject({ kind: 'close', allowReconnect: true });
    open();
    await host.runtime.idle();
    expect([runs, reasons]).toEqual([1, ['app_slow']]);
  });

  test('does not hold up the line of another client', async () => {
    const { passed, open } = gate();
    const host = new Host({ methods: { wait: () => passed, now: () => 1 } });
    const slow = await host.connect('json', { connectionId: 'slow' });
    const other = await host.connect('json', { connectionId: 'other' });
    slow.send(call('wait'), call('now', [], '1'));
    other.send(call('now', [], '1'));
    expect(await other.message()).toMatchObject({ result: 1 });
    expect(slow.rest()).toEqual([]);
    open();
  });
});
