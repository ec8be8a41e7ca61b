import type { AnyContract, Hub } from '@signalbox/app-sdk';
import { describe, expect, test, vi } from 'vitest';
import { jsonHubProtocol } from '../../src/protocol/hub-json.ts';
import { shutdownPing } from '../../src/protocol/service-ping.ts';
import { freezeTime } from '../support/freeze-time.ts';
import { chatHub, linkSetup } from '../support/link-setup.ts';
import type { ServedLink } from '../support/service.ts';

const setup = linkSetup();

const stopped = { code: 'ERR_STOPPED' };

/** A hub with a call that ends when it is aborted, and what happened in it. */
function slowHub() {
  const log: string[] = [];
  let begun: () => void = () => undefined;
  const running = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let finish: () => void = () => undefined;
  const hub = chatHub({
    methods: {
      slow: (call: Hub<AnyContract>) =>
        new Promise<void>((resolve) => {
          finish = resolve;
          call.signal.addEventListener('abort', () => {
            log.push('aborted');
            resolve();
          });
          begun();
        }),
    },
    async onDisconnected(call, { kind }) {
      log.push(kind);
      await call.clients.all.send('left');
    },
  });
  return { hub, log, running, finish: () => finish() };
}

async function call(link: ServedLink): Promise<void> {
  await link.connect('c1');
  link.from('c1', { kind: 'invocation', invocationId: '1', target: 'slow', arguments: [] });
}

function leave(link: ServedLink): void {
  link.say({ kind: 'CloseConnection', connectionId: 'c1', errorMessage: '', headers: [] });
}

describe('stop', () => {
  test.each([
    [{}, 'fin:1'],
    [{ clients: 'migrate' }, 'fin:1'],
    [{ clients: 'wait' }, 'fin:2'],
    [{ clients: 'drop' }, 'fin:0'],
  ] as const)(
    'with %j tells the service %s on each link, and closes with 1000 when nobody is left',
    async (options, stage) => {
      const { server, links } = await setup.started(chatHub(), { links: 2 });
      const stopping = server.stop(options);
      expect(server.health().state).toBe('stopping');
      for (const link of links) {
        expect(await link.ping('shutdown')).toEqual({ topic: 'shutdown', stage });
        link.say(shutdownPing('finack'));
      }
      expect(await Promise.all(links.map(({ closed }) => closed))).toEqual([1000, 1000]);
      await stopping;
      expect(server.health()).toEqual({
        state: 'stopped',
        hubs: { chat: { links: 0, wanted: 2, clients: 0, queuedBytes: 0 } },
      });
    },
  );

  test('says it again every 5 s, 24 times at most, while the service does not take note', async () => {
    freezeTime();
    const { server, link } = await setup.started();
    const stopping = server.stop({ graceMs: 1_000_000 });
    for (let times = 1; times <= 24; times++) {
      await link.ping('shutdown');
      link.say({ kind: 'Ping', pairs: [] });
      await vi.advanceTimersByTimeAsync(4999);
      expect(link.pings('shutdown')).toBe(times);
      link.say({ kind: 'Ping', pairs: [['echo', 'x']] });
      await link.ping('echo');
      await vi.advanceTimersByTimeAsync(1);
    }
    await link.closed;
    await stopping;
    expect(link.pings('shutdown')).toBe(24);
  });

  test('lets calls and clients go on until they end, and takes sends meanwhile, but no new clients', async () => {
    const { hub, log, running, finish } = slowHub();
    const { server, link, hub: context } = await setup.started(hub);
    await call(link);
    await running;
    const stopping = server.stop();
    await link.ping('shutdown');
    link.say(shutdownPing('finack'));
    await expect(context.negotiate()).rejects.toMatchObject(stopped);
    await context.clients.all.send('meanwhile');
    await link.next('BroadcastData');
    finish();
    const { payload } = await link.next('ConnectionData');
    expect(jsonHubProtocol.parse(payload.subarray(0, -1))).toMatchObject({ kind: 'completion', invocationId: '1' });
    expect(log).toEqual([]);
    leave(link);
    expect((await link.next('BroadcastData')).kind).toBe('BroadcastData');
    expect(await link.closed).toBe(1000);
    await stopping;
    expect(log).toEqual(['client_left']);
  });

  test('aborts what is left at the end of the grace, then disconnects, then closes', async () => {
    const { hub, log, running } = slowHub();
    const { server, link } = await setup.started(hub);
    await call(link);
    await running;
    const before = link.received.length;
    const stopping = server.stop({ graceMs: 50 });
    await link.ping('shutdown');
    link.say(shutdownPing('finack'));
    expect(await link.closed).toBe(1000);
    await stopping;
    expect(log).toEqual(['aborted', 'drain']);
    const last = link.received.slice(before);
    expect(last.map(({ kind }) => kind)).toEqual(['ConnectionData', 'CloseConnection', 'BroadcastData']);
    const [close] = last;
    const bytes = close?.kind === 'ConnectionData' ? close.payload.subarray(0, -1) : new Uint8Array();
    expect(jsonHubProtocol.parse(bytes)).toMatchObject({ kind: 'close', allowReconnect: true });
  });

  test('that drops clients waits for their calls only', async () => {
    const { hub, log } = slowHub();
    const { server, link } = await setup.started(hub);
    await link.connect('c1');
    const stopping = server.stop({ clients: 'drop' });
    await link.ping('shutdown');
    link.say(shutdownPing('finack'));
    await stopping;
    expect(log).toEqual(['drain']);
  });

  test('without grace tells the service and closes', async () => {
    const { server, link } = await setup.started();
    await server.stop({ graceMs: 0 });
    expect(await link.closed).toBe(1000);
    expect(link.pings('shutdown')).toBe(1);
  });

  test('writes what waits before it closes', async () => {
    const { server, link, hub } = await setup.started();
    const big = 'x'.repeat(1 << 20);
    const sends = Promise.all([1, 2, 3].map((n) => hub.send({ user: `u${n}` }, 'x', big)));
    await server.stop({ graceMs: 0 });
    await sends;
    await link.closed;
    expect(link.received.filter(({ kind }) => kind === 'UserData')).toHaveLength(3);
  });

  test('makes all later sends reject with ERR_STOPPED', async () => {
    const { server, hub } = await setup.started();
    await server.stop({ graceMs: 0 });
    await expect(hub.clients.all.send('x')).rejects.toMatchObject(stopped);
    await expect(hub.groups.addToGroup('c1', 'g')).rejects.toMatchObject(stopped);
    await expect(hub.clients.client('c1').invoke('x')).rejects.toMatchObject(stopped);
    await expect(hub.negotiate()).rejects.toMatchObject(stopped);
  });

  test('makes no link again that is lost meanwhile', async () => {
    const { server, link } = await setup.started();
    const stopping = server.stop();
    await link.ping('shutdown');
    link.cut();
    await stopping;
    expect(setup.service.attempts).toBe(1);
    expect(setup.facts.at(-1)).toMatchObject({ fact: 'linkDown', retryInMs: undefined });
  });

  test('is idempotent, and the end of `await using`', async () => {
    const { server, link } = await setup.started();
    const first = server.stop({ graceMs: 0 });
    await Promise.all([first, server.stop(), server[Symbol.asyncDispose]()]);
    expect(link.pings('shutdown')).toBe(1);
  });

  test('of a server that never started resolves', async () => {
    const server = setup.server();
    await server.stop();
    expect(server.health().state).toBe('stopped');
  });

  test('refuses options out of range', async () => {
    const server = setup.server();
    await expect(server.stop({ graceMs: -1 })).rejects.toThrow(
      '"graceMs" must be a whole number from 0 to 2147483647, got -1',
    );
    const wrong = server.stop({ clients: 'toString' as 'wait' });
    await expect(wrong).rejects.toThrow('"clients" must be migrate, wait or drop, got "toString"');
  });
});
