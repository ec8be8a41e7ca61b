import { describe, expect, it } from 'vitest';
import { Membership } from '../../src/core/membership.ts';
import { Registry } from '../../src/core/registry.ts';
import { Topics } from '../../src/core/topics.ts';
import { Watches } from '../../src/core/watches.ts';
import { Surroundings } from '../support/connections.ts';
import { nobodyFollows } from '../support/nobody-follows.ts';

function make(maxGroups = 10) {
  const registry = new Registry();
  const around = new Surroundings();
  const bus = { remote: true, refuses: false, unwatched: [] as string[], watch: watch, unwatch: unwatch };
  async function watch(): Promise<void> {
    if (bus.refuses) throw new Error('refused');
  }
  async function unwatch(topic: string): Promise<void> {
    bus.unwatched.push(topic);
  }
  const watches = new Watches(bus, 0, () => 0);
  const limits = { count: 0 };
  const membership = new Membership({
    registry,
    watches,
    topics: new Topics('sb@0', 'secret', false),
    maxGroups,
    follows: nobodyFollows,
    limitReached: () => {
      limits.count++;
    },
  });
  const connect = () => {
    const { connection } = around.open({ userId: 'ann' });
    registry.add(connection);
    return connection;
  };
  return { bus, connect, limits, membership, registry, watches };
}

/** A read that ends when it is told to. */
function reading(): { read: () => Promise<readonly string[]>; answer(groups: string[]): void; fail(): void } {
  let resolve: (groups: string[]) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<string[]>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { read: () => promise, answer: (groups) => resolve(groups), fail: () => reject(new Error('Redis is down')) };
}

describe('membership', () => {
  it('is a yes when the topic is watched, also for who is a member already', async () => {
    const { bus, connect, membership, watches } = make();
    const one = connect();
    expect(await membership.join(one, 'blue')).toBe('yes');
    expect(await membership.join(one, 'blue')).toBe('yes');
    expect(watches.size).toBe(1);
    expect(membership.leave(one, 'blue')).toBe('yes');
    expect(membership.leave(one, 'blue')).toBe('yes');
    watches.sweep();
    expect(bus.unwatched).toEqual(['sb@0:h:chat:g:blue']);
  });

  it('is told as failed when the topic could not be watched, until a second join brings it about', async () => {
    const { bus, connect, membership } = make();
    const one = connect();
    bus.refuses = true;
    await expect(membership.join(one, 'blue')).rejects.toThrow('refused');
    await expect(membership.join(one, 'blue')).rejects.toThrow('refused');
    bus.refuses = false;
    expect(await membership.join(one, 'blue')).toBe('yes');
  });

  it('has a limit for each connection, which a member of the group does not meet', async () => {
    const { connect, limits, membership } = make(2);
    const one = connect();
    for (const group of ['a', 'b']) await membership.join(one, group);
    expect(await membership.join(one, 'c')).toBe('limit');
    expect(await membership.join(one, 'a')).toBe('yes');
    expect(limits.count).toBe(1);
    membership.leave(one, 'b');
    expect(await membership.join(one, 'c')).toBe('yes');
  });

  it('ends for all groups at once, with their topics', async () => {
    const { connect, membership, registry, watches } = make();
    const one = connect();
    for (const group of ['a', 'b', 'c']) await membership.join(one, group);
    expect(membership.leave(one, undefined)).toBe('yes');
    watches.sweep();
    expect([one.groups, registry.hub('chat')?.groups.size, watches.size]).toEqual([undefined, 0, 0]);
  });

  it('of a user is a yes only when all connections joined, else the first refusal', async () => {
    const { connect, membership } = make(1);
    const [one, two] = [connect(), connect()];
    await membership.join(two, 'full');
    expect(await membership.joinUser([one, two], 'blue')).toBe('limit');
    expect([one.groups?.has('blue'), two.groups?.has('blue')]).toEqual([true, undefined].map((is) => is ?? false));
    expect(await membership.joinUser([], 'blue')).toBe('yes');
  });
});

describe('the standing groups of a new connection', () => {
  it('are joined when they were read', async () => {
    const { connect, membership } = make();
    const one = connect();
    await membership.adopt(one, async () => ['a', 'b']);
    expect([...one.groups!]).toEqual(['a', 'b']);
  });

  it('lose no change that comes while they are read, and undo none', async () => {
    const { connect, membership } = make();
    const one = connect();
    const { read, answer } = reading();
    const adopted = membership.adopt(one, read);
    const changes = [membership.leaveUser([one], 'a'), membership.joinUser([one], 'c')];
    expect(one.groups).toBeUndefined();
    answer(['a', 'b']);
    await adopted;
    expect(await Promise.all(changes)).toEqual(['yes', 'yes']);
    expect([...one.groups!]).toEqual(['b', 'c']);
  });

  it('let changes that waited take effect also when the read failed', async () => {
    const { connect, membership } = make();
    const one = connect();
    const { read, fail } = reading();
    const adopted = membership.adopt(one, read);
    const change = membership.joinUser([one], 'c');
    fail();
    await expect(adopted).rejects.toThrow('Redis is down');
    expect(await change).toBe('yes');
    expect([...one.groups!]).toEqual(['c']);
  });

  it('leave nothing behind when the client goes while they are read', async () => {
    const { connect, membership, registry, watches } = make();
    const [one, stays] = [connect(), connect()];
    const { read, answer } = reading();
    const adopted = membership.adopt(one, read);
    const change = membership.joinUser([one], 'c');
    membership.release(one);
    registry.remove(one);
    one.gone();
    answer(['a', 'b']);
    await adopted;
    await change;
    expect([...registry.hub('chat')!.connections.values()]).toEqual([stays]);
    expect([registry.hub('chat')?.groups.size, watches.size]).toEqual([0, 0]);
  });
});
