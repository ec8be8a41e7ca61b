import { beforeEach, describe, expect, test } from 'vitest';
import type { CallOptions, HubClients } from '../src/hub-context.ts';
import { createClients } from '../src/targets.ts';

interface Chat {
  server: object;
  client: { say(text: string): void; 'room:left'(room: string): void; ask(question: string): string };
}

type Call = [to: unknown, target: string, args: readonly unknown[]];
let sent: Call[];
let asked: [connection: string, target: string, args: readonly unknown[], options: CallOptions | undefined][];
let clients: HubClients<Chat>;

beforeEach(() => {
  sent = [];
  asked = [];
  clients = createClients<Chat>({
    async send(to, target, args) {
      sent.push([to.address, target, args]);
    },
    async invoke(connection, target, args, options) {
      asked.push([connection, target, args, options]);
      return 'answer';
    },
  });
});

describe('a target', () => {
  test.each<[string, () => Promise<void>, unknown]>([
    ['all', () => clients.all.say('x'), { all: true }],
    ['allExcept', () => clients.allExcept('c').say('x'), { all: true, except: ['c'] }],
    ['client', () => clients.client('c').say('x'), { connection: 'c' }],
    ['clients', () => clients.clients(['c', 'd']).say('x'), { connections: ['c', 'd'] }],
    ['group', () => clients.group('g').say('x'), { group: 'g' }],
    ['groups', () => clients.groups(['g', 'h']).say('x'), { groups: ['g', 'h'] }],
    ['groupExcept', () => clients.groupExcept('g', ['c']).say('x'), { group: 'g', except: ['c'] }],
    ['user', () => clients.user('u').say('x'), { user: 'u' }],
    ['users', () => clients.users(['u', 'v']).say('x'), { users: ['u', 'v'] }],
  ])('made by %s sends to its address', async (_name, run, address) => {
    await run();
    expect(sent).toEqual([[address, 'say', ['x']]]);
  });

  test('sends any name of the contract, also one held in a variable', async () => {
    await clients.all['room:left']('lobby');
    await clients.all.send('room:left', 'lobby');
    expect(sent).toEqual(Array(2).fill([{ all: true }, 'room:left', ['lobby']]));
  });

  test('can be awaited, printed and written as JSON without sending anything', async () => {
    expect(await clients.all).toBe(clients.all);
    expect(JSON.stringify({ target: clients.all })).toBe('{"target":{}}');
    expect(Object.prototype.toString.call(clients.all)).toBe('[object Object]');
    expect(sent).toEqual([]);
  });

  test('keeps its methods', () => {
    const { all } = clients;
    expect(all.say).toBe(all.say);
    expect(all.say).not.toBe(clients.group('g').say);
  });

  test('cannot be changed', () => {
    expect(() => Object.assign(clients.all, { say: 1 })).toThrow(TypeError);
  });

  test('of one client asks for results, with the options of `client`', async () => {
    expect(await clients.client('c', { timeoutMs: 5 }).invoke('ask', 'name?')).toBe('answer');
    expect(asked).toEqual([['c', 'ask', ['name?'], { timeoutMs: 5 }]]);
  });

  test('of many cannot be asked', () => {
    expect((clients.all as { invoke?: unknown }).invoke).toBeUndefined();
    expect((clients.user('u') as { invoke?: unknown }).invoke).toBeUndefined();
  });

  test.each([
    ['client', () => clients.client('')],
    ['user', () => clients.user(7 as unknown as string)],
    ['group', () => clients.group('g'.repeat(1025))],
    ['groups', () => clients.groups('g' as unknown as string[])],
    ['allExcept', () => clients.allExcept([''])],
  ])('is not made by %s for an id that no service takes', (_name, make) => {
    expect(make).toThrow(TypeError);
  });
});
