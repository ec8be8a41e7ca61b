import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../src/apps/rest-routes.ts';
import { importKeys } from '../../src/auth/keys.ts';
import { Tokens } from '../../src/auth/tokens.ts';
import { type RestServer, startRest } from './rest-server.ts';

const [first, second, foreign] = ['a', 'b', 'c'].map((letter) => Buffer.alloc(32, letter).toString()) as [
  string,
  string,
  string,
];

let rest: RestServer;
beforeAll(async () => {
  const keys = await importKeys([first, second]);
  rest = await startRest({}, { tokens: new Tokens({ keys, hosts: [], events: { tokenRefused: () => undefined } }) });
});
afterAll(() => rest.close());

const calls = routes.flatMap(({ kind, operation, methods, paths }) =>
  ['/api/', '/api/v1/'].flatMap((prefix) =>
    paths.flatMap((path) =>
      methods.map((method) => ({ kind, operation, method, path: prefix + path.replaceAll(/\{(\w+)\}/g, '$1') })),
    ),
  ),
);
const closed = calls.filter(({ kind }) => kind !== 'open');
const open = calls.filter(({ kind }) => kind === 'open');

const seconds = (): number => Math.floor(Date.now() / 1000);
const url = (path: string): string => `http://gateway.example${path}`;

function sign(claims: Readonly<Record<string, unknown>>, key = first, alg = 'HS256'): Promise<string> {
  return new SignJWT({ exp: seconds() + 60, ...claims }).setProtectedHeader({ alg }).sign(Buffer.from(key));
}

/** Tokens that open nothing: name → token for a path. */
const bad: Readonly<Record<string, (path: string) => Promise<string> | string>> = {
  none: () => '',
  'no JWT': () => 'abc.def.ghi',
  'signed with another key': (path) => sign({ aud: url(path) }, foreign),
  'signed with HS384': (path) => sign({ aud: url(path) }, first.repeat(2), 'HS384'),
  expired: (path) => sign({ aud: url(path), exp: seconds() - 1 }),
  'without an end': (path) => sign({ aud: url(path), exp: undefined }),
  'of the future': (path) => sign({ aud: url(path), nbf: seconds() + 600 }),
  'without an audience': () => sign({}),
  'for another path': (path) => sign({ aud: url(`${path}/more`) }),
  'for another hub': (path) =>
    sign({ aud: url(path.includes('/hubs/') ? path.replace('/hubs/hub', '/hubs/other') : '/') }),
  'of a client': () => sign({ aud: 'http://gateway.example/client/?hub=hub' }),
  'of an app server': () => sign({ aud: 'http://gateway.example/server/?hub=hub' }),
};

describe.each(closed)('$operation, $method $path', ({ method, path }) => {
  test('takes no bad token, and does nothing for it', async () => {
    rest.reset();
    for (const [name, make] of Object.entries(bad)) {
      const token = await make(path);
      const headers = { authorization: token === '' ? '' : `Bearer ${token}` };
      const answer = await rest.call(method, path, { headers });
      expect([name, answer.status]).toEqual([name, 401]);
      expect(answer.headers['x-ms-error-code']).toBe('Error.Request.Unauthorized');
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
    expect(rest.commands).toEqual([]);
  });

  test('takes a token of either access key', async () => {
    for (const key of [first, second]) {
      const headers = { authorization: `Bearer ${await sign({ aud: url(path) }, key)}` };
      expect((await rest.call(method, path, { headers })).status).not.toBe(401);
    }
  });
});

test('nothing but health and the description of the API is open to anybody', async () => {
  expect(new Set(open.map(({ operation }) => operation))).toEqual(new Set(['health', 'openapi']));
  for (const { method, path } of open) {
    expect((await rest.call(method, path, { headers: { authorization: '' } })).status).toBe(200);
  }
});
