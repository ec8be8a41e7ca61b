import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { HttpTransportType } from '@microsoft/signalr';
import { AppServer, defineHub } from '@signalbox/app-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { GatewayProcess } from '../support/gateway-process.ts';
import { OfficialClient, type OfficialOptions } from '../support/official-client.ts';
import { type IssuerKey, issuerKey, OidcServer } from '../support/oidc-server.ts';
import { RawRest } from '../support/raw-rest.ts';
import { connectionString, type Service, startService } from '../support/service.ts';
import { accessKey } from '../support/tokens.ts';
import { until } from '../support/until.ts';

interface WhoAmI {
  server: { who(): readonly (string | undefined)[] };
  client: { news(value: unknown): void };
}

const whoAmI = defineHub<WhoAmI>({
  name: 'who',
  methods: { who: ({ context }) => [context.userId, context.claims.get('iss'), context.claims.get('role')] },
});

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const { WebSockets, ServerSentEvents, LongPolling } = HttpTransportType;

let service: Service;
let main: OidcServer;
let partner: OidcServer;
let mainKey: IssuerKey;
let partnerKey: IssuerKey;
const clients: OfficialClient[] = [];

beforeAll(async () => {
  [mainKey, partnerKey] = await Promise.all([issuerKey('RS256', 'main'), issuerKey('EdDSA', 'partner')]);
  [main, partner] = [await OidcServer.start(mainKey), await OidcServer.start(partnerKey)];
  const issuers = [
    { issuer: main.issuer, audiences: 'signalbox' },
    {
      issuer: partner.issuer,
      jwksUrl: partner.jwksUrl,
      audiences: 'signalbox',
      userClaim: 'email',
      userPrefix: 'partner|',
      hubs: ['shared'],
    },
  ];
  const env = {
    SIGNALBOX_ISSUERS: JSON.stringify(issuers),
    SIGNALBOX_ISSUER_COOLDOWN_MS: '10',
    SIGNALBOX_ISSUER_FETCH_MS: '30000',
    SIGNALBOX_POLL_MS: '2000',
    SIGNALBOX_MODES: 'who=default',
  };
  service = await startService({ env });
});

afterAll(async () => {
  await Promise.all(clients.map((one) => one.stop()));
  await service[Symbol.asyncDispose]();
  await Promise.all([main.close(), partner.close()]);
});

/** Connects with a token of its issuer, to no app. `at`: a node; the balancer unless said. */
async function connect(
  hub: string,
  accessToken: string,
  options: OfficialOptions & { at?: number } = {},
): Promise<OfficialClient> {
  const { at, ...how } = options;
  const origin = at === undefined ? service.balancer.origin : service.node(at).origin;
  const client = await OfficialClient.connect({ url: `${origin}/client/?hub=${hub}`, accessToken }, how);
  clients.push(client);
  return client;
}

const ways: readonly (OfficialOptions & { name: string })[] = [
  { name: 'WebSockets', transport: WebSockets },
  { name: 'WebSockets without negotiation', transport: WebSockets, skipNegotiation: true },
  { name: 'server-sent events', transport: ServerSentEvents },
  { name: 'long polling', transport: LongPolling },
];

describe.each(ways)('by $name, with a token of an outside issuer and no app in between,', ({ name, ...way }) => {
  test('a client connects, and a REST send to its user reaches it from either node', async () => {
    const sub = `ann by ${name}`;
    const client = await connect('direct', await main.token(mainKey, { sub }), way);
    for (const node of [0, 1]) {
      await service.app('direct', node).send({ user: sub }, 'news', `from ${node}`);
      await client.heard(`from ${node}`);
    }
    expect(client.inbox.items).toEqual(['from 0', 'from 1']);
  });
});

test('two issuers that name the same user mean two, by the claim and the prefix of each', async () => {
  const [one, other] = [
    await connect('shared', await main.token(mainKey, { sub: 'ann@x' }), { at: 0 }),
    await connect('shared', await partner.token(partnerKey, { sub: '7', email: 'ann@x' }), { at: 1 }),
  ];
  await service.app('shared', 1).send({ user: 'ann@x' }, 'news', 'to the first');
  await service.app('shared', 0).send({ user: 'partner|ann@x' }, 'news', 'to the second');
  await service.app('shared').send({ all: true }, 'news', 'to both');
  await Promise.all([one.heard('to both'), other.heard('to both')]);
  expect([one.inbox.items, other.inbox.items]).toEqual([
    ['to the first', 'to both'],
    ['to the second', 'to both'],
  ]);
  await expect(connect('direct', await partner.token(partnerKey, { email: 'ann@x' }))).rejects.toThrow('401');
});

test('an app server is told the user that the gateway made of it, and who says so', async () => {
  await using server = new AppServer(connectionString(service.balancer.origin), {
    hubs: [whoAmI],
    links: 2,
    logger: silent,
  });
  await server.start();
  const forged = { 'asrs.s.uid': 'root', nameid: 'root', role: 'reader' };
  const token = await main.token(mainKey, forged);
  let client: OfficialClient | undefined;
  await until('an app server is known', async () => {
    client = await connect('who', token).catch(() => undefined);
    return client !== undefined;
  });
  expect(await client?.connection.invoke('who')).toEqual(['ann', main.issuer, 'reader']);
  await client?.stop();
});

test('what opens a hub opens nothing of an app: /api/ and /server/ are 401', async () => {
  await using rest = new RawRest(service.balancer.origin);
  const audiences = ['http://x/api/v1/hubs/direct', 'http://x/server/?hub=direct', 'signalbox'];
  const token = await main.token(mainKey, { aud: audiences });
  expect((await rest.call('POST', '/api/v1/hubs/direct', { token, body: '{"target":"news"}' })).status).toBe(401);
  const socket = new WebSocket(`${service.node(0).origin.replace('http', 'ws')}/server/?hub=direct`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  expect(answer.statusCode).toBe(401);
  answer.destroy();
  expect(await service.node(0).metric('signalbox_tokens_refused_total', { reason: 'issuer' })).toBeGreaterThan(0);
});

test('keys rotate at the issuer: new tokens are taken, a client with an old one stays, by polls too', async () => {
  const client = await connect('rotating', await main.token(mainKey, { sub: 'bob' }), { transport: LongPolling });
  const fresh = await issuerKey('ES256', 'fresh');
  main.publish(fresh);
  const token = await main.token(fresh, { sub: 'eve' });
  for (const at of [0, 1]) {
    await until('the new key is known', () =>
      connect('rotating', token, { at }).then(
        () => true,
        () => false,
      ),
    );
  }
  await expect(connect('rotating', await main.token(mainKey))).rejects.toThrow('401');
  await service.app('rotating').send({ user: 'bob' }, 'news', 'still here');
  await client.heard('still here');
  await service.app('rotating').send({ user: 'bob' }, 'news', 'and here');
  await client.heard('and here');
  main.publish(mainKey);
});

test('an issuer that is down at the start is 503, counted and told in the log, until it is up', async () => {
  await using provider = await OidcServer.start(mainKey);
  provider.mood = 'fails';
  const env = {
    SIGNALBOX_ACCESS_KEY: accessKey,
    SIGNALBOX_ISSUERS: JSON.stringify([{ issuer: provider.issuer, audiences: 'signalbox' }]),
    SIGNALBOX_ISSUER_COOLDOWN_MS: '10',
    SIGNALBOX_ISSUER_FETCH_MS: '30000',
  };
  await using gateway = await GatewayProcess.start(env);
  const accessToken = await provider.token(mainKey);
  const negotiate = async (): Promise<Response> =>
    fetch(`${gateway.origin}/client/negotiate?hub=chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}` },
    });
  const refused = await negotiate();
  expect([refused.status, refused.headers.get('x-ms-error-code')]).toEqual([503, 'Error.Request.Unavailable']);
  const { issuer } = provider;
  expect(await gateway.metric('signalbox_issuer_key_fetches_total', { issuer, outcome: 'failed' })).toBeGreaterThan(0);
  const told = () => gateway.lines.find(({ msg }) => msg === 'the keys of an issuer could not be fetched');
  await until('the log tells', () => told() !== undefined);
  expect(told()).toMatchObject({ level: 'warn', issuer, why: expect.stringContaining('answered 500') });
  provider.mood = 'answers';
  await until('the token is taken', async () => (await negotiate()).status === 200);
  provider.mood = 'fails';
  expect((await negotiate()).status).toBe(200);
});

test('a wrong issuer ends the start with one line', async () => {
  const SIGNALBOX_ISSUERS = '[{"issuer":"https://id.example","audiences":"a","algorithms":"HS256"}]';
  const ended = await GatewayProcess.run({ SIGNALBOX_ISSUERS });
  expect([ended.code, ended.stdout]).toEqual([2, '']);
  expect(ended.stderr).toMatch(/^signalbox-gateway: SIGNALBOX_ISSUERS\[0\]\.algorithms must be .*, got "HS256"\n$/);
});
