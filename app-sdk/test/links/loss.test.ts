import type { AnyContract, DepartedHub } from '@signalbox/app-sdk';
import { describe, expect, test, vi } from 'vitest';
import { freezeTime } from '../support/freeze-time.ts';
import { chatHub, linkSetup } from '../support/link-setup.ts';
import type { ServedLink } from '../support/service.ts';
import { until } from '../support/until.ts';

const setup = linkSetup();

/** Which of the links carries what is sent from outside. */
async function carrierOf(hub: Awaited<ReturnType<typeof setup.started>>['hub'], links: ServedLink[]) {
  const count = (link: ServedLink) => link.received.length;
  const before = new Map(links.map((link) => [link, count(link)]));
  for (const link of links) link.acknowledges = true;
  await hub.connections.exists({ group: 'which' });
  for (const link of links) link.acknowledges = false;
  return links.find((link) => count(link) > (before.get(link) ?? 0)) as ServedLink;
}

describe('a link that is lost', () => {
  test.each([
    ['broken', 'cut', (link: ServedLink) => link.cut()],
    ['closed by the service', 'closed', (link: ServedLink) => link.close()],
    ['closed with an error', 'cut', (link: ServedLink) => link.close(1011)],
    ['not framed any more', 'bad_message', (link: ServedLink) => link.write(Buffer.from('ffffffff0f', 'hex'))],
    ['given text', 'cut', (link: ServedLink) => link.text('hello')],
    [
      'told a service error',
      'service_error',
      (link: ServedLink) => link.say({ kind: 'ServiceError', errorMessage: 'quota' }),
    ],
  ])('because it is %s ends its clients, and no others, and is made again', async (_, reason, act) => {
    const ends: string[] = [];
    const chat = chatHub({ onDisconnected: (hub, { kind }) => void ends.push(`${hub.context.connectionId} ${kind}`) });
    const { links, server } = await setup.started(chat, { links: 2 });
    const [first, second] = links as [ServedLink, ServedLink];
    await first.connect('c1');
    await second.connect('c2');
    act(first);
    await setup.told('linkDown');
    await setup.told('clientDisconnected');
    await setup.service.link();
    await setup.told('linkUp', 3);
    expect(ends).toEqual(['c1 link_lost']);
    expect(server.health()).toMatchObject({ state: 'ready', hubs: { chat: { links: 2, clients: 1 } } });
    const down = setup.facts.find(({ fact }) => fact === 'linkDown');
    expect(down).toMatchObject({ hub: 'chat', link: first.url.searchParams.get('cid'), links: 1, reason });
    second.from('c2', { kind: 'ping' });
  });

  test('and the last of its hub makes the server degraded until one is up again', async () => {
    freezeTime();
    const { server, link } = await setup.started();
    setup.service.refuse = 503;
    link.cut();
    await setup.told('linkDown', 2);
    expect(server.health().state).toBe('degraded');
    const refused = setup.facts.filter(({ fact }) => fact === 'linkDown').at(-1);
    expect(refused).toMatchObject({ reason: 'unreachable', links: 0, retryInMs: expect.any(Number) });
    setup.service.refuse = undefined;
    await vi.advanceTimersByTimeAsync(2000);
    await setup.service.link();
    await setup.told('linkUp', 2);
    expect(server.health().state).toBe('ready');
  });

  test('is made again at once, but after a second when two in a row ended at once', async () => {
    freezeTime();
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { link } = await setup.started();
    link.cut();
    (await setup.service.link()).cut();
    await setup.told('linkDown', 2);
    await vi.advanceTimersByTimeAsync(1000);
    const third = await setup.service.link();
    await setup.told('linkUp', 3);
    await vi.advanceTimersByTimeAsync(1000);
    third.cut();
    await setup.told('linkDown', 3);
    const delays = setup.facts.flatMap((item) => (item.fact === 'linkDown' ? [item.retryInMs] : []));
    expect(delays).toEqual([0, 1000, 0]);
  });

  test('is refused afterwards: that is logged and observed, and tried again', async () => {
    freezeTime();
    const { link, server } = await setup.started();
    setup.service.refuse = 401;
    link.cut();
    await setup.told('linkDown', 2);
    expect(setup.facts.at(-1)).toMatchObject({ fact: 'linkDown', reason: 'refused' });
    const text = expect.stringContaining('HTTP 401');
    expect(setup.logger.warn).toHaveBeenCalledWith(
      expect.objectContaining({ reason: 'refused', text }),
      'no link could be made',
    );
    setup.service.refuse = undefined;
    await vi.advanceTimersByTimeAsync(2000);
    await setup.service.link();
    await setup.told('linkUp', 2);
    expect(server.health().state).toBe('ready');
  });

  test('hands what its clients send in their end to another link', async () => {
    const chat = chatHub({ onDisconnected: (hub: DepartedHub<AnyContract>) => hub.clients.all.send('left') });
    const { links } = await setup.started(chat, { links: 2 });
    const [first, second] = links as [ServedLink, ServedLink];
    await first.connect('c1');
    first.cut();
    expect(await second.next('BroadcastData')).toMatchObject({ kind: 'BroadcastData' });
  });
});

describe('what is sent from outside of calls', () => {
  test('goes over one link, and over another when it is lost', async () => {
    const { hub, links } = await setup.started(chatHub(), { links: 3 });
    const carrier = await carrierOf(hub, links);
    for (let n = 0; n < 10; n++) await hub.send({ user: 'u' }, 'n', n);
    await hub.clients.all.send('end');
    await carrier.next('BroadcastData');
    expect(carrier.received.filter(({ kind }) => kind === 'UserData')).toHaveLength(10);
    setup.service.refuse = 503;
    carrier.cut();
    await setup.told('linkDown');
    const others = links.filter((link) => link !== carrier);
    const next = await carrierOf(hub, others);
    expect(next).not.toBe(carrier);
  });

  test('is asked once more over another link when it was a command, and not when it was a send', async () => {
    const { hub, links } = await setup.started(chatHub(), { links: 2 });
    const carrier = await carrierOf(hub, links);
    const [other] = links.filter((link) => link !== carrier) as [ServedLink];
    setup.service.refuse = 503;
    const joining = hub.groups.addToGroup('c1', 'g');
    const first = await carrier.next('JoinGroupWithAck');
    carrier.cut();
    const second = await other.next('JoinGroupWithAck');
    expect(second.ackId).not.toBe(first.ackId);
    other.ack(second.ackId);
    await joining;
    expect(other.received.map(({ kind }) => kind)).toEqual(['HandshakeRequest', 'JoinGroupWithAck']);
  });

  test('rejects with ERR_LINK_LOST when the second link is lost too', async () => {
    const { hub, links } = await setup.started(chatHub(), { links: 2 });
    const carrier = await carrierOf(hub, links);
    const [other] = links.filter((link) => link !== carrier) as [ServedLink];
    setup.service.refuse = 503;
    const lost = expect(hub.groups.addToGroup('c1', 'g')).rejects.toMatchObject({
      code: 'ERR_LINK_LOST',
      outcome: 'unknown',
    });
    await carrier.next('JoinGroupWithAck');
    carrier.cut();
    await other.next('JoinGroupWithAck');
    other.cut();
    await lost;
  });
});

describe('while no link is up', () => {
  /** A server whose link was lost, and cannot be made again yet. */
  async function without(options: { linkWaitMs?: number } = {}) {
    freezeTime();
    const made = await setup.started(chatHub(), options);
    setup.service.refuse = 503;
    made.link.cut();
    await setup.told('linkDown', 2);
    return made;
  }

  test('sends wait in order, commands among them, and go before what comes later', async () => {
    const { hub } = await without();
    const first = hub.send({ user: 'u1' }, 'x');
    const second = hub.connections.exists({ user: 'u2' });
    const third = hub.send({ user: 'u3' }, 'x');
    setup.service.refuse = undefined;
    await vi.advanceTimersByTimeAsync(2000);
    const link = await setup.service.link();
    await Promise.all([first, third]);
    await hub.send({ user: 'u4' }, 'x');
    link.ack((await link.next('CheckUserExistenceWithAck')).ackId, 2);
    expect(await second).toBe(false);
    const ids = link.received.flatMap((message) => ('userId' in message ? [message.userId] : []));
    expect(ids).toEqual(['u1', 'u2', 'u3', 'u4']);
  });

  test('sends give up after linkWaitMs with ERR_NO_LINK', async () => {
    const { hub } = await without({ linkWaitMs: 30 });
    const expected = { code: 'ERR_NO_LINK', outcome: 'notSent', message: 'waited 30 ms for a link of hub "chat"' };
    const sending = expect(hub.clients.all.send('x')).rejects.toMatchObject(expected);
    await vi.advanceTimersByTimeAsync(30);
    await sending;
    expect(setup.facts).toContainEqual({ fact: 'failed', hub: 'chat', to: 'all', code: 'ERR_NO_LINK' });
  });

  test('sends give up when their signal is aborted', async () => {
    const { hub } = await without();
    const controller = new AbortController();
    const sending = hub.send({ user: 'u' }, { target: 'x' }, { signal: controller.signal });
    controller.abort();
    await expect(sending).rejects.toMatchObject({ code: 'ERR_ABORTED', outcome: 'notSent' });
  });

  test('no more than 1 MiB waits', async () => {
    const { hub, server } = await without();
    const half = 'x'.repeat(300 * 1024);
    const waiting = hub.send({ user: 'u' }, 'x', half);
    await expect(hub.send({ user: 'u' }, 'x', half)).rejects.toMatchObject({ code: 'ERR_NO_LINK', outcome: 'notSent' });
    expect(server.health().hubs.chat?.queuedBytes).toBeGreaterThan(600 * 1024);
    setup.service.refuse = undefined;
    await vi.advanceTimersByTimeAsync(2000);
    await setup.service.link();
    await waiting;
  });
});

describe('a link on demand', () => {
  const target = (instance: string) => ({ kind: 'Ping', pairs: [['target', instance]] }) as const;

  test('is made when the service asks, names the instance, and is not made again', async () => {
    const { link, server } = await setup.started();
    link.say(target('node/1'));
    const made = await setup.service.link();
    expect(made.url.searchParams.get('target')).toBe('node/1');
    expect(made.received[0]).toMatchObject({ kind: 'HandshakeRequest', connectionType: 1, target: '' });
    await setup.told('linkUp', 2);
    await made.connect('c1');
    expect(server.health().hubs.chat).toMatchObject({ links: 2, wanted: 1, clients: 1 });
    made.close();
    await setup.told('linkDown');
    expect(setup.facts.find(({ fact }) => fact === 'linkDown')).toMatchObject({
      reason: 'closed',
      retryInMs: undefined,
    });
    expect(setup.service.attempts).toBe(2);
  });

  test('is not made without a name, nor over maxLinks', async () => {
    const { link } = await setup.started(chatHub(), { maxLinks: 2 });
    link.say(target(''), target('n1'), target('n2'), { kind: 'Ping', pairs: [['echo', '1']] });
    await setup.service.link();
    await link.ping('echo');
    await setup.told('linkUp', 2);
    expect(setup.service.attempts).toBe(2);
  });

  test('that is refused is dropped quietly', async () => {
    const { link } = await setup.started();
    setup.service.greeting = 'no';
    link.say(target('n1'));
    await until(() => setup.logger.debug.mock.calls.length > 0);
    expect(setup.facts.filter(({ fact }) => fact === 'linkDown')).toEqual([]);
  });
});
