import type { NegotiateResponse } from '@signalbox/app-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OfficialClient } from '../support/official-client.ts';
import { connectionString, type Service, startService } from '../support/service.ts';
import { until, within } from '../support/until.ts';
import { DotnetOrders } from './dotnet-orders.ts';
import { buildProject, DotnetProgram } from './dotnet-program.ts';
import { sayNotRun } from './not-run.ts';

const assembly = await buildProject({ folder: 'gateway/test/dotnet/management', name: 'AzureManagement' }).catch(
  (error: unknown) => sayNotRun('Microsoft.Azure.SignalR.Management', error),
);

let service: Service | undefined;

beforeAll(async () => {
  if (assembly !== undefined) service = await startService({ nodes: 2, env: { SIGNALBOX_MODES: '*=serverless' } });
});

afterAll(() => service?.[Symbol.asyncDispose]());

/** By REST, and over links that carry no clients. */
describe.skipIf(assembly === undefined).each(['Transient', 'Persistent'])('the Management SDK, %s', (transport) => {
  const hub = `managed${transport}`;
  let program: DotnetProgram;
  let orders: DotnetOrders;

  beforeAll(async () => {
    const args = [transport, connectionString(service?.balancer.origin ?? ''), hub];
    program = await DotnetProgram.start(assembly ?? '', { args, ready: /\{"ready":true\}\n/ });
    orders = new DotnetOrders(program);
  });

  afterAll(async () => void (await program?.stop('SIGKILL')));

  const run = (ask: string, ...names: readonly string[]): Promise<unknown> => orders.ask(ask, { names });
  const send = (to: string, names: readonly string[], value: string): Promise<unknown> =>
    orders.ask('send', { to, names, value });

  async function client(user: string): Promise<OfficialClient> {
    return await OfficialClient.connect((await run('negotiate', user)) as NegotiateResponse);
  }

  /** Two connections of ann and one of bob; each send is heard by those it is for. */
  async function heardBy(ways: readonly (readonly [to: string, names: (ids: string[]) => string[]])[]) {
    const clients = [await client('ann'), await client('ann'), await client('bob')];
    const ids = clients.map(({ id }) => id);
    await run('join', ids[0] ?? '', 'g');
    await run('join', ids[2] ?? '', 'g');
    for (const [n, [to, names]] of ways.entries()) await send(to, names(ids), `case ${n}`);
    await send('all', [], 'end');
    await Promise.all(clients.map((one) => one.heard('end')));
    await Promise.all(clients.map((one) => one.stop()));
    return ways.map((_, n) => clients.map(({ inbox }) => inbox.items.includes(`case ${n}`)));
  }

  test('sees that the service is well', async () => {
    expect(await run('healthy')).toBe(true);
  });

  test('sends to everybody, connections, groups and users, but for those excepted', async () => {
    const heard = await heardBy([
      ['all', () => []],
      ['allExcept', ([first = '']) => [first]],
      ['client', ([, second = '']) => [second]],
      ['clients', ([first = '', , third = '']) => [first, third]],
      ['group', () => ['g']],
      ['groups', () => ['g', 'nobody']],
      ['groupExcept', ([first = '']) => ['g', first]],
      ['user', () => ['ann']],
      ['users', () => ['ann', 'bob']],
      ['user', () => ['nobody']],
    ]);
    expect(heard).toEqual([
      [true, true, true],
      [false, true, true],
      [false, true, false],
      [true, false, true],
      [true, false, true],
      [true, false, true],
      [false, false, true],
      [true, true, false],
      [true, true, true],
      [false, false, false],
    ]);
  });

  test('takes connections into groups and out of them', async () => {
    const ann = await client('ann');
    for (const group of ['a', 'b', 'c']) await run('join', ann.id, group);
    await run('leave', ann.id, 'a');
    for (const group of ['a', 'b']) await send('group', [group], group);
    await run('leaveAll', ann.id);
    await send('group', ['c'], 'c');
    await send('all', [], 'end');
    await ann.heard('end');
    expect(ann.inbox.items).toEqual(['b', 'end']);
    await ann.stop();
  });

  test('takes users into groups, for good and for a time, and out of them', async () => {
    const early = await client('cid');
    await run('joinUser', 'cid', 'standing');
    await orders.ask('joinUserFor', { names: ['cid', 'passing'], ttlSeconds: 1000 });
    await run('joinUser', 'cid', 'left');
    await run('leaveUser', 'cid', 'left');
    const late = await client('cid');
    const isIn = (group: string): Promise<unknown> => run('isInGroup', 'cid', group);
    expect([await isIn('standing'), await isIn('passing'), await isIn('left')]).toEqual([true, true, false]);
    for (const group of ['standing', 'passing', 'left']) await send('group', [group], group);
    await run('leaveUserAll', 'cid');
    await send('group', ['standing'], 'too late');
    await send('all', [], 'end');
    for (const one of [early, late]) {
      await one.heard('end');
      expect(one.inbox.items).toEqual(['standing', 'passing', 'end']);
      await one.stop();
    }
  });

  test('knows who is there, and closes connections', async () => {
    const dan = await client('dan');
    const { id } = dan;
    await run('join', id, 'there');
    const answers = (): Promise<unknown[]> =>
      Promise.all([run('connectionExists', id), run('userExists', 'dan'), run('groupExists', 'there')]);
    expect(await answers()).toEqual([true, true, true]);
    await run('close', id, 'enough');
    await within('it is closed', dan.closed);
    await until('nobody is there', async () => (await answers()).every((one) => one === false));
  });
});
