import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Link } from '../../src/apps/link.ts';
import { FakeCarried, type LinkDoor, startLinkDoor } from './link-door.ts';
import type { ScriptedApp } from './scripted-app.ts';

const role = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';
const request = Buffer.from('{"protocol":"json","version":1}\x1e');

let door: LinkDoor;
let app: ScriptedApp;
let link: Link;
let client: FakeCarried;
beforeEach(async () => {
  door = await startLinkDoor();
  ({ app, link } = await door.linked({ handshake: { migrationLevel: 1 } }));
  client = new FakeCarried('c1');
});
afterEach(() => {
  expect([...door.defects, ...app.faults]).toEqual([]);
  door[Symbol.dispose]();
});

/** Binds `client`, or another. */
function open(one = client): FakeCarried {
  link.open(one, one.info(), request);
  return one;
}

describe('a client that is opened', () => {
  test('is announced once with all that is known of it, then its handshake request follows untouched', async () => {
    const info = client.info({
      claims: [
        [role, 'admin'],
        [role, 'author'],
        ['asrs.s.uid', 'u1'],
      ],
      headers: [['X-Forwarded-For', ['10.0.0.1']]],
      queryString: '?hub=chat',
      protocol: 'messagepack',
    });
    link.open(client, info, request);
    const data = await app.hears('ConnectionData');
    const { protocol, ...rest } = info;
    expect(app.heard.slice(1)).toEqual([
      { kind: 'OpenConnection', ...rest, extensions: { protocol } },
      { kind: 'ConnectionData', connectionId: 'c1', payload: new Uint8Array(request), extensions: {} },
    ]);
    expect(Buffer.from(data.payload).equals(request)).toBe(true);
    expect(link.clients).toBe(1);
  });

  test('from another app server says so', async () => {
    link.open(client, client.info({ headers: [['a', ['b']]] }), request, 'srvOld');
    expect((await app.hears('OpenConnection')).headers).toEqual([
      ['a', ['b']],
      ['Asrs-Migrate-From', ['srvOld']],
    ]);
  });

  test('is counted as a change of the link, and so is its end', () => {
    const { changes } = door.host;
    open();
    link.close('c1', '');
    expect(door.host.changes).toBe(changes + 2);
  });
});

describe('bytes', () => {
  test('of a client go to the app in order, copied before the call returns', async () => {
    open();
    const piece = Buffer.from('piece 1');
    link.data('c1', piece);
    piece.fill(0);
    link.data('c1', Buffer.alloc(300_000, 'x'));
    link.data('c1', Buffer.from('piece 3'));
    await app.hears('ConnectionData', 4);
    const came = app.of('ConnectionData').map(({ payload }) => Buffer.from(payload).toString());
    expect(came).toEqual([request.toString(), 'piece 1', 'x'.repeat(300_000), 'piece 3']);
  });

  test('of the app go to the client in order, and stay as they were', async () => {
    open();
    const sent = ['{}\x1e', 'a'.repeat(70_000), 'b', 'c'];
    for (const text of sent) app.say({ kind: 'ConnectionData', connectionId: 'c1', payload: Buffer.from(text) });
    await client.until(() => client.bytes.length === 4);
    expect(client.bytes.map((bytes) => Buffer.from(bytes).toString())).toEqual(sent);
  });

  test('for clients that are not bound are passed over, both ways', async () => {
    link.data('nobody', Buffer.from('x'));
    link.close('nobody', '');
    app.say({ kind: 'ConnectionData', connectionId: 'nobody', payload: Buffer.from('x') });
    await app.settled();
    expect(app.heard.map(({ kind }) => kind)).toEqual(['HandshakeResponse', 'Ack']);
  });
});

describe('the end of a client', () => {
  test('is told to the app once, with its error, and nothing after it', async () => {
    open();
    link.close('c1', 'lost');
    link.close('c1', 'again');
    link.data('c1', Buffer.from('late'));
    app.say({ kind: 'ConnectionData', connectionId: 'c1', payload: Buffer.from('late too') });
    await app.settled();
    expect(app.of('CloseConnection')).toMatchObject([{ connectionId: 'c1', errorMessage: 'lost', headers: [] }]);
    expect(app.of('ConnectionData')).toHaveLength(1);
    expect(client.told).toEqual([]);
    expect(link.clients).toBe(0);
  });

  test('by a move names the new app server', async () => {
    open();
    link.close('c1', '', 'srvNew');
    expect((await app.hears('CloseConnection')).headers).toEqual([['Asrs-Migrate-To', ['srvNew']]]);
  });

  test('by its app comes behind its last bytes and is not echoed', async () => {
    open();
    app.say(
      { kind: 'ConnectionData', connectionId: 'c1', payload: Buffer.from('bye') },
      { kind: 'CloseConnection', connectionId: 'c1', errorMessage: 'thrown', headers: [] },
    );
    await app.settled();
    expect(client.told).toEqual(['data bye', 'closed thrown']);
    expect(app.of('CloseConnection')).toEqual([]);
    expect(door.host.commands).toEqual([]);
    expect(link.clients).toBe(0);
  });

  test('that the app knows from elsewhere is not told', async () => {
    open();
    link.forget('c1');
    await app.settled();
    expect(app.of('CloseConnection')).toEqual([]);
    expect(link.clients).toBe(0);
  });
});

test('the end of a node is told by an offline ping', async () => {
  link.offline('node7');
  expect(await app.hearsPing('offline')).toEqual([{ topic: 'offline', instanceId: 'node7' }]);
});

describe('an app server that leaves', () => {
  const fin = (stage: string): void => app.say({ kind: 'Ping', pairs: [['shutdown', stage]] });

  test.each(['fin:0', 'fin:1', 'fin:2'])('gets finack for every %s, and no new clients', async (stage) => {
    const { changes } = door.host;
    fin(stage);
    fin(stage);
    expect(await app.hearsPing('shutdown', 2)).toEqual([
      { topic: 'shutdown', stage: 'finack' },
      { topic: 'shutdown', stage: 'finack' },
    ]);
    expect(link.taking).toBe(false);
    expect(door.host.changes).toBe(changes + 1);
  });

  test('with fin:0 closes its clients, after the finack', async () => {
    open();
    fin('fin:0');
    expect(await app.hears('CloseConnection')).toMatchObject({ connectionId: 'c1', errorMessage: '' });
    expect(app.heard.at(-2)?.kind).toBe('Ping');
    expect(client.told).toEqual(['lost drain']);
    expect(link.clients).toBe(0);
  });

  test('with fin:1 lets its clients move, each asked once, and carries those that cannot', async () => {
    open();
    fin('fin:1');
    fin('fin:1');
    await app.hearsPing('shutdown', 2);
    expect(client.told).toEqual(['migrate']);
    expect(link.clients).toBe(1);
    link.data('c1', Buffer.from('still here'));
    await app.hears('ConnectionData', 2);
  });

  test('with fin:1 but without migration keeps its clients', async () => {
    ({ app, link } = await door.linked({ handshake: { migrationLevel: 0 } }));
    open();
    fin('fin:1');
    await app.hearsPing('shutdown');
    expect(client.told).toEqual([]);
  });

  test('with fin:2 keeps its clients until they leave, and may change its mind', async () => {
    open();
    fin('fin:2');
    app.say({ kind: 'ConnectionData', connectionId: 'c1', payload: Buffer.from('on') });
    await client.until(() => client.told.length > 0);
    expect(client.told).toEqual(['data on']);
    fin('fin:0');
    await app.hears('CloseConnection');
    expect(client.told).toEqual(['data on', 'lost drain']);
  });

  test('moves clients that are closed while others are asked', async () => {
    const others = ['c2', 'c3'].map((id) => open(new FakeCarried(id)));
    open(Object.assign(new FakeCarried('c1'), { migrate: () => link.close('c1', '', 'srvB') ?? true }));
    fin('fin:1');
    expect(await app.hears('CloseConnection')).toMatchObject({ connectionId: 'c1' });
    expect(others.map(({ told }) => told)).toEqual([['migrate'], ['migrate']]);
    expect(link.clients).toBe(2);
  });
});
