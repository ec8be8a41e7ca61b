import { type Dispatcher, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { GatewayProcess } from '../support/gateway-process.ts';
import { negotiate } from '../support/raw-client.ts';
import { accessKey, clientToken } from '../support/tokens.ts';
import { until, within } from '../support/until.ts';

const page = 'https://page.example';
const foreign = 'https://evil.example';
const hub = 'routes';

/** A request that a page of a browser may send to `/client`. */
interface Asked {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly accept: string;
}

const routes: readonly Asked[] = [
  { method: 'POST', path: '/client/negotiate', accept: '*/*' },
  { method: 'GET', path: '/client/', accept: 'text/event-stream' },
  { method: 'GET', path: '/client/', accept: '*/*' },
  { method: 'GET', path: '/client', accept: '*/*' },
  { method: 'POST', path: '/client/', accept: '*/*' },
  { method: 'DELETE', path: '/client/', accept: '*/*' },
  { method: 'PUT', path: '/client/', accept: '*/*' },
];

const poll: Asked = { method: 'GET', path: '/client/', accept: '*/*' };

let gateway: GatewayProcess;
let token: string;

beforeAll(async () => {
  token = await clientToken(hub, 'ann');
  gateway = await GatewayProcess.start({
    SIGNALBOX_ACCESS_KEY: accessKey,
    SIGNALBOX_CORS_ORIGINS: `${page},https://also.example`,
    SIGNALBOX_LOG_LEVEL: 'trace',
    SIGNALBOX_POLL_MS: '1000',
  });
});
afterAll(() => gateway.kill());

/** A connection that polls, and the id by which requests name it. */
async function connectionToken(): Promise<string> {
  const { connectionToken: id } = await negotiate(gateway.origin, hub, 'ann');
  const first = await ask(poll, { id });
  expect(first.status).toBe(200);
  return id;
}

interface More {
  readonly id?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the token stands; the header unless said. */
  readonly by?: 'header' | 'query' | 'nowhere';
  readonly token?: string;
}

async function ask(
  { method, path, accept }: Asked,
  { id, headers = {}, by = 'header', token: shown = token }: More,
): Promise<{ status: number; headers: Readonly<Record<string, unknown>> }> {
  const query = `?hub=${hub}${id === undefined ? '' : `&id=${id}`}${by === 'query' ? `&access_token=${shown}` : ''}`;
  const bearer = by === 'header' ? { authorization: `Bearer ${shown}` } : {};
  const answer = await request(gateway.origin + path + query, { method, headers: { accept, ...bearer, ...headers } });
  // A stream is open as soon as its head is here.
  answer.body.on('error', () => undefined).destroy();
  return { status: answer.statusCode, headers: answer.headers };
}

const told = (headers: Readonly<Record<string, unknown>>): unknown[] =>
  ['access-control-allow-origin', 'access-control-allow-credentials', 'vary'].map((name) => headers[name]);

describe.each(routes)('a page that asks $method $path $accept', (route) => {
  test('may read the answer and every refusal, when its origin is listed', async () => {
    const id = await connectionToken();
    for (const more of [{ id }, { id, by: 'nowhere' }, { id: 'unknown' }, {}] as const) {
      const { headers } = await ask(route, { ...more, headers: { origin: page } });
      expect(told(headers)).toEqual([page, 'true', 'Origin']);
    }
  });

  test('of another origin may read nothing, and what would change anything is refused', async () => {
    const id = await connectionToken();
    const { status, headers } = await ask(route, { id, headers: { origin: foreign } });
    expect(told(headers)).toEqual([undefined, undefined, 'Origin']);
    // A negotiation changes nothing, and another method does nothing.
    const harmless = route.path.endsWith('negotiate') ? 200 : route.method === 'PUT' ? 405 : 403;
    expect(status).toBe(harmless);
  });

  test('is asked for leave first, which needs no token and is given to listed origins only', async () => {
    const wanted = 'authorization, x-requested-with, x-signalr-user-agent, x-of-the-app';
    const asking = { 'access-control-request-method': route.method, 'access-control-request-headers': wanted };
    const preflight = (origin: string) =>
      ask({ ...route, method: 'OPTIONS' }, { by: 'nowhere', headers: { origin, ...asking } });
    const [allowed, refused] = [await preflight(page), await preflight(foreign)];
    expect([allowed.status, refused.status]).toEqual([204, 204]);
    expect(told(allowed.headers)).toEqual([page, 'true', 'Origin']);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': wanted,
      'access-control-max-age': '7200',
    });
    expect(Object.keys(refused.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

/** Opens a WebSocket; 101, or the status of the refusal. */
async function upgraded(query: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/client/?hub=${hub}${query}`, { headers });
  socket.on('error', () => undefined); // the status tells
  const answered = new Promise<number | undefined>((resolve) => {
    socket.once('open', () => resolve(101));
    socket.once('unexpected-response', (_, answer) => resolve(answer.statusCode));
  });
  const status = await within('the upgrade is answered', answered);
  socket.terminate();
  return status;
}

test('a WebSocket, which knows no CORS, is refused to pages of other origins whatever their token', async () => {
  const bearer = { authorization: `Bearer ${token}` };
  expect(await upgraded('', { ...bearer, origin: page })).toBe(101);
  expect(await upgraded('', { ...bearer, origin: page.toUpperCase() })).toBe(101);
  expect(await upgraded('', bearer)).toBe(101);
  for (const origin of [foreign, 'null', `${page}.evil.example`, `${page}:8443`, 'http://page.example', '']) {
    expect(await upgraded('', { ...bearer, origin }), origin).toBe(403);
  }
});

/** Any signed token. `eyJ` alone may stand in an id. */
const tokenForm = /eyJ[\w-]+\./;

test('no token of any client route is in the log at its lowest level, wherever it stood and whatever became of it', async () => {
  const now = Math.floor(Date.now() / 1000);
  const shown = [
    token,
    await clientToken(hub, 'late', { exp: now - 10 }),
    await clientToken('elsewhere', 'lost'),
    `${token.slice(0, -4)}AAAA`,
    'no-token-at-all-but-a-secret',
  ];
  const ids = [await connectionToken(), 'an-id-that-nobody-was-given'];
  for (const route of routes) {
    for (const [one, by] of shown.flatMap((each) => [[each, 'header'] as const, [each, 'query'] as const])) {
      for (const id of ids) await ask(route, { id, by, token: one });
    }
  }
  for (const one of shown) {
    await upgraded(`&access_token=${one}`, {});
    await upgraded('', { authorization: `Bearer ${one}` });
  }
  const refused = (): Promise<number> => gateway.metric('signalbox_tokens_refused_total');
  await until('the tokens were judged', async () => (await refused()) >= shown.length);
  gateway.signal('SIGTERM');
  const { stdout, stderr } = await within('the gateway stops', gateway.ended, 20_000);
  expect(stdout).toContain('listening');
  const secrets = [...shown, ...shown.map((one) => one.split('.').at(-1) ?? ''), ...ids, accessKey];
  expect(secrets.filter((secret) => `${stdout}${stderr}`.includes(secret))).toEqual([]);
  expect(`${stdout}${stderr}`).not.toMatch(tokenForm);
});
