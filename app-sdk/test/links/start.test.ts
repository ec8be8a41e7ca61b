import { readFileSync } from 'node:fs';
import { type AnyContract, AppServer, defineHub } from '@signalbox/app-sdk';
import { decodeJwt } from 'jose';
import { Agent } from 'undici';
import { describe, expect, test, vi } from 'vitest';
import { version } from '../../src/link-door.ts';
import { freezeTime } from '../support/freeze-time.ts';
import { chatHub, linkSetup } from '../support/link-setup.ts';

const setup = linkSetup();

describe('a link', () => {
  test('is asked for with a token for its hub, the id of the server and no compression', async () => {
    const { link } = await setup.started();
    expect(link.url.pathname).toBe('/server/');
    expect(link.url.searchParams.get('hub')).toBe('chat');
    expect(link.url.searchParams.get('cid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(link.url.searchParams.has('target')).toBe(false);
    expect(link.claims.aud).toBe('http://localhost/server/?hub=chat');
    expect(link.claims.nameid).toBe(link.headers['x-asrs-server-id']);
    expect(link.claims.nameid).toMatch(/^[\w.-]+_[0-9a-f]{32}$/);
    expect(link.headers['asrs-user-agent']).toMatch(/^@signalbox\/app-sdk\/\S+ \(Node\.js v\d+/);
    expect(link.headers['sec-websocket-extensions']).toBeUndefined();
  });

  test('begins with the bytes of the worked trace, but for the migration level, and a question for its status', async () => {
    const { link } = await setup.started();
    await link.ping('status');
    expect(link.writes.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual([
      '0897010100a00180c2',
      '0b9303a6737461747573a131',
    ]);
  });

  test('names its hub with the application in front', async () => {
    const { link } = await setup.started(chatHub(), { application: 'Shop' });
    expect(link.url.searchParams.get('hub')).toBe('shop_chat');
    expect(link.claims.aud).toBe('http://localhost/server/?hub=shop_chat');
  });

  test('is one of five by default, all with the same server id and each with an id of its own', async () => {
    const { links, server } = await setup.started(chatHub(), { links: 5 });
    expect(new Set(links.map(({ url }) => url.searchParams.get('cid'))).size).toBe(5);
    expect(new Set(links.map(({ headers }) => headers['x-asrs-server-id'])).size).toBe(1);
    expect(server.health()).toEqual({
      state: 'ready',
      hubs: { chat: { links: 5, wanted: 5, clients: 0, queuedBytes: expect.any(Number) } },
    });
    expect(new AppServer(setup.service.connectionString, { hubs: [chatHub()] }).health().hubs.chat?.wanted).toBe(5);
  });

  test('goes through the dispatcher of the app, which stays open', async () => {
    const dispatcher = new Agent();
    const dispatch = vi.spyOn(dispatcher, 'dispatch');
    const { server } = await setup.started(chatHub(), { dispatcher });
    await server.stop({ graceMs: 0 });
    expect(dispatch).toHaveBeenCalledTimes(1);
    expect(dispatcher.destroyed).toBe(false);
    await dispatcher.close();
  });

  test('tells the version of this package', () => {
    const { version: packed } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(version).toBe(packed);
  });
});

describe('start', () => {
  test.each([400, 401, 403, 404])(
    'rejects at once with ERR_LINK_REFUSED when the service answers %s',
    async (status) => {
      setup.service.refuse = status;
      const server = setup.server();
      await expect(server.start()).rejects.toMatchObject({
        code: 'ERR_LINK_REFUSED',
        message: expect.stringContaining(`HTTP ${status}`),
      });
      expect(server.health().state).toBe('new');
    },
  );

  test('rejects at once with the text of a handshake that is refused', async () => {
    setup.service.greeting = 'Unsupported version.';
    const server = setup.server();
    const text = 'the service refused a link: Unsupported version.';
    await expect(server.start()).rejects.toMatchObject({ code: 'ERR_LINK_REFUSED', message: text });
  });

  test('waits while the service is not ready, says why when the time is up, and may be called again', async () => {
    freezeTime();
    setup.service.refuse = 503;
    const server = setup.server();
    const starting = server.start();
    const told = setup.told('linkDown');
    const late = expect(starting).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      message: expect.stringMatching(/^waited 30000 ms for a link of hub "chat"; last attempt: .*HTTP 503$/),
    });
    await told;
    vi.advanceTimersByTime(30_000);
    await late;
    setup.service.refuse = undefined;
    await server.start();
    expect(server.health().state).toBe('ready');
  });

  test('is given up by its signal', async () => {
    setup.service.greeting = undefined;
    const controller = new AbortController();
    const starting = setup.server().start({ signal: controller.signal });
    await setup.service.asked();
    controller.abort();
    await expect(starting).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  test('rejects with ERR_STOPPED when the server stops meanwhile, and ever after', async () => {
    setup.service.greeting = undefined;
    const server = setup.server();
    const starting = server.start();
    await setup.service.asked();
    await Promise.all([expect(starting).rejects.toMatchObject({ code: 'ERR_STOPPED' }), server.stop()]);
    await expect(server.start()).rejects.toMatchObject({ code: 'ERR_STOPPED' });
    expect(server.health().state).toBe('stopped');
  });

  test('is idempotent', async () => {
    const { server } = await setup.started();
    await server.start();
    expect(setup.service.attempts).toBe(1);
  });
});

describe('start of two hubs', () => {
  test('resolves when each has a link', async () => {
    const second = defineHub<AnyContract>({ name: 'News', methods: {} });
    const server = setup.server(chatHub(), { hubs: [chatHub(), second] });
    await server.start();
    const { hubs, state } = server.health();
    expect([state, hubs['chat']?.links, hubs['news']?.links]).toEqual(['ready', 1, 1]);
    const names = setup.service.links.map(({ url }) => url.searchParams.get('hub')).sort();
    expect(names).toEqual(['chat', 'news']);
  });
});

describe('negotiate', () => {
  test('rejects while no link is up, so that handlers answer 503', async () => {
    const chat = chatHub();
    const server = setup.server(chat);
    await expect(server.hub(chat).negotiate()).rejects.toMatchObject({ code: 'ERR_NO_LINK', retryable: true });
  });

  test('sends clients to the service, on request back to this server', async () => {
    const { hub, link } = await setup.started();
    const { url, accessToken } = await hub.negotiate({ userId: 'alice', stickiness: 'required' });
    expect(url).toMatch(/^http:\/\/localhost:\d+\/client\/\?hub=chat$/);
    const claims = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString());
    expect(claims['asrs.s.sn']).toBe(link.claims.nameid);
    expect(Object.keys(claims).filter((name) => /cht|derror/.test(name))).toEqual([]);
  });

  test('makes the service wait for handshakes as long as the hub does, and tell as much of errors', async () => {
    const strict = defineHub<AnyContract>({
      name: 'Strict',
      methods: {},
      handshakeTimeoutMs: 1500,
      detailedErrors: true,
    });
    const server = setup.server(strict);
    await server.start();
    const { accessToken } = await server.hub(strict).negotiate({ handshakeTimeoutSeconds: 3 });
    const { accessToken: byHub } = await server.hub(strict).negotiate();
    expect(decodeJwt(byHub)).toMatchObject({ 'asrs.s.cht': '2', 'asrs.s.derror': 'True' });
    expect(decodeJwt(accessToken)).toMatchObject({ 'asrs.s.cht': '3', 'asrs.s.derror': 'True' });
  });
});

describe('the constructor', () => {
  test.each([
    [{ links: 0 }, '"links" must be a whole number from 1 to 100, got 0'],
    [{ links: 4, maxLinks: 3 }, '"maxLinks" must be a whole number from 4 to 1000, got 3'],
    [{ linkWaitMs: 0 }, '"linkWaitMs" must be a whole number from 1 to 2147483647, got 0'],
    [{ maxQueuedBytes: 1 }, '"maxQueuedBytes" must be a whole number from 1048576 to 1073741824, got 1'],
    [{ ackTimeoutMs: 1.5 }, '"ackTimeoutMs" must be a whole number from 1 to 2147483647, got 1.5'],
    [{ hubs: [chatHub(), chatHub()] }, '"hubs" must differ in their names, got "chat" twice'],
  ])('refuses %j', (options, text) => {
    expect(() => setup.server(chatHub(), options)).toThrow(new TypeError(text));
  });

  test('refuses to be without a connection string', () => {
    expect(() => new AppServer(undefined, { hubs: [] })).toThrow('SIGNALBOX_CONNECTION_STRING');
  });

  test('knows its hubs only', () => {
    expect(() => setup.server().hub(chatHub())).toThrow('hub "Chat" is not among the "hubs" of this server');
  });
});
