import { describe, expect, it, test } from 'vitest';
import { Limits } from '../../src/core/limits.ts';
import { Members } from '../../src/core/members.ts';
import { Registry } from '../../src/core/registry.ts';
import { Surroundings } from '../support/connections.ts';

const around = new Surroundings();

describe('members of a name', () => {
  it('are none, one, or several, each once', () => {
    const members = new Members();
    const [one, two] = [around.open().connection, around.open().connection];
    expect([...members.of('blue')]).toEqual([]);
    expect(members.has('blue')).toBe(false);
    members.add('blue', one);
    members.add('blue', one);
    expect([...members.of('blue')]).toEqual([one]);
    members.add('blue', two);
    members.add('blue', one);
    expect([...members.of('blue')]).toEqual([one, two]);
    expect([members.count('blue'), members.count('red'), members.size]).toEqual([2, 0, 1]);
  });

  it('leave one by one, and the name goes with the last', () => {
    const members = new Members();
    const [one, two, stranger] = [around.open(), around.open(), around.open()].map(({ connection }) => connection);
    for (const each of [one!, two!]) members.add('blue', each);
    members.remove('blue', stranger!);
    members.remove('red', one!);
    expect(members.count('blue')).toBe(2);
    members.remove('blue', one!);
    members.remove('blue', one!);
    expect([...members.of('blue')]).toEqual([two]);
    members.remove('blue', two!);
    expect([members.has('blue'), members.size]).toEqual([false, 0]);
  });
});

describe('the registry', () => {
  it('knows connections, users and groups of each hub, and forgets a hub with its last connection', () => {
    const registry = new Registry();
    const ann = around.open({ userId: 'ann' }).connection;
    const elsewhere = around.open({ userId: 'ann', hub: 'other' }).connection;
    for (const one of [ann, elsewhere]) registry.add(one);
    registry.join(ann, 'blue');
    expect(registry.size).toBe(2);
    expect([...registry.all()]).toEqual([ann, elsewhere]);
    expect([...registry.hub('chat')!.users.of('ann')]).toEqual([ann]);
    expect([...registry.hub('chat')!.groups.of('blue')]).toEqual([ann]);
    expect(registry.hub('other')!.groups.has('blue')).toBe(false);
    registry.remove(ann);
    expect([...registry.hubs.keys()]).toEqual(['other']);
    expect(registry.size).toBe(1);
  });

  it('counts a connection once, however often it is removed', () => {
    const registry = new Registry();
    const [one, two] = [around.open().connection, around.open().connection];
    for (const each of [one, two]) registry.add(each);
    for (let i = 0; i < 3; i++) registry.remove(one);
    registry.remove(around.open().connection);
    expect(registry.size).toBe(1);
  });

  it('says whether a join or a leave changed anything', () => {
    const registry = new Registry();
    const one = around.open().connection;
    registry.add(one);
    expect([registry.join(one, 'blue'), registry.join(one, 'blue')]).toEqual([true, false]);
    expect([registry.leave(one, 'red'), registry.leave(one, 'blue'), registry.leave(one, 'blue')]).toEqual([
      false,
      true,
      false,
    ]);
    expect(one.groups).toBeUndefined();
    expect(registry.hub('chat')!.groups.size).toBe(0);
  });

  it('takes a removed connection out of all its groups', () => {
    const registry = new Registry();
    const [one, two] = [around.open().connection, around.open().connection];
    for (const each of [one, two]) {
      registry.add(each);
      for (const group of ['a', 'b']) registry.join(each, group);
    }
    registry.remove(one);
    for (const group of ['a', 'b']) expect([...registry.hub('chat')!.groups.of(group)]).toEqual([two]);
  });
});

test('the backlog is what clients have not read, and how many have not read much', () => {
  const registry = new Registry();
  for (const bytes of [0, 10, 11, 500]) {
    const { connection, transport } = around.open();
    transport.reading = false;
    transport.write({ bytes: new Uint8Array(bytes), binary: true });
    registry.add(connection);
  }
  expect(registry.backlog(10)).toEqual({ bytes: 521, slowClients: 2 });
});

describe('limits', () => {
  it('name the setting that one more client would break', () => {
    const registry = new Registry();
    const limits = new Limits(registry, { maxConnections: 4, maxConnectionsPerHub: 3, maxConnectionsPerUser: 2 });
    const add = (userId: string | undefined, hub = 'chat'): void =>
      registry.add(around.open({ userId, hub }).connection);
    expect(limits.refusal('chat', 'ann')).toBeUndefined();
    add('ann');
    expect(limits.refusal('chat', 'ann')).toBeUndefined();
    add('ann');
    expect(limits.refusal('chat', 'ann')).toBe('SIGNALBOX_MAX_CONNECTIONS_PER_USER');
    expect(limits.refusal('other', 'ann')).toBeUndefined();
    expect(limits.refusal('chat', 'bob')).toBeUndefined();
    add(undefined);
    expect(limits.refusal('chat', 'bob')).toBe('SIGNALBOX_MAX_CONNECTIONS_PER_HUB');
    expect(limits.refusal('other', undefined)).toBeUndefined();
    add(undefined, 'other');
    expect(limits.refusal('third', undefined)).toBe('SIGNALBOX_MAX_CONNECTIONS');
  });

  it('refuse everybody while the node stops', () => {
    const limits = new Limits(new Registry(), { maxConnections: 4, maxConnectionsPerHub: 3, maxConnectionsPerUser: 2 });
    limits.draining = true;
    expect(limits.refusal('chat', 'ann')).toBe('draining');
  });
});
