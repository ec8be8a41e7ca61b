import { readClaims, type ServiceMessageOf } from '@signalbox/app-sdk/protocol';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import { clientClaims, sign, testKey } from '../auth/sign.ts';
import { RawClient } from '../support/raw-client.ts';
import { ScriptedApp } from './scripted-app.ts';

const nameIdentifier = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier';
const roleName = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';
const ok = 1;
const notFound = 2;
const forbidden = 5;

describe('a login over a link', () => {
  let gateway: Gateway;
  const apps: ScriptedApp[] = [];
  let client: RawClient;
  let connectionToken: string;

  beforeEach(async () => {
    const env = { PORT: '0', SIGNALBOX_ADMIN_PORT: '0', SIGNALBOX_ACCESS_KEY: testKey, SIGNALBOX_LOG_LEVEL: 'silent' };
    gateway = await startGateway(readConfig(env));
    const owner = await startApp('owner');
    const token = sign(clientClaims('chat', { nameid: 'ann', role: 'reader' }));
    const url = `http://127.0.0.1:${gateway.port}/client/negotiate?hub=chat&negotiateVersion=1`;
    const negotiated = await request(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    connectionToken = ((await negotiated.body.json()) as { connectionToken: string }).connectionToken;
    client = await RawClient.open(gateway.port, { hub: 'chat', token, id: connectionToken });
    client.socket.send('{"protocol":"json","version":1}\x1e');
    await owner.hears('OpenConnection', 1);
  });
  afterEach(async () => {
    client.leave();
    for (const app of apps.splice(0)) app.leave();
    await gateway.stop();
  });

  async function startApp(server: string): Promise<ScriptedApp> {
    const app = await ScriptedApp.connect(gateway.port, { headers: { 'x-asrs-server-id': server } });
    apps.push(app);
    return app;
  }

  async function ask(app: ScriptedApp, message: object): Promise<ServiceMessageOf<'Ack'>> {
    const count = app.of('Ack').length + 1;
    app.say({ connectionToken, ackId: 7, ...message } as ServiceMessageOf<'RefreshAuth'>);
    return app.hears('Ack', count);
  }

  const rolesOf = ({ payload }: ServiceMessageOf<'Ack'>): string[] =>
    readClaims(payload ?? new Uint8Array()).flatMap(([name, value]) => (name === roleName ? [value] : []));
  const asAnn = (role: string): object => ({
    kind: 'RefreshAuth',
    claims: [
      [nameIdentifier, 'ann'],
      [roleName, role],
    ],
    expireTime: undefined,
  });

  test('is read by the connection token, and by nothing else', async () => {
    const [owner] = apps as [ScriptedApp];
    const read = await ask(owner, { kind: 'GetConnectionClaims' });
    expect(read.status).toBe(ok);
    expect(rolesOf(read)).toEqual(['reader']);
    for (const other of ['nonsense', connectionToken.slice(0, -1), owner.of('OpenConnection')[0]?.connectionId]) {
      expect((await ask(owner, { kind: 'GetConnectionClaims', connectionToken: other })).status).toBe(notFound);
    }
  });

  test('renewed by another app server is told to the one that carries the client', async () => {
    const [owner] = apps as [ScriptedApp];
    const other = await startApp('other');
    const renewed = await ask(other, asAnn('writer'));
    expect(renewed.status).toBe(ok);
    expect(rolesOf(renewed)).toEqual(['writer']);
    const told = await owner.hears('UpdateConnectionClaims', 1);
    expect(told.claims).toContainEqual([roleName, 'writer']);
    expect(rolesOf(await ask(owner, { kind: 'GetConnectionClaims' }))).toEqual(['writer']);
  });

  test('renewed by the one that carries the client is not told to it again', async () => {
    const [owner] = apps as [ScriptedApp];
    expect((await ask(owner, asAnn('writer'))).status).toBe(ok);
    await owner.settled();
    expect(owner.of('UpdateConnectionClaims')).toEqual([]);
  });

  test('cannot make another user of a client', async () => {
    const [owner] = apps as [ScriptedApp];
    const refused = await ask(owner, { kind: 'RefreshAuth', claims: [[nameIdentifier, 'bob']], expireTime: undefined });
    expect(refused.status).toBe(forbidden);
    expect(rolesOf(await ask(owner, { kind: 'GetConnectionClaims' }))).toEqual(['reader']);
  });
});
