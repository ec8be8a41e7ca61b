import { iterate, upload } from '@signalbox/app-sdk/browser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import type { OfficialClient, ProtocolName } from '../support/official-client.ts';
import { Stage } from '../support/stage.ts';
import { greetClaim, type TargetName } from '../support/stage-hub.ts';
import { until, within } from '../support/until.ts';

/*
 * Three nodes behind a balancer without stickiness. App server A is linked to node 0, B to node 1: whoever is on node 2, or on
 * the other's node, is carried by a link elsewhere.
 */
let stage: Stage;
let a: AppProcess;
let b: AppProcess;

beforeAll(async () => {
  stage = await Stage.open();
  [a, b] = await Promise.all([stage.app('A', { at: 0 }), stage.app('B', { at: 1 })]);
}, 120_000);
afterAll(() => stage[Symbol.asyncDispose]());

/** A node for the client, and the app server that runs its hub. */
const roads = [
  [0, 'A', 'here'],
  [0, 'B', 'elsewhere'],
  [2, 'A', 'elsewhere'],
] as const;
const protocols = ['json', 'messagepack'] as const;
const cases = protocols.flatMap((protocol) => roads.map(([at, app, link]) => ({ protocol, at, app, link })));

const appOf = (name: string): AppProcess => (name === 'A' ? a : b);

async function oneOf(name: TargetName, names: readonly string[], text: string, teller: OfficialClient): Promise<void> {
  await teller.connection.invoke('tell', name, names, text);
}

describe.each(cases)('a client of $protocol on node $at whose link to app server $app is $link', (one) => {
  const { protocol, at } = one;
  const join = (more: object = {}): Promise<OfficialClient> =>
    stage.client({ at, app: appOf(one.app), protocol, ...more });

  test('is where it should be, gets results, and the text of a HubException', async () => {
    const client = await join();
    expect(await stage.where(client)).toEqual({ at, app: one.app });
    expect(await client.connection.invoke('echo', { n: 1, list: ['a', null] })).toEqual({ n: 1, list: ['a', null] });
    await expect(client.connection.invoke('refuse', 'Room is full')).rejects.toThrow('HubException: Room is full');
    expect(await client.connection.invoke('echo', 'still here')).toBe('still here');
  });

  test('streams 1,000 items down and 100 up, in order', async () => {
    const { connection } = await join();
    const items: number[] = [];
    for await (const n of iterate<number>(connection.stream('count', 1000))) items.push(n);
    expect(items).toEqual(Array.from({ length: 1000 }, (_, n) => n + 1));
    const numbers = async function* () {
      for (let n = 1; n <= 100; n++) yield n;
    };
    expect(await connection.invoke('sum', upload(numbers()))).toBe(5050);
  });

  test('cancels a stream without end, and the method ends', async () => {
    const client = await join();
    for await (const n of iterate<number>(client.connection.stream('endless'))) if (n === 3) break;
    const ended = () => appOf(one.app).of('cancelled', client.id).length === 1;
    await appOf(one.app).notices.until('the method ends', ended);
  });

  test('gives its result to its own call, and to the app', async () => {
    const client = await join();
    client.connection.on('askName', () => 'Ann');
    expect(await client.connection.invoke('askCaller')).toBe('Ann');
    expect(await appOf(one.app).ask(client.id)).toBe('Ann');
  });

  test('hears 200 sends to the caller, all, a group and a user in the order sent', async () => {
    const name = `${protocol} ${at} ${one.app}`;
    const client = await join({ userId: name });
    await client.connection.invoke('join', name);
    await client.connection.invoke('mix', 200, name);
    await client.heard(199);
    expect(client.inbox.items).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });

  test('that leaves is told to its app once, as client_left', async () => {
    const client = await join();
    const { id } = client;
    await client.stop();
    expect(await appOf(one.app).goodbyes(id)).toEqual(['client_left']);
  });

  test('that its hub aborts is closed, and told once, as closed_by_app', async () => {
    const client = await join();
    const { id } = client;
    await client.connection.send('end');
    await within('the client is closed', client.closed);
    expect(await appOf(one.app).goodbyes(id)).toEqual(['closed_by_app']);
  });
});

describe('six clients on three nodes, of both app servers and both hub protocols', () => {
  const seats = [
    ['a0', 0, 'A', 'json', 'ann'],
    ['b0', 0, 'B', 'messagepack', 'bob'],
    ['a1', 1, 'A', 'messagepack', 'ann'],
    ['b1', 1, 'B', 'json', undefined],
    ['a2', 2, 'A', 'json', 'bob'],
    ['b2', 2, 'B', 'messagepack', undefined],
  ] as const satisfies readonly (readonly [string, number, string, ProtocolName, string | undefined])[];
  const clients = new Map<string, OfficialClient>();
  let fences = 0;

  const seat = (name: string): OfficialClient => {
    const client = clients.get(name);
    if (client === undefined) throw new RangeError(`no seat is called ${name}`);
    return client;
  };

  beforeAll(async () => {
    const open = seats.map(async ([name, at, app, protocol, userId]) => {
      const who = userId === undefined ? {} : { userId };
      clients.set(name, await stage.client({ at, app: appOf(app), protocol, ...who }));
    });
    await Promise.all(open);
    for (const name of ['a0', 'b1', 'b2']) await seat(name).connection.invoke('join', 'red');
    for (const name of ['b0', 'b1']) await seat(name).connection.invoke('join', 'blue');
  });

  /** Who hears what a call of a1 tells these targets, once for each time. */
  async function hearing(to: TargetName, names: readonly string[]): Promise<string[]> {
    const text = `${to} ${++fences}`;
    await oneOf(to, names, text, seat('a1'));
    await oneOf('all', [], `behind ${text}`, seat('a1'));
    await Promise.all([...clients.values()].map((client) => client.heard(`behind ${text}`)));
    const times = ([name, client]: [string, OfficialClient]): string[] =>
      client.inbox.items.filter((item) => item === text).map(() => name);
    return [...clients].flatMap(times).sort();
  }

  const everybody = seats.map(([name]) => name).sort();
  const id = (name: string): string => seat(name).id;

  test.each([
    ['all', () => [], everybody],
    ['caller', () => [], ['a1']],
    ['others', () => [], everybody.filter((name) => name !== 'a1')],
    ['allExcept', () => [id('a0'), id('b2')], ['a1', 'a2', 'b0', 'b1']],
    ['client', () => [id('b2')], ['b2']],
    ['clients', () => [id('b2'), id('a0'), 'nobody'], ['a0', 'b2']],
    ['group', () => ['red'], ['a0', 'b1', 'b2']],
    ['group', () => ['nobody is in it'], []],
    ['groups', () => ['red', 'blue'], ['a0', 'b0', 'b1', 'b1', 'b2']],
    ['groupExcept', () => ['red', id('b1')], ['a0', 'b2']],
    ['othersInGroup', () => ['red'], ['a0', 'b1', 'b2']],
    ['user', () => ['ann'], ['a0', 'a1']],
    ['user', () => ['nobody'], []],
    ['users', () => ['ann', 'bob'], ['a0', 'a1', 'a2', 'b0']],
  ] as const)('%s: exactly those hear it, once for each target (%#)', async (to, names, heard) => {
    expect(await hearing(to, names())).toEqual(heard);
  });

  test('othersInGroup leaves out the caller, which is a member', async () => {
    await oneOf('othersInGroup', ['red'], 'not to me', seat('a0'));
    await oneOf('all', [], 'behind it', seat('a0'));
    await Promise.all([...clients.values()].map((client) => client.heard('behind it')));
    const heard = [...clients].filter(([, client]) => client.inbox.items.includes('not to me')).map(([name]) => name);
    expect(heard.sort()).toEqual(['b1', 'b2']);
  });

  test('who left a group hears nothing of it any more', async () => {
    await seat('b2').connection.invoke('leave', 'red');
    expect(await hearing('group', ['red'])).toEqual(['a0', 'b1']);
  });
});

describe('a call of a client that another app server runs', () => {
  test.each([
    [0, 'B', 1],
    [2, 'B', 1],
    [2, 'B', 2],
    [1, 'A', 2],
  ] as const)('gives its result: caller on node %i, the client of %s on node %i', async (callerAt, app, at) => {
    const other = appOf(app);
    const caller = await stage.client({ at: callerAt, app: app === 'A' ? b : a });
    const client = await stage.client({ at, app: other, protocol: 'messagepack' });
    client.connection.on('askName', () => 'Bob');
    expect(await caller.connection.invoke('ask', client.id)).toBe('Bob');
  });

  test('fails when the client has no handler, with the words of the client', async () => {
    const [caller, client] = await Promise.all([stage.client({ at: 0, app: a }), stage.client({ at: 2, app: b })]);
    await expect(caller.connection.invoke('ask', client.id)).rejects.toThrow('error');
    await expect(a.ask(client.id)).rejects.toThrow(/didn't provide a result/i);
  });

  test('fails, long before its time-out, when the client leaves instead of answering', async () => {
    const [caller, client] = await Promise.all([stage.client({ at: 0, app: a }), stage.client({ at: 2, app: b })]);
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    client.connection.on('askName', () => {
      asked();
      return new Promise<string>(() => undefined);
    });
    const outcome = caller.connection.invoke('ask', client.id).then(
      () => 'answered',
      () => 'failed',
    );
    await isAsked;
    await client.stop();
    // Half of the 30 s that a client has to answer.
    expect(await within('the call ends', outcome, 15_000)).toBe('failed');
  });

  test('fails at once for a client that is nowhere', async () => {
    await expect(a.ask('nobody')).rejects.toThrow('nobody');
  });
});

test('200 of 200 clients hear a broadcast to a group that they joined in onConnected', {
  timeout: 120_000,
}, async () => {
  const greeted = await Promise.all(
    Array.from({ length: 200 }, () => stage.client({ claims: { [greetClaim]: 'yes' } })),
  );
  const heard = (): number => greeted.filter((client) => client.inbox.items.includes(client.id)).length;
  await until('all are greeted', () => heard() === 200, 60_000);
  await Promise.all(greeted.map((client) => client.stop()));
});
