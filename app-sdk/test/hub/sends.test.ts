import type { HubContext } from '@signalbox/app-sdk';
import { describe, expect, test } from 'vitest';
import { SignalboxError } from '../../src/errors.ts';
import { hex, text } from '../protocol/bytes.ts';
import { call, FakeGateway, Host, type Options, type Wild } from './host.ts';

const negotiate = async (): Promise<never> => {
  throw new Error('nobody negotiates here');
};

describe('what a call sends', () => {
  const ran = async (method: Options['methods'], connectionId = 'me'): Promise<Host> => {
    const host = new Host({ methods: method as never });
    const client = await host.connect('json', { connectionId });
    host.gateway.log.length = 0;
    client.send(call('go', [], '1'));
    await host.runtime.idle();
    return host;
  };

  test('takes its place in the line of its own link, in order, before its result', async () => {
    const host = await ran({
      go: (hub) => {
        void hub.clients.all.say('a');
        void hub.groups.join('lobby');
        void hub.clients.othersInGroup('lobby').say('b');
        void hub.userGroups.addToGroup('u', 'g', { ttlSeconds: 5 });
        return 'done';
      },
    });
    const say = (letter: string) => `{"type":1,"target":"say","arguments":["${letter}"]}\u001e`;
    expect(host.gateway.log).toEqual([
      { all: true },
      say('a'),
      { kind: 'join', who: { connection: 'me' }, group: 'lobby' },
      { group: 'lobby', except: ['me'] },
      say('b'),
      { kind: 'join', who: { user: 'u' }, group: 'g', ttlSeconds: 5 },
      '{"type":3,"invocationId":"1","result":"done"}\u001e',
    ]);
  });

  test('goes to the caller, to the others, and to whom the others mean', async () => {
    const host = await ran({
      async go({ clients, groups }) {
        await clients.caller.say();
        await clients.others.say();
        await clients.client('x').say();
        await clients.groupExcept('g', ['a', 'b']).say();
        await groups.leave('g');
        await groups.removeFromAllGroups('x');
      },
    });
    expect(host.gateway.log.filter((entry) => typeof entry === 'object')).toEqual([
      { connection: 'me' },
      { all: true, except: ['me'] },
      { connection: 'x' },
      { group: 'g', except: ['a', 'b'] },
      { kind: 'leave', who: { connection: 'me' }, group: 'g' },
      { kind: 'leave', who: { connection: 'x' } },
    ]);
  });

  test('is encoded once for each protocol of the hub', async () => {
    const host = await ran({ go: (hub) => hub.clients.all.say('hi', 42) });
    const [sent] = host.gateway.sent;
    expect(text(sent?.frames.get('json') as Uint8Array)).toBe('{"type":1,"target":"say","arguments":["hi",42]}\u001e');
    expect(hex(sent?.frames.get('messagepack') as Uint8Array)).toBe('0e960180c0a373617992a268692a90');
  });

  test('that nobody awaits and that fails is logged, and the call goes on', async () => {
    const host = new Host({
      methods: {
        go: (hub) => {
          void hub.clients.all.say('a');
          return 1;
        },
      },
    });
    const client = await host.connect();
    host.gateway.fails = new SignalboxError('ERR_LINK_LOST', 'the link is gone');
    client.send(call('go', [], '1'));
    expect(await client.message()).toMatchObject({ result: 1 });
    await host.runtime.idle();
    expect(host.logged).toEqual([
      ['warn', { code: 'ERR_LINK_LOST', hub: 'chat', to: 'all', outcome: 'notSent' }, 'send failed'],
    ]);
  });
});

describe('the hub context', () => {
  const contextOf = (host: Host, gateway = host.gateway): HubContext<Wild> =>
    host.runtime.context<Wild>(gateway, negotiate);

  test('sends in all forms over its gateway, and tells the observer', async () => {
    const heard: unknown[] = [];
    const host = new Host({}, { observe: { sent: (event) => heard.push(event) } });
    const hub = contextOf(host);
    await hub.send('alice', 'say', 1);
    await hub.send({ groups: ['a', 'b'] }, { target: 'say', arguments: [2] });
    await hub.clients.users(['u', 'v']).say(3);
    expect(host.gateway.sent.map(({ to }) => to.address)).toEqual([
      { user: 'alice' },
      { groups: ['a', 'b'] },
      { users: ['u', 'v'] },
    ]);
    expect(heard[0]).toEqual({ hub: 'chat', to: 'user', via: 'link', bytes: 42 + 12 });
  });

  test('refuses what a protocol of the hub cannot hold, ERR_ENCODE, unless the hub does without it', async () => {
    const both = contextOf(new Host());
    await expect(both.send('alice', 'say', 1n)).rejects.toMatchObject({
      code: 'ERR_ENCODE',
      message: 'the arguments of "say" cannot be written as JSON',
    });
    const packed = new Host({ protocols: ['messagepack'] });
    await contextOf(packed).send('alice', 'say', 1n);
    expect([...(packed.gateway.sent[0]?.frames.keys() ?? [])]).toEqual(['messagepack']);
  });

  test('sends a batch one by one, and rejects for none of it', async () => {
    const host = new Host();
    const { sent, failed } = await contextOf(host).sendBatch([
      { to: 'a', target: 'say' },
      { to: '', target: 'say' },
      { to: 'b', target: 'say' },
    ]);
    expect([sent, failed.map(({ index, error }) => [index, error.code])]).toEqual([2, [[1, 'ERR_INVALID_REQUEST']]]);
  });

  test('sends nothing to an empty list', async () => {
    const host = new Host();
    await contextOf(host).clients.users([]).say();
    expect(host.gateway.sent).toEqual([]);
  });

  test('asks for what the service acknowledges', async () => {
    const host = new Host();
    const { connections, userGroups, groups } = contextOf(host);
    expect(await connections.exists({ user: 'u' })).toBe(true);
    await connections.close({ group: 'g', except: 'c' }, { reason: 'late' });
    await userGroups.removeFromAllGroups('u');
    expect(await userGroups.isInGroup('u', 'g')).toBe(true);
    await groups.addToGroup('c', 'g');
    expect(host.gateway.log).toEqual([
      { kind: 'exists', spot: { place: 'user', id: 'u', except: [] } },
      { kind: 'close', spot: { place: 'group', id: 'g', except: ['c'] }, reason: 'late' },
      { kind: 'leave', who: { user: 'u' } },
      { kind: 'isMember', user: 'u', group: 'g' },
      { kind: 'join', who: { connection: 'c' }, group: 'g' },
    ]);
  });

  test('refuses bad names before anything is asked', async () => {
    const host = new Host();
    const { groups, userGroups } = contextOf(host);
    await expect(groups.addToGroup('', 'g')).rejects.toThrow(TypeError);
    await expect(groups.addToGroup('c', '')).rejects.toThrow('"group" must be 1 to 1024 characters, got 0');
    await expect(userGroups.addToGroup('u', 'g', { ttlSeconds: -1 })).rejects.toThrow(TypeError);
    expect(host.gateway.log).toEqual([]);
  });

  test('counts and lists only where the service offers it', async () => {
    const host = new Host();
    const { connections } = contextOf(host);
    await expect(connections.count({ all: true })).rejects.toMatchObject({ code: 'ERR_NOT_SUPPORTED' });
    await expect(connections.list({ all: true })[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'ERR_NOT_SUPPORTED',
    });
    const offering = Object.assign(new FakeGateway(), {
      count: async () => 2,
      async *list() {
        yield { connectionId: 'c' };
      },
    });
    const able = contextOf(host, offering).connections;
    expect(await able.count({ all: true })).toBe(2);
    for await (const one of able.list({ user: 'u' })) expect(one).toEqual({ connectionId: 'c' });
  });
});
