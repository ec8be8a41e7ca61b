import { MockAgent } from 'undici';
import { describe, expect, test } from 'vitest';
import { gate } from './support/gate.ts';
import { restSetup } from './support/rest-setup.ts';

const rest = restSetup();
const bodies = (): unknown[] => rest.server.seen.map(({ body }) => JSON.parse(body).arguments[0]);

describe('order', () => {
  test('is kept per address, one request at a time, while other addresses go ahead', async () => {
    const first = gate();
    const came = gate();
    rest.server.answer = async ({ body }) => {
      const [number] = JSON.parse(body).arguments;
      if (number === 1) came.open();
      if (number === 1) await first.opened;
      if (number === 4) await came.opened;
      return 202;
    };
    const hub = rest.client();
    const sends = [hub.send('a', 'x', 1), hub.send('a', 'x', 2), hub.send('a', 'x', 3), hub.send('b', 'x', 4)];
    await sends[3];
    expect(new Set(bodies())).toEqual(new Set([1, 4]));
    first.open();
    await Promise.all(sends);
    expect(bodies().filter((body) => body !== 4)).toEqual([1, 2, 3]);
  });

  test('holds for lists, whose members have lines of their own', async () => {
    const hub = rest.client({ connections: 2 });
    const users = Array.from({ length: 20 }, (_, n) => `u${n}`);
    await Promise.all([hub.send({ users }, 'x', 1), hub.send('u19', 'x', 2), hub.send({ users: ['u19'] }, 'x', 3)]);
    const last = rest.server.seen.filter(({ path }) => path.includes('/u19/'));
    expect(last.map(({ body }) => JSON.parse(body).arguments[0])).toEqual([1, 2, 3]);
  });

  test('holds across retries', async () => {
    rest.server.answer = (_seen, index) => (index < 2 ? 503 : 202);
    const hub = rest.client();
    await Promise.all([hub.send('a', 'x', 1), hub.send('a', 'x', 2)]);
    expect(bodies()).toEqual([1, 1, 1, 2]);
  });

  test('holds between sends to a connection, its group changes and its close', async () => {
    const hub = rest.client();
    await Promise.all([
      hub.send({ connection: 'c' }, 'x', 1),
      hub.groups.addToGroup('c', 'g'),
      hub.send({ connection: 'c' }, 'x', 2),
      hub.connections.close({ connection: 'c' }),
    ]);
    expect(rest.server.seen.map(({ method }) => method)).toEqual(['POST', 'PUT', 'POST', 'DELETE']);
  });

  test('goes on after a request that failed', async () => {
    rest.server.answer = (_seen, index) => (index === 0 ? 413 : 202);
    const hub = rest.client();
    const results = await Promise.allSettled([hub.send('a', 'x', 1), hub.send('a', 'x', 2)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  test('lets an invoke wait for the sends before it, and the sends after it pass', async () => {
    const asked = gate();
    rest.server.answer = ({ path }) =>
      path.endsWith(':invoke') ? asked.opened.then(() => ({ status: 200, body: '{"result":7}' })) : 202;
    const hub = rest.client();
    const before = hub.send({ connection: 'c' }, 'x', 1);
    const asking = hub.clients.client('c').invoke('ask', 2);
    await before;
    await rest.server.arrived(2);
    await hub.send({ connection: 'c' }, 'x', 3);
    asked.open();
    expect(await asking).toBe(7);
    expect(bodies()).toEqual([1, 2, 3]);
  });

  test('is given up with "ordered: false"', async () => {
    const all = gate();
    rest.server.answer = () => all.opened.then(() => 202);
    const hub = rest.client({ ordered: false });
    const sends = [hub.send('a', 'x', 1), hub.send('a', 'x', 2)];
    await rest.server.arrived(2);
    all.open();
    await Promise.all(sends);
  });
});

describe('connections', () => {
  test('are kept alive and used again', async () => {
    const hub = rest.client();
    await hub.send('a', 'x');
    await hub.send('b', 'x');
    const [first, second] = rest.server.seen;
    expect(first?.clientPort).toBe(second?.clientPort);
  });

  test('are as many as the option says', async () => {
    const all = gate();
    rest.server.answer = () => all.opened.then(() => 202);
    const hub = rest.client({ connections: 3 });
    const sends = Array.from({ length: 9 }, (_, n) => hub.send(`user${n}`, 'x'));
    await rest.server.arrived(3);
    all.open();
    await Promise.all(sends);
    expect(rest.server.mostOpen).toBe(3);
  });

  test('are those of the dispatcher given, which is left open', async () => {
    const agent = new MockAgent();
    agent.disableNetConnect();
    const service = agent.get('http://mock');
    service
      .intercept({ method: 'POST', path: /users\/u\/:send/ })
      .reply(202)
      .times(2);
    for (const _ of [1, 2]) {
      const hub = rest.client({ dispatcher: agent }, 'Endpoint=http://mock;AccessKey=k');
      await hub.send('u', 'x');
      await hub.close();
    }
    expect(agent.pendingInterceptors()).toEqual([]);
    await agent.close();
  });
});
