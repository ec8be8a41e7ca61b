import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importKeys } from '../../src/auth/keys.ts';
import { Tokens } from '../../src/auth/tokens.ts';
import { json, type RestServer, startRest } from './rest-server.ts';

const key = 'a'.repeat(32);
const path = '/api/hubs/Chat/groups/a%2Fb/:send';

let rest: RestServer;
beforeAll(async () => {
  const tokens = new Tokens({ keys: await importKeys([key]), hosts: [], events: { tokenRefused: () => undefined } });
  rest = await startRest({}, { tokens });
});
afterAll(() => rest.close());

function signed(audience: string, given: { alg?: string; key?: string; expires?: number } = {}): Promise<string> {
  return new SignJWT({ nameid: 'server' })
    .setProtectedHeader({ alg: given.alg ?? 'HS256', kid: '1' })
    .setAudience(audience)
    .setExpirationTime(given.expires ?? Math.floor(Date.now() / 1000) + 60)
    .sign(Buffer.from(given.key ?? key));
}

async function statusWith(token: string, query = '?api-version=2022-06-01'): Promise<number> {
  const headers = { ...json.headers, authorization: `Bearer ${token}` };
  return (await rest.call('POST', path + query, { ...json, headers })).status;
}

test.each([
  ['with the query of the Management SDK', `https://x.example${path}?api-version=2022-06-01`],
  ['with an application', `https://x.example${path}?application=app&api-version=2022-06-01`],
  ['without a query', `https://x.example${path}`],
  ['with a port', `http://x.example:8080${path}`],
  ['with a slash at the end', `http://x.example${path}/`],
  ['with the hub in lower case', 'http://x.example/api/hubs/chat/groups/a%2Fb/:send'],
  ['with an escaped colon', 'http://x.example/api/hubs/chat/groups/a%2fb/%3Asend'],
])('an audience %s is accepted', async (_name, audience) => {
  expect(await statusWith(await signed(audience), '?api-version=2022-06-01&excluded=a')).toBe(202);
});

test('HS512 is accepted too', async () => {
  expect(await statusWith(await signed(`http://x.example${path}`, { alg: 'HS512' }))).toBe(202);
});

test.each([
  ['of another hub', 'http://x.example/api/hubs/other/groups/a%2Fb/:send', {}],
  ['of another operation', 'http://x.example/api/hubs/chat/:send', {}],
  ['of a group whose slash is a border', 'http://x.example/api/hubs/chat/groups/a/b/:send', {}],
  ['of a client', 'http://x.example/client/?hub=chat', {}],
  ['of an app server', 'http://x.example/server/?hub=chat', {}],
  ['signed with another key', `http://x.example${path}`, { key: 'b'.repeat(32) }],
  ['that has expired', `http://x.example${path}`, { expires: 1 }],
])('a token %s is 401 and nothing is sent', async (_name, audience, given) => {
  rest.reset();
  expect(await statusWith(await signed(audience, given))).toBe(401);
  expect(rest.commands).toEqual([]);
});
