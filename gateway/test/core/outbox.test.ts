import { describe, expect, it } from 'vitest';
import { frameOf, Surroundings, turn } from '../support/connections.ts';

describe('the outbox', () => {
  it('writes all that a client is owed within one turn with one call, in order, when the turn ends', async () => {
    const around = new Surroundings();
    const [one, two] = [around.open(), around.open()];
    for (const text of ['a', 'b', 'c']) one.connection.send(frameOf(text));
    two.connection.send(frameOf('d'));
    one.connection.sendDirect(frameOf('e'));
    expect(one.transport.writes).toBe(0);
    await turn();
    expect([one.transport.text, one.transport.writes]).toEqual(['abce', 1]);
    expect([two.transport.text, two.transport.writes]).toEqual(['d', 1]);
    one.connection.send(frameOf('f'));
    await turn();
    expect([one.transport.text, one.transport.writes]).toEqual(['abcef', 2]);
  });

  it('writes to many clients in slices, with other turns between, and keeps the order of each', async () => {
    const around = new Surroundings({ sliceMs: 1 });
    const clients = Array.from({ length: 2_000 }, () => around.open());
    for (const { transport } of clients) {
      const write = transport.writeAll.bind(transport);
      transport.writeAll = (frames) => {
        const until = performance.now() + 0.02;
        while (performance.now() < until);
        write(frames);
      };
    }
    for (const text of ['1', '2']) for (const { connection } of clients) connection.send(frameOf(text));
    await new Promise((resolve) => setImmediate(resolve));
    const early = clients.filter(({ transport }) => transport.frames.length > 0).length;
    expect(early).toBeGreaterThan(0);
    expect(early).toBeLessThan(2_000);
    for (const { connection } of clients) connection.send(frameOf('3'));
    while (clients.some(({ transport }) => transport.frames.length < 3)) await turn();
    for (const { transport } of clients) expect(transport.text).toBe('123');
  });

  it('writes everything at once when the node is about to stop', () => {
    const around = new Surroundings();
    const { connection, transport } = around.open();
    connection.send(frameOf('a'));
    around.outbox.flush();
    expect(transport.text).toBe('a');
  });

  it('closes a client that does not read, once more than its bound waits, and sends it nothing more', async () => {
    const around = new Surroundings({ queueBytes: 100 });
    const { connection, transport } = around.open();
    transport.reading = false;
    connection.send(frameOf('x'.repeat(100)));
    await turn();
    expect(connection.state).toBe('open');
    connection.send(frameOf('y'));
    await turn();
    expect(around.ends).toEqual([`${connection.id} open slow`]);
    expect(transport.ended).toBe(true);
    connection.send(frameOf('z'));
    await turn();
    expect(transport.text).toBe(`${'x'.repeat(100)}y`);
  });

  it('passes over a client that left within the turn', async () => {
    const around = new Surroundings();
    const [gone, stays] = [around.open(), around.open()];
    for (const { connection } of [gone, stays]) connection.send(frameOf('a'));
    gone.connection.gone();
    await turn();
    expect([gone.transport.text, stays.transport.text]).toEqual(['', 'a']);
  });
});
