import { afterAll, beforeAll, expect, test } from 'vitest';
import { firstClaim } from '../../src/auth/claims.ts';
import { createClientTokens } from '../../src/auth/client-tokens.ts';
import { importKeys } from '../../src/auth/keys.ts';
import { Tokens } from '../../src/auth/tokens.ts';
import { type RestServer, startRest } from './rest-server.ts';

const now = 1_800_000_000_000;
const [first, second] = ['a'.repeat(32), 'b'.repeat(32)];

let rest: RestServer;
beforeAll(async () => {
  const clientTokens = createClientTokens(await importKeys([first, second]), () => now);
  rest = await startRest({ hosts: ['public.example'] }, { clientTokens });
});
afterAll(() => rest.close());

/** Verified as `/client/` would, by a service with this key. */
async function opened(token: string, hub: string, at = now, key = first) {
  const events = { tokenRefused: () => undefined };
  const tokens = new Tokens({ keys: await importKeys([key]), hosts: ['public.example'], events, now: () => at });
  return tokens.verify(token, { role: 'client', hub });
}

async function generated(target: string): Promise<string> {
  const answer = await rest.call('POST', target);
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
  return (JSON.parse(answer.body) as { token: string }).token;
}

test('a generated token opens its hub for its user, and is signed with the first access key', async () => {
  const token = await generated('/api/hubs/Chat/:generateToken?userId=ann%2Fb&application=App&api-version=2022-11-01');
  const claims = await opened(token, 'app_chat');
  expect([firstClaim(claims, 'asrs.s.uid'), firstClaim(claims, 'nameid')]).toEqual(['ann/b', 'ann/b']);
  expect(firstClaim(claims, 'aud')).toBe('http://public.example/client/?hub=app_chat');
  await expect(opened(token, 'chat')).rejects.toMatchObject({ code: 'unauthorized' });
  await expect(opened(token, 'app_chat', now, second)).rejects.toMatchObject({ code: 'unauthorized' });
});

test('a hub of odd letters has its token too', async () => {
  await opened(await generated('/api/v1/hubs/a%60,.%5B%5D/:generateToken'), 'a`,.[]');
});

test.each([
  ['', 60],
  ['?minutesToExpire=1', 1],
  ['?minutesToExpire=2147483647', 2_147_483_647],
])('with %j it is valid for %d minutes, and without a user nobody', async (query, minutes) => {
  const token = await generated(`/api/hubs/chat/:generateToken${query}`);
  const end = now + minutes * 60_000;
  expect(firstClaim(await opened(token, 'chat', end - 1000), 'asrs.s.uid')).toBeUndefined();
  await expect(opened(token, 'chat', end)).rejects.toMatchObject({ message: expect.stringContaining('expired') });
});

test.each([
  ['minutesToExpire=0', '"minutesToExpire" must be an integer from 1 to 2147483647, got "0"'],
  ['minutesToExpire=1.5', '"minutesToExpire" must be an integer from 1 to 2147483647, got "1.5"'],
  [`userId=${'u'.repeat(1025)}`, '"userId" must be 1 to 1024 characters, got 1025'],
])('%s is refused', async (query, message) => {
  const answer = await rest.call('POST', `/api/hubs/chat/:generateToken?${query}`);
  expect([answer.status, JSON.parse(answer.body).message]).toEqual([400, message]);
});

test.each([
  ['POST', '/api/hubs/chat/:execute', 'the commands of ":execute" are not published'],
  ['GET', '/api/auth/accessKey', 'Entra ID is not supported'],
  ['GET', '/api/v1/auth/accesskey', 'Entra ID is not supported'],
])('%s %s is 404 with a code of its own and says why', async (method, target, why) => {
  const answer = await rest.call(method, target);
  expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([404, 'Error.Request.NotSupported']);
  expect(JSON.parse(answer.body).message).toContain(why);
});
