import { describe, expect, it } from 'vitest';
import { sendTo, to } from '../support/commands.ts';
import { type Cores, startAlone, startCores, type TestCore } from '../support/cores.ts';

const user = { hub: 'chat', user: 'ann' } as const;

async function clock(): Promise<{ cores: Cores; here: TestCore; there: TestCore; pass(seconds: number): void }> {
  let now = 1_000_000;
  const cores = await startCores(2, { now: () => now });
  const pass = (seconds: number): void => {
    now += seconds * 1_000;
  };
  return { cores, here: cores.at(0), there: cores.at(1), pass };
}

describe('a user that was added to a group', () => {
  it('is in it with connections that come later, on any core, for good when no time to live is given', async () => {
    const { cores, here, there, pass } = await clock();
    await using _ = cores;
    expect(await here.core.router.ask({ kind: 'joinUser', ...user, group: 'blue' }, 'rest')).toBe('yes');
    pass(24 * 60 * 60);
    const later = await there.connect({ userId: 'ann' });
    await here.core.router.send(sendTo(to.group('blue'), 'hello'), 'rest');
    await later.hears('hello');
    expect(await here.core.router.ask({ kind: 'userInGroup', ...user, group: 'blue' }, 'rest')).toBe('yes');
  });

  it('is in it for as long as the time to live says; who joined meanwhile stays', async () => {
    const { cores, here, there, pass } = await clock();
    await using _ = cores;
    await here.core.router.ask({ kind: 'joinUser', ...user, group: 'blue', ttlSeconds: 60 }, 'rest');
    pass(59);
    const inTime = await there.connect({ userId: 'ann' });
    pass(2);
    const late = await there.connect({ userId: 'ann' });
    expect(inTime.connection.groups).toEqual(new Set(['blue']));
    expect(late.connection.groups).toBeUndefined();
  });

  it('is in it with present connections only when the time to live is 0, which ends a standing membership', async () => {
    const { cores, here, there } = await clock();
    await using _ = cores;
    const present = await there.connect({ userId: 'ann' });
    await here.core.router.ask({ kind: 'joinUser', ...user, group: 'blue' }, 'rest');
    await here.core.router.ask({ kind: 'joinUser', ...user, group: 'blue', ttlSeconds: 0 }, 'rest');
    const later = await there.connect({ userId: 'ann' });
    expect(present.connection.groups).toEqual(new Set(['blue']));
    expect(later.connection.groups).toBeUndefined();
  });

  it('leaves one group or all, with present and later connections', async () => {
    const { cores, here, there } = await clock();
    await using _ = cores;
    const present = await there.connect({ userId: 'ann' });
    for (const group of ['a', 'b', 'c']) await here.core.router.ask({ kind: 'joinUser', ...user, group }, 'rest');
    await here.core.router.ask({ kind: 'leaveUser', ...user, group: 'b' }, 'rest');
    const second = await there.connect({ userId: 'ann' });
    for (const { connection } of [present, second]) expect([...connection.groups!].sort()).toEqual(['a', 'c']);
    await here.core.router.ask({ kind: 'leaveUser', ...user, group: undefined }, 'rest');
    const third = await there.connect({ userId: 'ann' });
    for (const { connection } of [present, second, third]) expect(connection.groups).toBeUndefined();
  });

  it('is in it although no connection is there, and userInGroup says so until it is removed', async () => {
    const { cores, here } = await clock();
    await using _ = cores;
    const ask = (kind: 'joinUser' | 'leaveUser' | 'userInGroup'): Promise<string> =>
      here.core.router.ask({ kind, ...user, group: 'blue' }, 'rest');
    expect([await ask('userInGroup'), await ask('joinUser'), await ask('userInGroup')]).toEqual(['no', 'yes', 'yes']);
    expect([await ask('leaveUser'), await ask('leaveUser'), await ask('userInGroup')]).toEqual(['yes', 'yes', 'no']);
  });

  it('is told that a limit was reached', async () => {
    await using cores = await startCores(2, { config: { maxGroupsPerConnection: 1 } });
    const client = await cores.at(1).connect({ userId: 'ann' });
    const join = { kind: 'joinUser', ...user, ttlSeconds: 0 } as const;
    expect(await cores.at(0).core.router.ask({ ...join, group: 'a' }, 'rest')).toBe('yes');
    expect(await cores.at(0).core.router.ask({ ...join, group: 'b' }, 'rest')).toBe('limit');
    expect(client.connection.groups).toEqual(new Set(['a']));
    expect(cores.at(1).log.of('limitReached')).toEqual([['SIGNALBOX_MAX_GROUPS_PER_CONNECTION']]);
  });
});

describe('a core that is alone', () => {
  it('sends, asks and keeps standing groups without any backplane', async () => {
    await using alone = await startAlone();
    const { router } = alone.core;
    const ann = await alone.connect({ userId: 'ann' });
    expect(await router.ask({ kind: 'joinUser', ...user, group: 'blue' }, 'rest')).toBe('yes');
    const later = await alone.connect({ userId: 'ann', protocol: 'messagepack' });
    expect(await router.send(sendTo(to.group('blue'), 1), 'rest')).toBe('all');
    expect(await router.send(sendTo(to.user('nobody'), 2), 'rest')).toBe('all');
    await Promise.all([ann.hears(1), later.hears(1)]);
    const exists = (at: ReturnType<typeof to.user>): Promise<string> =>
      router.ask({ kind: 'exists', hub: 'chat', at }, 'rest');
    expect([await exists(to.user('ann')), await exists(to.user('bob'))]).toEqual(['yes', 'no']);
    expect(alone.log.drops).toEqual({});
    expect(alone.core.watches.size).toBe(0);
  });
});
