import { beforeEach, describe, expect, test, vi } from 'vitest';
import { keepAlivePing } from '../../src/protocol/service-ping.ts';
import { freezeTime } from '../support/freeze-time.ts';
import { chatHub, linkSetup } from '../support/link-setup.ts';
import type { ServedLink } from '../support/service.ts';
import { until } from '../support/until.ts';

const setup = linkSetup();

beforeEach(freezeTime);

/** All that the service said so far has been read. */
async function read(link: ServedLink): Promise<void> {
  link.say({ kind: 'Ping', pairs: [['echo', 'barrier']] });
  await link.ping('echo');
}

describe('the pings of a link', () => {
  test('answer bytes of the service, when the last one was more than 5 s ago, with the clients of hub and link', async () => {
    const { links } = await setup.started(chatHub(), { links: 2 });
    const [first, second] = links as [ServedLink, ServedLink];
    await first.connect('c1');
    await first.connect('c2');
    await second.connect('c3');
    await vi.advanceTimersByTimeAsync(5000);
    await read(first);
    expect(first.pings('clientCount')).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    first.say(keepAlivePing);
    expect(await first.ping('clientCount')).toEqual({ topic: 'clientCount', inHub: 3, onConnection: 2 });
    await read(first);
    expect(first.pings('clientCount')).toBe(1);
    expect(second.pings('clientCount')).toBe(0);
  });

  test('bring an echo back as it came', async () => {
    const { link } = await setup.started();
    link.say({ kind: 'Ping', pairs: [['echo', '42']] });
    expect(await link.ping('echo')).toEqual({ topic: 'echo', id: '42' });
  });

  test('ask for the status every 10 s, over one link of the hub', async () => {
    const { links } = await setup.started(chatHub(), { links: 2 });
    const asked = () => links.reduce((sum, link) => sum + link.pings('status'), 0);
    await until(() => asked() === 1);
    await vi.advanceTimersByTimeAsync(9000);
    for (const link of links) await read(link);
    expect(asked()).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    for (const link of links) await read(link);
    expect(asked()).toBe(2);
  });

  test('tell when the service wants a message log', async () => {
    const { link } = await setup.started();
    link.say({ kind: 'Ping', pairs: [['d-m', '1']] });
    await read(link);
    expect(setup.logger.info).toHaveBeenCalledWith(expect.objectContaining({ on: true }), 'message log asked for');
  });
});

describe('a link', () => {
  test('whose service is silent for 30 s is lost', async () => {
    const { link } = await setup.started();
    await vi.advanceTimersByTimeAsync(20_000);
    await read(link);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(setup.facts.filter(({ fact }) => fact === 'linkDown')).toEqual([]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(setup.facts.find(({ fact }) => fact === 'linkDown')).toMatchObject({ reason: 'silent' });
    await link.closed;
  });

  test('whose service takes nothing for 30 s is lost, whatever it says, with what waits', async () => {
    const { link, hub, server } = await setup.started(chatHub({ protocols: ['json'] }));
    link.pause();
    const big = 'x'.repeat(1 << 20);
    const sends = Array.from({ length: 12 }, () => hub.clients.all.send('x', big));
    const outcomes = Promise.allSettled(sends);
    await until(() => (server.health().hubs.chat?.queuedBytes ?? 0) > 1 << 20);
    const down = () => setup.facts.find(({ fact }) => fact === 'linkDown');
    const heard = () => setup.logger.info.mock.calls.filter(([, text]) => text === 'message log asked for');
    for (let times = 1; down() === undefined; times++) {
      await vi.advanceTimersByTimeAsync(10_000);
      link.say({ kind: 'Ping', pairs: [['d-m', '1']] });
      await until(() => heard().length === times || down() !== undefined);
    }
    expect(performance.now()).toBeGreaterThanOrEqual(30_000);
    expect(down()).toMatchObject({ reason: 'stuck' });
    const reasons = (await outcomes).map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined));
    expect(reasons.at(-1)).toMatchObject({ code: 'ERR_LINK_LOST', outcome: 'notSent' });
    expect(reasons.find((reason) => reason?.outcome === 'unknown')).toMatchObject({ code: 'ERR_LINK_LOST' });
  });

  test('whose handshake is not answered within 15 s is given up', async () => {
    setup.service.greeting = undefined;
    const server = setup.server();
    const starting = server.start();
    starting.catch(() => undefined);
    await until(() => setup.service.links[0]?.received.length === 1);
    await vi.advanceTimersByTimeAsync(15_000);
    await setup.told('linkDown');
    expect(setup.facts[0]).toMatchObject({ fact: 'linkDown', reason: 'timeout' });
    await setup.service.links[0]?.closed;
  });

  test('whose service says anything else before it answers the handshake is given up', async () => {
    setup.service.greeting = undefined;
    const server = setup.server();
    server.start().catch(() => undefined);
    await until(() => setup.service.links[0]?.received.length === 1);
    setup.service.links[0]?.say(keepAlivePing);
    await setup.told('linkDown');
    expect(setup.facts[0]).toMatchObject({ fact: 'linkDown', reason: 'unreachable' });
  });
});
