import { request } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clientClaims, sign } from '../auth/sign.ts';
import { head, raw } from '../http/raw.ts';
import { type Door, startDoor } from './start-door.ts';

let door: Door;
beforeAll(async () => {
  door = await startDoor({ origins: ['https://page.example', 'http://localhost:3000'] });
});
afterAll(() => door[Symbol.dispose]());
beforeEach(() => {
  door.clients.refused = undefined;
  door.limits.length = 0;
  door.refused.length = 0;
});

const token = (more: object = {}, hub = 'chat'): string => sign(clientClaims(hub, more));
const bearer = (more?: object): Record<string, string> => ({ authorization: `Bearer ${token(more)}` });

async function ask(
  query: string,
  headers: Record<string, string> = bearer(),
  method: 'POST' | 'GET' | 'PUT' | 'OPTIONS' = 'POST',
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  const answer = await request(`${door.url}/client/negotiate${query}`, { method, headers });
  return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
}

const transports = {
  WebSockets: '{"transport":"WebSockets","transferFormats":["Text","Binary"]}',
  ServerSentEvents: '{"transport":"ServerSentEvents","transferFormats":["Text"]}',
  LongPolling: '{"transport":"LongPolling","transferFormats":["Text","Binary"]}',
} as const;
const available = (...names: (keyof typeof transports)[]): string =>
  `"availableTransports":[${names.map((name) => transports[name]).join(',')}]`;
const all = available('WebSockets', 'ServerSentEvents', 'LongPolling');

describe('the version', () => {
  it('1 gives an id and a secret that is another', async () => {
    const { status, headers, body } = await ask('?hub=chat&negotiateVersion=1');
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    const { connectionId, connectionToken } = JSON.parse(body) as Record<string, string>;
    expect(body).toBe(
      `{"negotiateVersion":1,"connectionId":"${connectionId}","connectionToken":"${connectionToken}",${all}}`,
    );
    expect(connectionId).toMatch(/^[A-Za-z0-9_-]{34}$/);
    expect(connectionToken).toMatch(/^[A-Za-z0-9_-]{35,}$/);
  });

  for (const query of ['', '&negotiateVersion=0']) {
    it(`0 (asked by "${query}") gives one id, which is the secret`, async () => {
      const { body } = await ask(`?hub=chat${query}`);
      const { connectionId } = JSON.parse(body) as Record<string, string>;
      expect(body).toBe(`{"negotiateVersion":0,"connectionId":"${connectionId}",${all}}`);
      expect(connectionId?.length).toBeGreaterThan(34);
    });
  }

  for (const [asked, given] of [
    ['2', 1],
    ['999', 1],
    ['1&negotiateVersion=0', 1],
    ['0&negotiateVersion=1', 0],
  ] as const) {
    it(`${asked} is answered with ${given}`, async () => {
      expect(JSON.parse((await ask(`?hub=chat&negotiateVersion=${asked}`)).body).negotiateVersion).toBe(given);
    });
  }

  it('is found whatever the case of its name', async () => {
    expect(JSON.parse((await ask('?hub=chat&NegotiateVersion=1')).body).negotiateVersion).toBe(1);
  });

  for (const asked of ['abc', '1.5', '', '0x1', '99999999999']) {
    it(`"${asked}" is no integer`, async () => {
      const { status, body } = await ask(`?hub=chat&negotiateVersion=${asked}`);
      expect([status, body]).toEqual([200, '{"error":"The client requested a non-integer protocol version."}']);
    });
  }

  it('-1 is below the lowest', async () => {
    const { body } = await ask('?hub=chat&negotiateVersion=-1');
    expect(body).toBe(`{"error":"The client requested version '-1', but the server does not support this version."}`);
  });
});

it('stateful reconnect is not granted, however often it is asked for', async () => {
  const flag = '&useStatefulReconnect=true&useStatefulReconnect=true';
  expect((await ask(`?hub=chat&negotiateVersion=1${flag}`)).body).not.toContain('useStatefulReconnect');
});

it('a body and its content type are ignored', async () => {
  const lines = [`Authorization: Bearer ${token()}`, 'Content-Type: text/plain;charset=UTF-8', 'Content-Length: 3'];
  const socket = await raw(door.port, `${head('POST /client/negotiate?hub=chat', ...lines)}abc`);
  expect(await socket.until('}]}')).toMatch(/^HTTP\/1\.1 200 /);
  socket.socket.destroy();
});

it('a path that ends in a slash is the same', async () => {
  const answer = await request(`${door.url}/client/negotiate/?hub=chat`, { method: 'POST', headers: bearer() });
  expect(answer.statusCode).toBe(200);
});

it('a URI of 11 KB is accepted', async () => {
  expect((await ask(`?hub=chat&custom=${'x'.repeat(11_000)}`)).status).toBe(200);
});

describe('the transports', () => {
  for (const [mask, names] of [
    [1, ['WebSockets']],
    [2, ['ServerSentEvents']],
    [3, ['WebSockets', 'ServerSentEvents']],
    [4, ['LongPolling']],
    [6, ['ServerSentEvents', 'LongPolling']],
    [7, ['WebSockets', 'ServerSentEvents', 'LongPolling']],
  ] as const) {
    it(`of a token that says ${mask} are ${names.join(', ')}`, async () => {
      const { body } = await ask('?hub=chat&negotiateVersion=1', bearer({ 'asrs.s.htt': String(mask) }));
      expect(body.endsWith(`,${available(...names)}}`)).toBe(true);
    });
  }

  it('of a token that says 0 are none', async () => {
    const { status, body } = await ask('?hub=chat', bearer({ 'asrs.s.htt': '0' }));
    expect([status, body]).toEqual([200, '{"error":"The token (asrs.s.htt) allows no transport of this service."}']);
  });

  it('that are switched off are not offered', async () => {
    using some = await startDoor({ transports: ['WebSockets', 'LongPolling'] });
    const url = `${some.url}/client/negotiate?hub=chat&negotiateVersion=1`;
    const answer = await request(url, { method: 'POST', headers: bearer() });
    expect((await answer.body.text()).endsWith(`,${available('WebSockets', 'LongPolling')}}`)).toBe(true);
  });
});

describe('refusals', () => {
  for (const method of ['GET', 'PUT'] as const) {
    it(`of ${method} are 405 without words`, async () => {
      const { status, headers, body } = await ask('?hub=chat', bearer(), method);
      expect([status, headers['content-type'], body]).toEqual([405, 'text/plain', '']);
    });
  }

  const rows: [string, number, string, () => Promise<{ status: number; body: string }>][] = [
    ['no hub', 400, '"hub" is required', () => ask('')],
    ['a malformed hub', 400, '"hub" must be 1 to 128 characters', () => ask('?hub=1chat')],
    ['an empty hub', 400, '"hub" must be 1 to 128 characters', () => ask('?hub=')],
    ['a hub of 129 characters', 400, '"hub" must be', () => ask(`?hub=${'a'.repeat(129)}`)],
    ['no token', 401, 'a bearer token is required', () => ask('?hub=chat', {})],
    ['another scheme', 401, 'a bearer token is required', () => ask('?hub=chat', { authorization: 'Basic eA==' })],
    ['two tokens', 401, '', () => ask('?hub=chat', { authorization: `Bearer ${token()}, Bearer ${token()}` })],
    ['a token in the query', 401, 'a bearer', () => ask(`?hub=chat&access_token=${token()}`, {})],
    ['an expired token', 401, 'expired', () => ask('?hub=chat', bearer({ exp: 1_700_000_000 }))],
    [
      'a login that has expired',
      401,
      'the login of the user has expired',
      () => ask('?hub=chat', bearer({ 'asrs.s.coae': 'true', 'asrs.s.aeo': '1700000000' })),
    ],
    ['a token for another hub', 401, '"aud"', () => ask('?hub=other')],
    ['a second hub in front', 401, '"aud"', () => ask('?hub=other&hub=chat')],
    ['a server token', 401, '"aud"', () => ask('?hub=chat', bearer({ aud: 'http://h/server/?hub=chat' }))],
    ['an API token', 401, '"aud"', () => ask('?hub=chat', bearer({ aud: 'http://h/api/v1/hubs/chat' }))],
    [
      'a user id of 21 characters',
      400,
      'at most 20 characters, got 21',
      () => ask('?hub=chat', bearer({ sub: 'x'.repeat(21) })),
    ],
  ];
  for (const [name, status, words, asking] of rows) {
    it(`of ${name} are ${status} and say why`, async () => {
      const answer = await asking();
      expect(answer.status).toBe(status);
      expect(answer.body).toContain(words);
    });
  }

  it('for a limit are 429, name its setting, and are counted', async () => {
    door.clients.refused = 'SIGNALBOX_MAX_CONNECTIONS';
    const { status, headers, body } = await ask('?hub=chat');
    expect([status, headers['x-ms-error-code']]).toEqual([429, 'Error.Request.Throttled']);
    expect(body).toContain('SIGNALBOX_MAX_CONNECTIONS');
    expect(door.limits).toEqual(['SIGNALBOX_MAX_CONNECTIONS']);
    expect(door.refused).toEqual(['limit_reached']);
  });

  it('while the node stops are 503', async () => {
    door.clients.refused = 'draining';
    expect((await ask('?hub=chat')).status).toBe(503);
    expect(door.limits).toEqual([]);
    expect(door.refused).toEqual(['draining']);
  });
});

it('the first hub counts, in any case; one that a client appends does not', async () => {
  expect((await ask('?hub=Chat&hub=other')).status).toBe(200);
});

describe('a page of a browser', () => {
  const allowed = { origin: 'https://page.example' };
  const foreign = { origin: 'https://evil.example' };

  it('may ask before without a token, and is told what it may send', async () => {
    const wanted = 'authorization,content-type,x-requested-with,x-signalr-user-agent';
    const { status, headers, body } = await ask(
      '?hub=chat',
      { ...allowed, 'access-control-request-method': 'POST', 'access-control-request-headers': wanted },
      'OPTIONS',
    );
    expect([status, body]).toEqual([204, '']);
    expect(headers).toMatchObject({
      'access-control-allow-origin': 'https://page.example',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': wanted,
      'access-control-max-age': '7200',
      vary: 'Origin',
    });
  });

  it('of a foreign origin is told nothing', async () => {
    for (const method of ['OPTIONS', 'POST'] as const) {
      const { headers } = await ask('?hub=chat', { ...bearer(), ...foreign }, method);
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(headers['vary']).toBe('Origin');
    }
  });

  it('can read answers and refusals', async () => {
    for (const [query, headers, status] of [
      ['?hub=chat', bearer(), 200],
      ['?hub=chat', {}, 401],
      ['', bearer(), 400],
    ] as const) {
      const answer = await ask(query, { ...headers, ...allowed });
      expect(answer.status).toBe(status);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': 'https://page.example',
        'access-control-allow-credentials': 'true',
      });
    }
  });

  it('of any origin is welcome when * is set, and never told *', async () => {
    using open = await startDoor({ origins: ['*'] });
    const answer = await request(`${open.url}/client/?hub=chat`, { method: 'OPTIONS', headers: foreign });
    expect(answer.headers['access-control-allow-origin']).toBe('https://evil.example');
    await answer.body.dump();
  });
});
