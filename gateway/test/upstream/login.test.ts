import { afterEach, beforeEach, expect, it } from 'vitest';
import { readWill } from '../../src/upstream/will.ts';
import type { FakeClient } from '../support/fake-client.ts';
import { startUpstream, type Upstreamed } from './start-upstream.ts';
import { WebhookServer } from './webhook-server.ts';

const hub = 'chat';
const nameIdentifier = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier';
const claim = (name: string, text: string) => ({ name, text });
const origin = {
  claims: [claim('nameid', 'ann'), claim('role', 'reader'), claim('asrs.s.coae', 'True')],
  query: 'room=7',
  headers: [],
  remoteAddress: '127.0.0.1',
  server: undefined,
  sticky: undefined,
  diagnostic: false,
};
const now = Date.now();

let server: WebhookServer;
let node: Upstreamed;
/** Texts of the wills that were kept, in order. */
let wills: string[];

beforeEach(async () => {
  server = await WebhookServer.start();
  wills = [];
  const survivor = { keep: (_: string, text: () => string) => void wills.push(text()), drop: () => undefined };
  node = await startUpstream(`${server.url}/up`, { survivor });
});
afterEach(async () => {
  await node[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const arrive = (authExpires?: number): Promise<FakeClient> => node.connect({ userId: 'ann', origin, authExpires });

async function change({ id }: FakeClient, more: { claims?: readonly [string, string][]; expires?: number } = {}) {
  return node.core.logins.change({ hub, connection: id, claims: [], expires: undefined, server: '', ...more });
}

it('the claims of a login that ends are read, under the names that .NET gives them', async () => {
  expect(await change(await arrive(now + 60_000))).toContainEqual([nameIdentifier, 'ann']);
});

it('nobody keeps the claims of a login without end', async () => {
  await expect(change(await arrive())).rejects.toMatchObject({ code: 'connection_unknown' });
});

it('renewed claims are told by the webhooks that come later, and by the one of the end', async () => {
  const client = await arrive(now + 60_000);
  client.send({ kind: 'invocation', target: 'before', arguments: [] });
  const claims: [string, string][] = [
    ['nameid', 'ann'],
    ['role', 'writer'],
  ];
  await change(client, { claims });
  client.send({ kind: 'invocation', target: 'after', arguments: [] });
  client.leave();
  await server.post(3);
  const told = server.posts.items.map(({ headers }) => [headers['x-asrs-event'], headers['x-asrs-user-claims']]);
  const before = 'nameid: ann, role: reader, asrs.s.coae: True';
  const after = 'asrs.s.coae: True, nameid: ann, role: writer';
  expect(told).toEqual([
    ['connected', before],
    ['before', before],
    ['after', after],
    ['disconnected', after],
  ]);
  expect(server.posts.items.map(({ headers }) => headers['x-asrs-client-query'])).toEqual(Array(4).fill('?room=7'));
  expect(wills.map((text) => readWill(text)?.headers.filter((part) => part.includes('role: ')))).toEqual([
    [before],
    [after],
  ]);
});

it('only the end of a login changes when no claims are given, and it never comes nearer', async () => {
  const client = await arrive(now + 60_000);
  await change(client, { expires: now + 90_000 });
  await change(client, { expires: now + 10_000 });
  expect(client.connection.authExpires).toBe(now + 90_000);
  expect(wills).toHaveLength(1);
});

it('a login stays that of its user', async () => {
  const client = await arrive(now + 60_000);
  const asBob = { claims: [['sub', 'bob']] as [string, string][], expires: now + 90_000 };
  await expect(change(client, asBob)).rejects.toMatchObject({ code: 'user_mismatch' });
  expect(client.connection.authExpires).toBe(now + 60_000);
  expect(await change(client)).toContainEqual([nameIdentifier, 'ann']);
});
