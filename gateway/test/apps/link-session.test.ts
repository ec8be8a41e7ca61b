import { frame, writeServiceMessage } from '@signalbox/app-sdk/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { otherKey, sign } from '../auth/sign.ts';
import { FakeCarried, type LinkDoor, startLinkDoor } from './link-door.ts';
import { ScriptedApp, serverClaims } from './scripted-app.ts';

let door: LinkDoor;
beforeEach(async () => {
  door = await startLinkDoor();
});
afterEach(() => {
  expect(door.defects).toEqual([]);
  door[Symbol.dispose]();
});

describe('the upgrade', () => {
  test('a valid token opens a link on either path, and the header names its app server', async () => {
    for (const path of ['/server', '/server/']) {
      const { link } = await door.linked({ target: `${path}?hub=Chat&cid=x`, headers: { 'x-asrs-server-id': 'srvB' } });
      expect(link).toMatchObject({ hub: 'chat', server: 'srvB', taking: true, clients: 0 });
    }
    expect(door.host.links.map((link) => link.id)).toEqual(['node1-1', 'node1-2']);
  });

  test.each([
    ['signed with the secondary key', () => sign(serverClaims('chat'), otherKey)],
    ['of HS512', () => sign(serverClaims('chat'), undefined, { alg: 'HS512' })],
    ['with a kid that nobody knows', () => sign(serverClaims('chat'), undefined, { kid: '-1234' })],
  ])('a token %s is accepted', async (_, token) => {
    await door.linked({ token: token() });
  });

  test.each([
    ['another key', () => sign(serverClaims('chat'), 'a-key-that-this-service-does-not-have-0000')],
    ['an end in the past', () => sign(serverClaims('chat', { exp: 1 }))],
    ['a client', () => sign(serverClaims('chat', { aud: 'http://localhost/client/?hub=chat' }))],
    ['another hub', () => sign(serverClaims('news'))],
    ['nothing', () => ''],
  ])('a token of %s is refused with 401, without CORS headers', async (_, token) => {
    const app = new ScriptedApp(door.port, { token: token(), headers: { origin: 'http://page.example' } });
    const headers = new Promise((resolve) =>
      app.socket.once('unexpected-response', (_request, answer) => resolve(answer.headers)),
    );
    await expect(app.opened()).rejects.toThrow('refused with 401');
    expect(Object.keys((await headers) as object).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test.each(['/server/?cid=x', '/server/?hub=&cid=x', '/server/?hub=1chat&cid=x', '/server/?hub=a%20b&cid=x'])(
    'a hub that breaks the rule of names is refused with 400: %s',
    async (target) => {
      await expect(new ScriptedApp(door.port, { target }).opened()).rejects.toThrow('refused with 400');
    },
  );

  test('the first hub of the query counts', async () => {
    const { link } = await door.linked({ target: '/server/?hub=chat&hub=other&cid=x' });
    expect(link.hub).toBe('chat');
  });

  test('without the header the server id is that of the token, without both the id of the connection', async () => {
    const headers = { 'x-asrs-server-id': '' };
    expect((await door.linked({ headers })).link.server).toBe('srvA');
    const token = sign(serverClaims('chat', { nameid: undefined }));
    expect((await door.linked({ headers, token })).link.server).toBe('c1');
    const nameless = new ScriptedApp(door.port, { headers, token, target: '/server/?hub=chat' });
    await expect(nameless.opened()).rejects.toThrow('refused with 400');
    const split = new ScriptedApp(door.port, { headers: { 'x-asrs-server-id': 'a;b' } });
    await expect(split.opened()).rejects.toThrow('refused with 400');
  });
});

describe('the handshake', () => {
  test('the first message back is a response with an empty error', async () => {
    const { app, link } = await door.linked();
    expect(app.heard[0]).toMatchObject({ kind: 'HandshakeResponse', errorMessage: '', connectionId: link.id });
  });

  test.each([
    '920101',
    '94010101a3616263',
    '95010100a001',
    '96010100a00080',
    '97010100a00080c2',
    '97010100a00180c2',
    '97010100a00080c3',
  ])('a request in the form of any SDK is accepted: %s', async (hex) => {
    const app = await door.opened();
    app.sayBody(hex);
    expect(await app.hears('HandshakeResponse')).toMatchObject({ errorMessage: '' });
    expect(door.host.links).toMatchObject([{ taking: true }]);
  });

  test.each([
    [{ version: 2 }, 'Unsupported version: it must be 1, got 2.'],
    [{ connectionType: 3 }, 'Unsupported connection type: it must be 0, 1 or 2, got 3.'],
  ])('what there is not is refused in words, and the socket closes with 1000: %j', async (asked, error) => {
    const app = await door.opened();
    app.shakeHands(asked);
    expect(await app.closed).toBe(1000);
    expect(app.heard).toMatchObject([{ kind: 'HandshakeResponse', errorMessage: error }]);
    expect(door.host.links).toEqual([]);
    expect(await door.ends(1)).toEqual(['refused']);
  });

  test.each(['9103', '92ccc8a178', '9402a080c0'])('another message before it closes the link: %s', async (hex) => {
    const app = await door.opened();
    app.sayBody(hex);
    expect(await app.closed).toBe(1000);
    expect(await door.ends(1)).toEqual(['malformed']);
  });

  test('a handshake that has not come after 15 s ends the link', async () => {
    const app = await door.opened();
    door.clock.ms = 14_000;
    const { app: other } = await door.linked();
    door.clock.ms = 15_001;
    expect(await app.closed).toBe(1000);
    expect(await door.ends(1)).toEqual(['handshake_timeout']);
    await other.settled();
  });

  test('a weak link is never taking, and asks like any other', async () => {
    const { app, link } = await door.linked({ handshake: { connectionType: 2 } });
    expect(link.taking).toBe(false);
    app.say({ kind: 'CheckUserExistenceWithAck', userId: 'u', ackId: 7 });
    expect(await app.hears('Ack')).toMatchObject({ ackId: 7, status: 1 });
  });
});

describe('the stream', () => {
  const handshake = frame(Buffer.from('97010100a00080c2', 'hex'));
  const join = writeServiceMessage({ kind: 'JoinGroupWithAck', connectionId: 'c', group: 'g', ackId: 1 });
  const send = writeServiceMessage({
    kind: 'BroadcastData',
    excludedConnectionIds: ['x'],
    payloads: new Map([['json', Buffer.from('{"type":6}\x1e')]]),
  });
  const all = Buffer.concat([handshake, join, send]);

  test('messages split at any byte are the same messages', async () => {
    for (let cut = 1; cut < all.length; cut++) {
      const app = await door.opened();
      app.socket.send(all.subarray(0, cut));
      app.socket.send(all.subarray(cut));
      await app.hears('Ack');
      app.leave();
    }
    await door.host.until(() => door.host.commands.length === 2 * (all.length - 1));
    const [first, second] = door.host.commands;
    for (let at = 2; at < door.host.commands.length; at += 2) {
      expect(door.host.commands.slice(at, at + 2)).toEqual([first, second]);
    }
  });

  test('one byte in each WebSocket message is enough', async () => {
    const app = await door.opened();
    for (const byte of all) app.socket.send(Uint8Array.of(byte));
    await app.hears('Ack');
    await door.host.until(() => door.host.commands.length === 2);
  });

  test('messages in fragments of a WebSocket message are the same messages', async () => {
    const app = await door.opened();
    app.socket.send(all.subarray(0, 9), { fin: false });
    app.socket.send(all.subarray(9), { fin: true });
    await app.hears('Ack');
  });

  test('unknown kinds, kinds that only the service says, and elements behind the known ones are passed over', async () => {
    const { app } = await door.linked();
    app.sayBody('92ccc8a178');
    app.sayBody('9402a080c0');
    app.sayBody('970ba6636f6e6e3130a667726f75703180010203');
    app.shakeHands();
    await app.settled();
    expect(door.host.commands).toEqual([{ kind: 'join', hub: 'chat', connection: 'conn10', group: 'group1' }]);
    expect(app.of('HandshakeResponse')).toHaveLength(1);
  });

  test.each([
    ['an empty body', '00'],
    ['a prefix above 2^31 - 1', 'ffffffff0f'],
    ['a prefix without end', '8080808080'],
    ['no array', '01c0'],
    ['a field of another type', '059312c30101'],
    ['too few fields', '029212'],
  ])('%s ends the link with 1000', async (_, hex) => {
    const { app } = await door.linked();
    app.socket.send(Buffer.from(`${hex}c0`, 'hex'));
    expect(await app.closed).toBe(1000);
    expect(await door.ends(1)).toEqual(['malformed']);
    expect(door.host.links).toEqual([]);
  });

  test('nothing behind a malformed message is carried out', async () => {
    const { app } = await door.linked();
    app.socket.send(Buffer.concat([Buffer.from('01c0', 'hex'), join]));
    await app.closed;
    expect(door.host.commands).toEqual([]);
  });

  test('a text message ends the link with 1003', async () => {
    const { app } = await door.linked();
    app.socket.send('hello');
    expect(await app.closed).toBe(1003);
    expect(await door.ends(1)).toEqual(['malformed']);
  });

  test('a message above the limit ends the link before it was all sent', async () => {
    using small = await startLinkDoor({ linkMessageBytes: 1000 });
    const { app } = await small.linked();
    app.socket.send(frame(Buffer.alloc(1000)).subarray(0, 500));
    expect(await app.closed).toBe(1000);
    expect(await small.ends(1)).toEqual(['too_large']);
  });

  test('all that one turn owes a link leaves as one WebSocket message', async () => {
    const { app, link } = await door.linked();
    const frames = app.frames;
    const client = new FakeCarried('c1');
    link.open(client, client.info(), Buffer.from('request'));
    for (let i = 0; i < 50; i++) link.data('c1', Buffer.from(`m${i}`));
    link.close('c1', '');
    await app.hears('CloseConnection');
    expect(app.frames).toBe(frames + 1);
    expect(app.of('ConnectionData').map(({ payload }) => Buffer.from(payload).toString())).toEqual([
      'request',
      ...Array.from({ length: 50 }, (_, i) => `m${i}`),
    ]);
  });
});

describe('pings', () => {
  test('a link on which we said nothing for almost 5 s gets a plain ping', async () => {
    const { app } = await door.linked();
    door.clock.ms = 4600;
    expect(await app.hearsPing('keepAlive')).toHaveLength(1);
    door.clock.ms = 9200;
    expect(await app.hearsPing('keepAlive', 2)).toHaveLength(2);
  });

  test('a link from which nothing came for 30 s is ended, and so are its clients', async () => {
    const { app, link } = await door.linked();
    const client = new FakeCarried('c1');
    link.open(client, client.info(), Buffer.from('request'));
    door.clock.ms = 20_000;
    app.say({ kind: 'Ping', pairs: [] });
    await app.settled();
    const { length: before } = app.pings;
    door.clock.ms = 40_000;
    await app.hearsPing('keepAlive', before + 1);
    expect(client.told).toEqual([]);
    door.clock.ms = 51_000;
    expect(await app.closed).toBe(1000);
    expect(client.told).toEqual(['lost link_lost']);
    expect(await door.ends(1)).toEqual(['silent']);
  });

  test('status is 0 before the first client of the hub and 1 from then on, and is not answered while uncertain', async () => {
    const { app } = await door.linked();
    const ask = (): void => app.say({ kind: 'Ping', pairs: [['status', '1']] });
    ask();
    expect(await app.hearsPing('status')).toEqual([{ topic: 'status', active: false }]);
    door.host.hasAny = new Error('Redis is down');
    ask();
    await app.settled();
    door.host.hasAny = true;
    ask();
    expect(await app.hearsPing('status', 2)).toEqual([
      { topic: 'status', active: false },
      { topic: 'status', active: true },
    ]);
  });

  test('servers lists each app server once, sorted, with a time that grows over all links', async () => {
    door.host.ids = ['srvB', 'srvA'];
    const [one, two] = [await door.app(), await door.app()];
    for (const app of [one, two, one, two]) {
      app.say({ kind: 'Ping', pairs: [['servers', '']] });
      await app.settled();
    }
    const lists = [...(await one.hearsPing('servers', 2)), ...(await two.hearsPing('servers', 2))];
    expect(lists.map(({ ids }) => ids)).toEqual(Array.from({ length: 4 }, () => ['srvA', 'srvB']));
    const times = lists.map(({ timestamp }) => timestamp ?? 0);
    expect(new Set(times).size).toBe(4);
    expect(times[0]).toBeLessThan(times[2] ?? 0);
    expect(times[2]).toBeLessThan(times[1] ?? 0);
    expect(times[1]).toBeLessThan(times[3] ?? 0);
  });

  test('echoes, counts and unknown pings get no answer; counts are kept', async () => {
    const { app, link } = await door.linked();
    const before = app.heard.length;
    for (const pairs of [[['echo', '1']], [['offline', '']], [['strange', 'x']], [['shutdown', 'finack']]] as const) {
      app.say({ kind: 'Ping', pairs });
    }
    app.say({
      kind: 'Ping',
      pairs: [
        ['#clientInHub', '12'],
        ['#client', '3'],
      ],
    });
    await app.settled();
    expect(app.heard.slice(before).map(({ kind }) => kind)).toEqual(['Ack']);
    expect(link).toMatchObject({ taking: true, reported: { inHub: 12, onConnection: 3 } });
  });
});

describe('the end', () => {
  test('an app server that leaves takes its clients along, and nobody else', async () => {
    const [one, two] = [await door.linked(), await door.linked()];
    const [mine, other] = [new FakeCarried('c1'), new FakeCarried('c2')];
    one.link.open(mine, mine.info(), Buffer.from('r'));
    two.link.open(other, other.info(), Buffer.from('r'));
    one.app.leave();
    await mine.until(() => mine.told.length > 0);
    expect(mine.told).toEqual(['lost link_lost']);
    expect(one.link.taking).toBe(false);
    expect(one.link.clients).toBe(0);
    expect(await door.ends(1)).toEqual(['app_left']);
    expect(door.host.links).toEqual([two.link]);
    expect(other.told).toEqual([]);
  });

  test('a close frame of the app server is an orderly end', async () => {
    const { app } = await door.linked();
    app.socket.close(1000);
    expect(await app.closed).toBe(1000);
    expect(await door.ends(1)).toEqual(['app_left']);
  });

  test('what comes for a link that is over is passed over, and a client opened on it is told at once', async () => {
    const { app, link } = await door.linked();
    app.leave();
    await door.ends(1);
    const client = new FakeCarried('c1');
    link.open(client, client.info(), Buffer.from('r'));
    link.data('c1', Buffer.from('x'));
    link.close('c1', '');
    expect(client.told).toEqual(['lost link_lost']);
  });

  test('a node that stops takes no new links and clients, then ends its links with 1000', async () => {
    const { app, link } = await door.linked();
    const client = new FakeCarried('c1');
    link.open(client, client.info(), Buffer.from('r'));
    const { changes } = door.host;
    door.door.retire();
    expect(link.taking).toBe(false);
    expect(door.host.changes).toBe(changes + 1);
    await expect(new ScriptedApp(door.port).opened()).rejects.toThrow('refused with 503');
    app.say({ kind: 'ConnectionData', connectionId: 'c1', payload: Buffer.from('still') });
    await client.until(() => client.told.length > 0);
    door.door.close();
    expect(await app.closed).toBe(1000);
    expect(client.told).toEqual(['data still', 'lost drain']);
    expect(await door.ends(1)).toEqual(['drain']);
  });

  test('links are counted when they open and when they end, and logged', async () => {
    const { app } = await door.linked();
    app.leave();
    await door.ends(1);
    expect(door.log.of('linkOpened')).toEqual([['chat', 'srvA']]);
    expect(door.log.of('linkClosed')).toEqual([['chat', 'srvA', 'app_left']]);
    expect(door.logged).toEqual(['link opened', 'link closed']);
  });
});
