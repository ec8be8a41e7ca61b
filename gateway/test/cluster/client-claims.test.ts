import {
  DefaultHttpClient,
  type HttpRequest,
  type HttpResponse,
  HttpTransportType,
  NullLogger,
} from '@microsoft/signalr';
import { AppServer, defineHub, type NegotiateOptions } from '@signalbox/app-sdk';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Inbox } from '../support/inbox.ts';
import { OfficialClient, type OfficialOptions } from '../support/official-client.ts';
import { negotiate, RawClient } from '../support/raw-client.ts';
import { RawRest } from '../support/raw-rest.ts';
import { everyNodeCarries } from '../support/served.ts';
import { connectionString, type Service, startService } from '../support/service.ts';
import { clientToken } from '../support/tokens.ts';
import { until, within } from '../support/until.ts';

interface Carried {
  server: { id(): string };
  client: { news(value: unknown): void };
}

/** Clients that left the app server, and whether it was told of an error. */
const departures = new Inbox<readonly [id: string, reason: string]>();
const carried = defineHub<Carried>({
  name: 'carried',
  methods: { id: ({ context }) => context.connectionId },
  onDisconnected: ({ context }, { kind }) => departures.add([context.connectionId, kind]),
});

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const { WebSockets, ServerSentEvents, LongPolling } = HttpTransportType;
const transports = [
  ['WebSockets', WebSockets],
  ['ServerSentEvents', ServerSentEvents],
  ['LongPolling', LongPolling],
] as const;
/** One hub of an app server, and one that the gateway runs. */
const hubs = ['carried', 'pushed'] as const;
const ways = transports.flatMap(([name, transport]) => hubs.map((hub) => ({ name, transport, hub })));

let service: Service;
let server: AppServer;
let rest: RawRest;
const clients: OfficialClient[] = [];

beforeAll(async () => {
  service = await startService({ env: { SIGNALBOX_MODES: 'carried=default,*=serverless', SIGNALBOX_POLL_MS: '2000' } });
  rest = new RawRest(service.balancer.origin);
  server = new AppServer(connectionString(service.balancer.origin), { hubs: [carried], links: 2, logger: silent });
  await server.start();
  await everyNodeCarries(service.nodes, {
    negotiate: (options) => server.hub(carried).negotiate(options),
    call: ({ connection }) => connection.invoke('id'),
  });
});

afterAll(async () => {
  await Promise.all(clients.map((one) => one.stop()));
  await server.stop({ graceMs: 1000 });
  await rest.close();
  await service[Symbol.asyncDispose]();
});

/** Reads the connection token, which the official client keeps to itself, out of the answer to its negotiation. */
class Eavesdropper extends DefaultHttpClient {
  connectionToken = '';

  constructor() {
    super(NullLogger.instance);
  }

  override async send(request: HttpRequest): Promise<HttpResponse> {
    const response = await super.send(request);
    if (request.url?.includes('/negotiate')) {
      this.connectionToken = (JSON.parse(String(response.content)) as { connectionToken: string }).connectionToken;
    }
    return response;
  }
}

async function connect(hub: string, options: OfficialOptions & NegotiateOptions): Promise<OfficialClient> {
  const { transport, reconnect, httpClient, ...negotiation } = options;
  const app = service.app(hub);
  const { url } = await app.negotiate(negotiation);
  // As an app answers each time: with a token of its own.
  const accessToken = async (): Promise<string> => (await app.negotiate(negotiation)).accessToken;
  const how = {
    ...(transport !== undefined && { transport }),
    ...(reconnect && { reconnect }),
    ...(httpClient && { httpClient }),
  };
  const client = await OfficialClient.connect({ url, accessToken }, how);
  clients.push(client);
  return client;
}

const inSeconds = (seconds: number): Date => new Date(Date.now() + seconds * 1000);

/** Time for all clients of these tests to connect: whoever comes later is refused, and rightly so. */
const loginSeconds = 15;
/** Until a login has ended, and some. */
const endMs = 60_000;

describe.concurrent('a login that ends', { timeout: 2 * endMs }, () => {
  test('ends the connection with leave to come back, not before its time, by every transport and in every mode', async () => {
    const end = inSeconds(loginSeconds);
    const gone = await Promise.all(
      ways.map(async ({ hub, transport }) => {
        const client = await connect(hub, { transport, closeOnAuthExpiration: end, detailedErrors: true });
        const { id } = client;
        const error = await within('the login ends', client.closed, endMs);
        // The token has whole seconds.
        expect(Date.now()).toBeGreaterThanOrEqual(end.getTime() - 1000);
        expect(error).toBeUndefined();
        return { hub, id };
      }),
    );
    const ofApp = gone.filter(({ hub }) => hub === 'carried').map(({ id }) => id);
    await departures.until('the app server is told', (all) => ofApp.every((id) => all.some(([one]) => one === id)));
    const reasons = departures.items.filter(([id]) => ofApp.includes(id)).map(([, reason]) => reason);
    expect(new Set(reasons)).toEqual(new Set(['client_left']));
  });

  test('says so in the words of the hub protocol, and then closes with 1000', async () => {
    const aeo = String(Math.floor(Date.now() / 1000) + loginSeconds);
    const token = await clientToken('pushed', 'ben', { 'asrs.s.coae': 'true', 'asrs.s.aeo': aeo });
    const client = await RawClient.connect(service.node(0).port, { hub: 'pushed', token });
    expect(await within('the WebSocket closes', client.closed, endMs)).toBe(1000);
    expect(client.inbox.items.at(-1)).toEqual({ type: 7, allowReconnect: true });
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(Number(aeo));
  });

  test('lets a client with automatic reconnect come back by its app, which gives it a new end', async () => {
    const reconnect = { nextRetryDelayInMilliseconds: () => 0 };
    // The official client asks for a token at each request: those of the first connection end soon.
    let end = inSeconds(loginSeconds);
    const app = service.app('pushed');
    const { url } = await app.negotiate();
    const accessToken = async (): Promise<string> => {
      return (await app.negotiate({ userId: 'returner', closeOnAuthExpiration: end })).accessToken;
    };
    const client = await OfficialClient.connect({ url, accessToken }, { reconnect });
    clients.push(client);
    const first = client.id;
    end = inSeconds(3600);
    await client.returns.until('it came back', (ids) => ids.length === 1, endMs);
    expect(client.id).not.toBe(first);
    await app.send({ user: 'returner' }, 'news', 'welcome');
    await client.heard('welcome');
  });

  test('ends later when it is renewed in place, by every transport', async () => {
    const end = inSeconds(loginSeconds);
    const renewed = await Promise.all(
      transports.map(async ([, transport]) => {
        const httpClient = new Eavesdropper();
        const client = await connect('carried', { transport, httpClient, closeOnAuthExpiration: end });
        const path = '/api/hubs/carried/connections/:refreshAuth?api-version=2026-07-01';
        const { connectionToken } = httpClient;
        const body = JSON.stringify({ connectionToken, expireTime: inSeconds(3600).toISOString() });
        expect((await rest.call('POST', path, { body })).status).toBe(200);
        return client;
      }),
    );
    // One that must go at the first end of the others, or later.
    const going = await connect('carried', { closeOnAuthExpiration: new Date(end.getTime() + 1000) });
    await within('the other one is closed', going.closed, endMs);
    for (const client of renewed) expect(await client.connection.invoke('id')).toBe(client.id);
  });

  test('does not end diagnostic clients, nor those whose token alone expires', async () => {
    const exp = Math.floor(Date.now() / 1000) + loginSeconds;
    const claims = [
      { 'asrs.s.coae': 'true', 'asrs.s.aeo': String(exp), 'asrs.s.dc': 'true' },
      { exp },
      { 'asrs.s.aeo': String(exp) },
      { 'asrs.s.coae': 'true' },
    ];
    const staying = await Promise.all(
      claims.map(async (more) => {
        const token = await clientToken('pushed', 'ann', more);
        return RawClient.connect(service.node(0).port, { hub: 'pushed', token });
      }),
    );
    // One that must go, as late as they would have to.
    const token = await clientToken('pushed', 'ann', { 'asrs.s.coae': 'true', 'asrs.s.aeo': String(exp + 1) });
    const going = await RawClient.connect(service.node(0).port, { hub: 'pushed', token });
    await within('the other one is closed', going.closed, endMs);
    await service.app('pushed').send({ user: 'ann' }, 'news', 'still here');
    for (const client of staying) {
      await client.heard('still here');
      client.leave();
    }
  });
});

describe.each(ways)('a client by $name of hub $hub', ({ transport, hub }) => {
  test.each([
    [true, 'the reason'],
    [false, undefined],
  ])('that may see details (%s) hears why it was closed: %s', async (detailedErrors, shown) => {
    const client = await connect(hub, { transport, detailedErrors });
    await service.app(hub).connections.close({ connection: client.id }, { reason: 'the reason' });
    const error = await within('the client is closed', client.closed);
    if (shown === undefined) expect(String(error?.message)).not.toContain('the reason');
    else expect(error?.message).toContain(shown);
  });
});

describe('the transports that a token allows', () => {
  const only = (...names: NonNullable<NegotiateOptions['transports']>) => ({ transports: names });

  test('are those offered, and a client takes the first', async () => {
    const client = await connect('pushed', only('ServerSentEvents', 'LongPolling'));
    const held = async (transport: string): Promise<number> => {
      const counts = service.nodes.map((node) => node.metric('signalbox_connections', { hub: 'pushed', transport }));
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    };
    const before = await held('ServerSentEvents');
    expect(before).toBeGreaterThan(0);
    await client.stop();
    await until('it is gone', async () => (await held('ServerSentEvents')) < before);
  });

  test('are all that there are: another is not tried, and refused when it is', async () => {
    await expect(connect('pushed', { ...only('LongPolling'), transport: WebSockets })).rejects.toThrow('transports');
    await expect(connect('pushed', { ...only('WebSockets'), transport: LongPolling })).rejects.toThrow('transports');
    const token = await clientToken('pushed', undefined, { 'asrs.s.htt': '4' });
    const open = RawClient.open(service.node(0).port, { hub: 'pushed', token });
    await expect(open).rejects.toThrow('refused with 404');
  });
});

/** Sends nothing after the first request. Resolves when the gateway has ended it. */
const silentClients: Readonly<Record<(typeof transports)[number][0], (claims: object) => Promise<unknown>>> = {
  async WebSockets(claims) {
    const token = await clientToken('pushed', undefined, { ...claims });
    return (await RawClient.open(service.node(0).port, { hub: 'pushed', token })).closed;
  },
  async ServerSentEvents(claims) {
    const { url, headers } = await negotiated(claims);
    const stream = await request(url, { headers: { ...headers, accept: 'text/event-stream' } });
    return stream.body.text();
  },
  async LongPolling(claims) {
    const { url, headers } = await negotiated(claims);
    for (;;) {
      const poll = await request(url, { headers });
      await poll.body.dump();
      if (poll.statusCode !== 200) return poll.statusCode;
    }
  },
};

async function negotiated(claims: object): Promise<{ url: string; headers: Record<string, string> }> {
  const { connectionToken } = await negotiate(service.balancer.origin, 'pushed');
  const authorization = `Bearer ${await clientToken('pushed', undefined, { ...claims })}`;
  return { url: `${service.balancer.origin}/client/?hub=pushed&id=${connectionToken}`, headers: { authorization } };
}

test.each(transports)('by %s, the time for the handshake is what the token says', async (name) => {
  const before = await timeouts();
  // Far sooner than the 15 s of everybody else.
  await within('the client is ended', silentClients[name]({ 'asrs.s.cht': '1' }));
  expect(await timeouts()).toBe(before + 1);
});

async function timeouts(): Promise<number> {
  const reason = 'handshake_timeout';
  const counts = service.nodes.map((node) => node.metric('signalbox_connections_refused_total', { reason }));
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

test('a client that polls may be without a poll for as long as its token says', async () => {
  const { url, headers } = await negotiated({ 'asrs.s.ttl': '1' });
  expect((await request(url, { headers })).statusCode).toBe(200);
  // Far sooner than the 15 s of everybody else.
  await until('it is gone', async () => {
    // A POST is no poll: it keeps nobody.
    const { statusCode, body } = await request(url, { method: 'POST', headers, body: '' });
    await body.dump();
    return statusCode === 404;
  });
});
