import { type NegotiateOptions, SignalboxError } from '@signalbox/app-sdk';
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { parseConnectionString } from '../src/connection-string.ts';
import { hubName } from '../src/hub-name.ts';
import { createNegotiator, pathAndQuery, redirectQuery } from '../src/negotiate.ts';
import { clientClaims } from '../src/negotiate-claims.ts';
import { createSigner } from '../src/token.ts';

function negotiator(endpoints = 'Endpoint=http://localhost:8888', hub = hubName('chat').full, serverId?: string) {
  const connectionString = parseConnectionString(`${endpoints};AccessKey=secret`);
  const signer = createSigner('secret');
  return createNegotiator({ connectionString, signer, hub, ...(serverId !== undefined && { serverId }) });
}

describe('the URL', () => {
  test.each([
    ['/user/path/negotiate', '', '&asrs.op=%2Fuser%2Fpath&asrs_request_id='],
    ['/user/path/negotiate/', 'a', '&asrs.op=%2Fuser%2Fpath&asrs_request_id=a'],
    ['?customKey=customeValue', '?a=c', '&customKey=customeValue&asrs_request_id=%3Fa%3Dc'],
    [
      '/user/path/negotiate?customKey=customeValue',
      '&',
      '&asrs.op=%2Fuser%2Fpath&customKey=customeValue&asrs_request_id=%26',
    ],
    ['/negotiate?negotiateVersion=1', '', '&negotiateVersion=1&asrs_request_id='],
    ['/chat', 'x', '&asrs_request_id=x'],
    ['/a%20b/c%2Fd/ü/negotiate', '', '&asrs.op=%2Fa+b%2Fc%252Fd%2F%C3%BC&asrs_request_id='],
    ['/a%zz/negotiate', '', '&asrs.op=%2Fa%25zz&asrs_request_id='],
    ['/c/negotiate?a=%26&a=2&b', '', '&asrs.op=%2Fc&a=%26&a=2&b&asrs_request_id='],
  ])('of %j with request id %j goes on with %s', (url, id, query) => {
    expect(redirectQuery(url, id)).toBe(query);
  });

  test('takes path and query of absolute URLs, and the original URL where a router has cut it', () => {
    expect(pathAndQuery({ url: 'https://app.example/chat/negotiate?a=1' })).toBe('/chat/negotiate?a=1');
    expect(pathAndQuery({ url: '/negotiate', originalUrl: '/chat/negotiate' } as { url: string })).toBe(
      '/chat/negotiate',
    );
    expect(pathAndQuery({})).toBe('');
  });

  test('without a request is that of the Management SDK', async () => {
    const response = await negotiator()();
    expect(response).toMatchObject({ negotiateVersion: 0, url: 'http://localhost:8888/client/?hub=chat' });
    expect(response.availableTransports).toEqual([]);
    expect(Object.keys(response).sort()).toEqual(['accessToken', 'availableTransports', 'negotiateVersion', 'url']);
  });

  test('keeps the hub first, so that a query of the client cannot change it', async () => {
    const { url } = await negotiator()({ request: { url: '/chat/negotiate?hub=other' }, requestId: '' });
    expect(url).toBe('http://localhost:8888/client/?hub=chat&asrs.op=%2Fchat&hub=other&asrs_request_id=');
  });

  test('has a new request id each time', async () => {
    const negotiate = negotiator();
    const ids = await Promise.all([1, 2].map(async () => (await negotiate({ request: { url: '/n' } })).url));
    expect(ids[0]).toMatch(/asrs_request_id=[A-Za-z0-9]+%3D$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test('begins with the client endpoint, while the audience has the host of the endpoint without port', async () => {
    const parts = 'Endpoint=http://h:81;ClientEndpoint=https://c.example/asrs/';
    const response = await negotiator(parts, hubName('Chat', 'appName').full)();
    expect(response.url).toBe('https://c.example/asrs/client/?hub=appname_chat');
    expect(decodeJwt(response.accessToken).aud).toBe('http://h/client/?hub=appname_chat');
  });
});

describe('the token', () => {
  test('of one day lives 86400 seconds', async () => {
    const { nbf = 0, exp = 0 } = decodeJwt((await negotiator()({ lifetimeSeconds: 86_400 })).accessToken);
    expect(exp - nbf).toBe(86_400);
  });

  test('of more than 4096 characters is refused', async () => {
    const claims = { long: 'x'.repeat(4000) };
    const error = await negotiator()({ claims }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SignalboxError);
    expect(error).toMatchObject({ code: 'ERR_TOKEN_TOO_LONG', outcome: 'notSent', retryable: false });
  });

  test('sticks to the app server where there is one', async () => {
    const negotiate = negotiator(undefined, 'chat', 'host_1');
    const token = (await negotiate({ stickiness: 'required' })).accessToken;
    expect(decodeJwt(token)).toMatchObject({ 'asrs.s.sn': 'host_1', 'asrs.s.ssticky': 'Required' });
    await expect(negotiator()({ stickiness: 'preferred' })).rejects.toThrow('"stickiness" needs an app server');
  });
});

describe('the claims', () => {
  const loginEnd = new Date(1_700_000_000_900);
  test.each<[NegotiateOptions, object]>([
    [{}, {}],
    [{ userId: 'u' }, { 'asrs.s.uid': 'u' }],
    [{ userId: '' }, { 'asrs.s.uid': '' }],
    [
      { detailedErrors: true, diagnostic: true },
      { 'asrs.s.derror': 'True', 'asrs.s.dc': 'true' },
    ],
    [{ detailedErrors: false, diagnostic: false }, {}],
    [{ handshakeTimeoutSeconds: -1 }, {}],
    [{ handshakeTimeoutSeconds: 0 }, {}],
    [{ handshakeTimeoutSeconds: 1 }, { 'asrs.s.cht': '1' }],
    [{ handshakeTimeoutSeconds: 15 }, {}],
    [{ handshakeTimeoutSeconds: 30 }, { 'asrs.s.cht': '30' }],
    [{ handshakeTimeoutSeconds: 31 }, {}],
    [{ longPollingTimeoutSeconds: 1 }, { 'asrs.s.ttl': '1' }],
    [{ longPollingTimeoutSeconds: 15 }, { 'asrs.s.ttl': '15' }],
    [{ longPollingTimeoutSeconds: 300 }, { 'asrs.s.ttl': '300' }],
    [{ transports: ['WebSockets', 'LongPolling'] }, { 'asrs.s.htt': '5' }],
    [{ transports: ['ServerSentEvents', 'ServerSentEvents'] }, { 'asrs.s.htt': '2' }],
    [{ closeOnAuthExpiration: loginEnd }, { 'asrs.s.coae': 'true', 'asrs.s.aeo': '1700000000' }],
    [{ claims: { role: ['a', 'b'], vip: true, level: 3 } }, { role: ['a', 'b'], vip: 'true', level: 3 }],
    [{ claims: { none: [] } }, {}],
    [{ claims: { sub: 's' } }, { sub: 's' }],
    [{ claims: { sub: ['s', 't', 'u'] } }, { sub: 's', 'asrs.u.sub': ['t', 'u'] }],
    [{ claims: { iss: 'i', exp: 1 } }, { 'asrs.u.iss': 'i', 'asrs.u.exp': 1 }],
  ])('of %j are %j', (options, claims) => {
    expect(clientClaims(options)).toEqual(claims);
  });

  test.each(['aud', 'exp', 'iat', 'nbf', 'iss', 'actort', 'acr', 'azp', 'c_hash', 'jti', 'nonce'])(
    'called %s travel escaped',
    (name) => expect(clientClaims({ claims: { [name]: 'x' } })).toEqual({ [`asrs.u.${name}`]: 'x' }),
  );

  test.each<[object, string]>([
    [{ longPollingTimeoutSeconds: -10 }, '"longPollingTimeoutSeconds" must be a whole number from 1 to 300, got -10'],
    [{ longPollingTimeoutSeconds: 0 }, 'got 0'],
    [{ longPollingTimeoutSeconds: 500 }, 'got 500'],
    [{ handshakeTimeoutSeconds: 1.5 }, '"handshakeTimeoutSeconds" must be a whole number, got 1.5'],
    [{ transports: [] }, '"transports" must name at least one transport'],
    [{ transports: ['Carrier pigeon'] }, '"transports" must be of WebSockets, ServerSentEvents, LongPolling'],
    [{ transports: ['constructor'] }, '"transports" must be of'],
    [{ userId: 7 }, '"userId" must be a string, got 7'],
    [{ closeOnAuthExpiration: new Date(Number.NaN) }, '"closeOnAuthExpiration" must be a valid Date'],
    [{ stickiness: 'sometimes' }, '"stickiness" must be preferred or required, got "sometimes"'],
    [{ claims: { 'asrs.s.uid': 'admin' } }, `claim "asrs.s.uid" is the service's own`],
    [
      { claims: { x: null } },
      'claim "x" must be a string, a finite number, a boolean or an array of strings, got null',
    ],
    [{ claims: { x: Number.NaN } }, 'got NaN'],
    [{ claims: { x: ['a', 1] } }, 'got an array'],
  ])('of %j are a TypeError: %s', (options, sentence) => {
    expect(() => clientClaims(options as NegotiateOptions)).toThrow(TypeError);
    expect(() => clientClaims(options as NegotiateOptions)).toThrow(sentence);
  });

  test.each([0, 1.5, -1, 40_000_000])('live for a whole number of seconds, not %d', async (lifetimeSeconds) => {
    await expect(negotiator()({ lifetimeSeconds })).rejects.toThrow('"lifetimeSeconds" must be a whole number');
  });
});

describe('the name of a hub', () => {
  test('is lower-cased, with its application in front', () => {
    expect(hubName('Chat', 'App').full).toBe('app_chat');
    expect(hubName('A`1[B,C].d').full).toBe('a`1[b,c].d');
  });

  test.each([[''], ['1a'], ['a b'], ['a'.repeat(129)], [undefined]])('is not %j', (name) => {
    expect(() => hubName(name)).toThrow('"hub" must be 1 to 128 characters');
  });

  test('has no application with other characters', () => {
    expect(() => hubName('chat', 'my-app')).toThrow('"application" must be a letter');
  });
});
