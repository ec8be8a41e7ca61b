import type { ServiceMessageOf } from '@signalbox/app-sdk/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ScriptedApp } from '../apps/scripted-app.ts';
import { negotiate, RawClient } from '../support/raw-client.ts';
import { RawRest, type RestAnswer } from '../support/raw-rest.ts';
import { type Service, startService } from '../support/service.ts';
import { clientToken } from '../support/tokens.ts';
import { within } from '../support/until.ts';
import { Scripts } from './scripts.ts';

const nameIdentifier = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier';
const hub = 'logins';
const path = (operation: string): string => `/api/hubs/${hub}/connections/${operation}?api-version=2026-07-01`;
const later = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

let service: Service;
let rest: RawRest;
let scripts: Scripts;
let app: ScriptedApp;
let client: RawClient;
let connectionToken: string;

beforeAll(async () => {
  service = await startService();
  rest = new RawRest(service.node(0).origin);
});
afterAll(async () => {
  await rest.close();
  await service[Symbol.asyncDispose]();
});

/** A client of user ann on node 1, carried by a link there; its login ends in so many seconds. REST is at node 0. */
beforeEach(async () => {
  scripts = new Scripts(service);
  app = await scripts.link({ at: 1, hub, server: 'owner' });
  await arrive(3600);
});
afterEach(() => {
  client.leave();
  scripts.close();
});

async function arrive(seconds: number): Promise<void> {
  const expires = String(Math.floor(Date.now() / 1000) + seconds);
  const claims = { nameid: 'ann', role: 'reader', 'asrs.s.coae': 'True', 'asrs.s.aeo': expires };
  const came = app.of('OpenConnection').length + 1;
  ({ connectionToken } = await negotiate(service.node(1).origin, hub, 'ann'));
  const token = await clientToken(hub, 'ann', claims);
  client = await RawClient.open(service.node(1).port, { hub, id: connectionToken, token });
  client.say({ protocol: 'json', version: 1 });
  const { connectionId } = await app.hears('OpenConnection', came);
  app.say({ kind: 'ConnectionData', connectionId, payload: Buffer.from('{}\x1e') });
  await client.inbox.until('the handshake response', (items) => items.length > 0);
}

const call = (operation: string, body: object): Promise<RestAnswer> =>
  rest.call('POST', path(operation), { body: JSON.stringify(body) });
const codeOf = ({ status, headers }: RestAnswer): unknown[] => [status, headers['x-ms-error-code']];

function claimsOf({ body }: RestAnswer, name: string): string[] {
  const { claims } = JSON.parse(body) as { claims: { type: string; value: string }[] };
  return claims.flatMap(({ type, value }) => (type.endsWith(name) ? [value] : []));
}

describe('the login of a client on another node', () => {
  test('is read by its connection token', async () => {
    const answer = await call('claims', { connectionToken });
    expect(answer.status).toBe(200);
    expect([claimsOf(answer, 'role'), claimsOf(answer, 'nameidentifier')]).toEqual([['reader'], ['ann']]);
  });

  test('is renewed, and its app server hears of the claims', async () => {
    const claims = [
      { type: nameIdentifier, value: 'ann' },
      { type: 'role', value: 'writer' },
    ];
    const answer = await call(':refreshAuth', { connectionToken, expireTime: later(7200), claims });
    expect([answer.status, claimsOf(answer, 'role')]).toEqual([200, ['writer']]);
    const told: ServiceMessageOf<'UpdateConnectionClaims'> = await app.hears('UpdateConnectionClaims');
    expect(told.claims.map(([, value]) => value)).toContain('writer');
    expect(claimsOf(await call('claims', { connectionToken }), 'role')).toEqual(['writer']);
  });

  test('goes on beyond its first end, and ends at the new one', async () => {
    await arrive(7); // time to renew it
    const arrived = Date.now();
    const answer = await call(':refreshAuth', { connectionToken, expireTime: later(9) });
    expect([answer.status, claimsOf(answer, 'role')]).toEqual([200, ['reader']]);
    await within('the client is closed', client.closed);
    expect(Date.now() - arrived).toBeGreaterThan(8000);
  });

  test('stays that of the same user', async () => {
    const claims = [{ type: nameIdentifier, value: 'bob' }];
    const named = [{ type: 'asrs.s.uid', value: 'bob' }, ...claims];
    expect((await call(':refreshAuth', { connectionToken, expireTime: later(60), claims: named })).status).toBe(200);
    expect(claimsOf(await call('claims', { connectionToken }), 'asrs.s.uid')).toEqual(['ann']);
  });
});

test('a login whose claims name another user is 403 with its code', async () => {
  const { connectionToken: unnamed } = await negotiate(service.node(1).origin, hub, 'eve');
  const came = app.of('OpenConnection').length + 1;
  const token = await clientToken(hub, undefined, { nameid: 'eve' });
  const eve = await RawClient.open(service.node(1).port, { hub, id: unnamed, token });
  eve.say({ protocol: 'json', version: 1 });
  await app.hears('OpenConnection', came);
  const claims = [{ type: nameIdentifier, value: 'bob' }];
  const refused = await call(':refreshAuth', { connectionToken: unnamed, expireTime: later(60), claims });
  expect(codeOf(refused)).toEqual([403, 'ConnectionUserMismatch']);
  eve.leave();
});

test.each(['nonsense', ''])(
  'the connection token %j is 404 with its code, for both operations',
  async (connectionToken) => {
    expect(codeOf(await call('claims', { connectionToken }))).toEqual([404, 'ConnectionNotFound']);
    const refused = await call(':refreshAuth', { connectionToken, expireTime: later(60) });
    expect(codeOf(refused)).toEqual([404, 'ConnectionNotFound']);
  },
);

describe('in a serverless hub, the login of a client on another node', () => {
  const free = 'free';
  const at = (operation: string, body: object): Promise<RestAnswer> =>
    rest.call('POST', path(operation).replace(hub, free), { body: JSON.stringify(body) });

  async function come(claims: object): Promise<{ connectionToken: string; guest: RawClient }> {
    const { connectionToken } = await negotiate(service.node(1).origin, free, 'ann');
    const token = await clientToken(free, 'ann', { nameid: 'ann', role: 'reader', ...claims });
    return {
      connectionToken,
      guest: await RawClient.connect(service.node(1).port, { hub: free, id: connectionToken, token }),
    };
  }

  test('is read and renewed, when it ends', async () => {
    const expires = String(Math.floor(Date.now() / 1000) + 3600);
    const { connectionToken, guest } = await come({ 'asrs.s.coae': 'True', 'asrs.s.aeo': expires });
    expect(claimsOf(await at('claims', { connectionToken }), 'role')).toEqual(['reader']);
    const claims = [
      { type: 'nameid', value: 'ann' },
      { type: 'role', value: 'writer' },
    ];
    const renewed = await at(':refreshAuth', { connectionToken, expireTime: later(7200), claims });
    expect([renewed.status, claimsOf(renewed, 'role')]).toEqual([200, ['writer']]);
    expect(claimsOf(await at('claims', { connectionToken }), 'role')).toEqual(['writer']);
    guest.leave();
  });

  test('without an end is 404', async () => {
    const { connectionToken, guest } = await come({});
    expect(codeOf(await at('claims', { connectionToken }))).toEqual([404, 'ConnectionNotFound']);
    guest.leave();
  });
});

test('the token of a client that left is 404', async () => {
  client.leave();
  await app.hears('CloseConnection');
  expect(codeOf(await call('claims', { connectionToken }))).toEqual([404, 'ConnectionNotFound']);
});

test.each([
  ['claims', {}],
  ['claims', { connectionToken: 1 }],
  ['claims', []],
  [':refreshAuth', { connectionToken: 'x' }],
  [':refreshAuth', { connectionToken: 'x', expireTime: 'soon' }],
  [':refreshAuth', { connectionToken: 'x', expireTime: later(1), claims: {} }],
  [':refreshAuth', { connectionToken: 'x', expireTime: later(1), claims: [{ type: 'role' }] }],
  [':refreshAuth', { connectionToken: 'x', expireTime: later(1), claims: [null] }],
])('%s with %j is 400', async (operation, body) => {
  expect(codeOf(await call(operation, body))).toEqual([400, 'Error.Request.Invalid']);
});
