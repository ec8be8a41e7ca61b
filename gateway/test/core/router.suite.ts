import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Door } from '../../src/core/router.ts';
import type { GatewayError } from '../../src/errors.ts';
import { sendTo, to } from '../support/commands.ts';
import type { Cores, CoresOptions, TestCore } from '../support/cores.ts';
import type { FakeClient } from '../support/fake-client.ts';

const doors: Door[] = ['rest', 'link'];
/** Time for thousands of rounds on a busy machine. */
const longMs = 90_000;

/** Everybody in the hub has been served what was sent before, through this door and core. */
async function settle(core: TestCore, door: Door, clients: Iterable<FakeClient>): Promise<void> {
  const end = `end ${Math.random()}`;
  await core.core.router.send(sendTo(to.all, end), door);
  for (const client of clients) await client.hears(end);
}

/** What each client heard but for the marks of {@link settle}. */
function heard(clients: Readonly<Record<string, FakeClient>>): Record<string, unknown[]> {
  const lists = Object.entries(clients).map(([name, { heard }]) => [name, heard.filter((one) => !isMark(one))]);
  return Object.fromEntries(lists.filter(([, list]) => list?.length));
}

function isMark(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('end ');
}

/** What every cluster of cores must do, whatever it meets in. */
export function routerSuite(name: string, start: (count: number, options?: CoresOptions) => Promise<Cores>): void {
  describe.each([2, 3])(`a router on %i cores over ${name}`, (count) => {
    let cores: Cores;
    let people: Record<'ann' | 'ann2' | 'bob' | 'cat' | 'nobody' | 'elsewhere', FakeClient>;

    beforeAll(async () => {
      cores = await start(count, { config: { maxGroupsPerConnection: 10_000, askMs: 20_000 } });
    });

    afterAll(() => cores[Symbol.asyncDispose]());

    beforeEach(async () => {
      for (const { core } of cores.all) for (const one of [...core.registry.all()]) one.gone();
      const last = count - 1;
      people = {
        ann: await cores.at(0).connect({ userId: 'ann' }),
        ann2: await cores.at(last).connect({ userId: 'ann', protocol: 'messagepack' }),
        bob: await cores.at(1).connect({ userId: 'bob' }),
        cat: await cores.at(0).connect({ userId: 'cat', protocol: 'messagepack' }),
        nobody: await cores.at(last).connect(),
        elsewhere: await cores.at(1).connect({ userId: 'ann', hub: 'other' }),
      };
      const join = { kind: 'join', hub: 'chat', group: 'blue' } as const;
      await cores.at(0).core.router.ask({ ...join, connection: people.ann.id }, 'rest');
      await cores.at(1).core.router.ask({ ...join, connection: people.bob.id }, 'rest');
      await cores.at(1).core.router.ask({ ...join, connection: people.nobody.id }, 'rest');
    });

    const inHub = (): FakeClient[] => Object.values(people).filter(({ connection }) => connection.hub === 'chat');

    describe.each(doors)('by the %s door', (door) => {
      it('delivers every kind of send exactly where it should, whichever core it came to', async () => {
        const { ann, bob, cat, nobody } = people;
        for (const [place, core] of cores.all.entries()) {
          const send = (address: Parameters<typeof sendTo>[0], text: string, more = {}): Promise<unknown> =>
            core.core.router.send(sendTo(address, `${text} ${place}`, more), door);
          await send(to.all, 'all');
          await send(to.all, 'all but', { exceptConnections: [ann.id], exceptUsers: ['bob'] });
          await send(to.group('blue'), 'group');
          await send(to.group('blue'), 'group but', { exceptConnections: [nobody.id], exceptUsers: ['ann'] });
          await send(to.user('ann'), 'user');
          await send(to.connection(cat.id), 'connection');
          await send(to.users(['ann', 'cat']), 'users');
          await send(to.users(['bob', ...Array.from({ length: 64 }, (_, i) => `user ${i}`)]), 'many users');
          await send(to.connections([nobody.id, bob.id]), 'connections');
          await send(to.connections([cat.id, ...Array.from({ length: 64 }, () => 'x'.repeat(34))]), 'many connections');
          await send(to.group('empty'), 'empty group');
          await send(to.user('stranger'), 'unknown user');
          await send(to.connection('not an id'), 'unknown connection');
          await settle(core, door, inHub());
        }
        const each = (...texts: string[]): string[] => cores.all.flatMap((_, i) => texts.map((text) => `${text} ${i}`));
        expect(heard(people)).toEqual({
          ann: each('all', 'group', 'user', 'users'),
          ann2: each('all', 'all but', 'user', 'users'),
          bob: each('all', 'group', 'group but', 'many users', 'connections'),
          cat: each('all', 'all but', 'connection', 'users', 'many connections'),
          nobody: each('all', 'all but', 'group', 'connections'),
        });
        expect(cores.all.map(({ log }) => log.drops)).toEqual(cores.all.map(() => ({})));
      });

      it('carries out joins and leaves of a connection on any core, and answers no for one that is unknown', async () => {
        const { router } = cores.at(0).core;
        const group = 'red';
        for (const { id } of [people.cat, people.bob, people.nobody]) {
          expect(await router.ask({ kind: 'join', hub: 'chat', connection: id, group }, door)).toBe('yes');
        }
        await router.send(sendTo(to.group(group), 'joined'), door);
        expect(await router.ask({ kind: 'leave', hub: 'chat', connection: people.bob.id, group }, door)).toBe('yes');
        expect(
          await router.ask({ kind: 'leave', hub: 'chat', connection: people.nobody.id, group: undefined }, door),
        ).toBe('yes');
        await router.send(sendTo(to.group(group), 'left'), door);
        await router.send(sendTo(to.group('blue'), 'left all'), door);
        await settle(cores.at(0), door, inHub());
        expect(heard(people)).toEqual({
          ann: ['left all'],
          bob: ['joined', 'left all'],
          cat: ['joined', 'left'],
          nobody: ['joined'],
        });
        for (const connection of ['unknown', cores.at(0).topics.mint('chat', 'ann'), people.elsewhere.id]) {
          expect(await router.ask({ kind: 'join', hub: 'chat', connection, group }, door)).toBe('no');
          expect(await router.ask({ kind: 'leave', hub: 'chat', connection, group }, door)).toBe('no');
        }
      });

      it('knows from any core whether a connection, a user or a group exists', async () => {
        for (const { core } of cores.all) {
          const exists = (at: ReturnType<typeof to.user | typeof to.group | typeof to.connection>): Promise<string> =>
            core.router.ask({ kind: 'exists', hub: 'chat', at }, door);
          expect(await Promise.all(Object.values(people).map(({ id }) => exists(to.connection(id))))).toEqual([
            ...Array.from({ length: 5 }, () => 'yes'),
            'no', // it is in another hub
          ]);
          expect(await exists(to.user('ann'))).toBe('yes');
          expect(await exists(to.user('Ann'))).toBe('no');
          expect(await exists(to.group('blue'))).toBe('yes');
          expect(await exists(to.group('grey'))).toBe('no');
        }
      });

      it('puts a user into a group and takes it out again, with connections on several cores', async () => {
        const { router } = cores.at(1).core;
        const user = { hub: 'chat', user: 'ann', group: 'users' } as const;
        expect(await router.ask({ kind: 'joinUser', ...user, ttlSeconds: 60 }, door)).toBe('yes');
        expect(await router.ask({ kind: 'userInGroup', ...user }, door)).toBe('yes');
        await router.send(sendTo(to.group('users'), 'in'), door);
        expect(await router.ask({ kind: 'leaveUser', ...user }, door)).toBe('yes');
        expect(await router.ask({ kind: 'userInGroup', ...user }, door)).toBe('no');
        await router.send(sendTo(to.group('users'), 'out'), door);
        await settle(cores.at(1), door, inHub());
        expect(heard(people)).toEqual({ ann: ['in'], ann2: ['in'] });
      });

      it('closes one connection, a user or a group on any core, but for those left out', async () => {
        const { router } = cores.at(0).core;
        const close = (address: Parameters<typeof sendTo>[0], exceptConnections: string[] = []): Promise<string> =>
          router.ask({ kind: 'close', hub: 'chat', to: address, exceptConnections, reason: 'because' }, door);
        const closed = (): string[] =>
          Object.entries(people).flatMap(([name, { transport }]) => (transport.ended ? name : []));
        expect(await close(to.connection(people.nobody.id))).toBe('yes');
        expect(closed()).toEqual(['nobody']);
        expect(await close(to.connection(people.nobody.id))).toBe('no');
        expect(await close(to.group('blue'), [people.ann.id])).toBe('yes');
        expect(closed()).toEqual(['bob', 'nobody']);
        expect(await close(to.user('ann'))).toBe('yes');
        expect(closed()).toEqual(['ann', 'ann2', 'bob', 'nobody']);
        expect(await close(to.all)).toBe('yes');
        expect(closed()).toEqual(['ann', 'ann2', 'bob', 'cat', 'nobody']);
        expect(people.cat.messages.at(-1)).toEqual({ kind: 'close', error: undefined, allowReconnect: true });
      });
    });

    it(
      'sends to a group right behind a join by link of a member elsewhere: all of 2,000 arrive',
      async () => {
        const { router } = cores.at(0).core;
        const asked = Array.from({ length: 2_000 }, (_, i) => {
          const answer = router.ask(
            { kind: 'join', hub: 'chat', connection: people.bob.id, group: `group ${i}` },
            'link',
          );
          void router.send(sendTo(to.group(`group ${i}`), i), 'link');
          return answer;
        });
        await settle(cores.at(0), 'link', [people.bob]);
        expect(people.bob.heard.filter((one) => !isMark(one))).toEqual(Array.from({ length: 2_000 }, (_, i) => i));
        expect(new Set(await Promise.all(asked))).toEqual(new Set(['yes']));
      },
      longMs,
    );

    it(
      'keeps the order of 2,000 REST sends, each behind the answer of the one before, through random cores',
      async () => {
        const { ann, bob } = people;
        const places = [to.all, to.group('blue'), to.users(['ann', 'bob'])];
        for (let i = 0; i < 2_000; i++) await cores.any().core.router.send(sendTo(places[i % 3]!, i), 'rest');
        for (const client of [ann, bob]) {
          await client.hears(1_999);
          expect(client.heard).toEqual(Array.from({ length: 2_000 }, (_, i) => i));
        }
      },
      longMs,
    );

    it(
      'keeps the order of what one link sends, whatever the target',
      async () => {
        const { ann2, bob } = people;
        const { router } = cores.at(0).core;
        const join = { kind: 'join', hub: 'chat', connection: ann2.id, group: 'blue' } as const;
        await router.ask(join, 'link');
        const places = [to.all, to.group('blue'), to.users(['ann', 'bob']), to.connections([ann2.id, bob.id])];
        for (let i = 0; i < 2_000; i++) void router.send(sendTo(places[i % places.length]!, i), 'link');
        await settle(cores.at(0), 'link', [ann2, bob]);
        for (const client of [ann2, bob]) {
          expect(client.heard.filter((one) => !isMark(one))).toEqual(Array.from({ length: 2_000 }, (_, i) => i));
        }
      },
      longMs,
    );

    it(
      'reaches a client from another core as soon as it is told that it is connected, 2,000 times in a row',
      async () => {
        const { router } = cores.at(0).core;
        await router.ask({ kind: 'joinUser', hub: 'chat', user: 'new', group: 'standing' }, 'rest');
        const places = [
          () => to.user('new'),
          (client: FakeClient) => to.connection(client.id),
          () => to.group('standing'),
          () => to.all,
        ];
        for (let i = 0; i < 2_000; i++) {
          const client = await cores.at(1).connect({ userId: 'new' });
          await router.send(sendTo(places[i % places.length]!(client), i), 'rest');
          await client.hears(i);
          client.leave();
        }
        await router.ask({ kind: 'leaveUser', hub: 'chat', user: 'new', group: undefined }, 'rest');
      },
      longMs,
    );

    it(
      'loses no join and undoes no leave of a user that comes while a new connection is being made',
      async () => {
        const { router } = cores.at(0).core;
        const group = 'race';
        for (let i = 0; i < 300; i++) {
          const user = { hub: 'chat', user: `racer ${i}` };
          const leaves = i % 2 === 0;
          if (leaves) await router.ask({ kind: 'joinUser', ...user, group }, 'rest');
          const connecting = cores.at(1).connect({ userId: user.user });
          for (let turns = i % 7; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
          const change = router.ask(
            { kind: leaves ? 'leaveUser' : 'joinUser', ...user, group },
            doors[i % 3 === 0 ? 1 : 0]!,
          );
          const [client] = await Promise.all([connecting, change]);
          await router.send(sendTo(to.group(group), 'in'), 'rest');
          await router.send(sendTo(to.connection(client.id), 'end'), 'rest');
          await client.hears('end');
          expect(client.heard, `round ${i}`).toEqual(leaves ? ['end'] : ['in', 'end']);
          client.leave();
          await router.ask({ kind: 'leaveUser', ...user, group: undefined }, 'rest');
        }
      },
      longMs,
    );

    it('refuses what is too large between nodes, by both doors, and counts it', async () => {
      for (const door of doors) {
        const { core, log } = cores.at(0);
        const before = log.drops['too_large'] ?? 0;
        const refused = core.router.send(sendTo(to.all, 'x'.repeat(1_048_576)), door);
        await expect(refused).rejects.toMatchObject({ code: 'too_large' } satisfies Partial<GatewayError>);
        expect(log.drops['too_large']).toBe(before + 1);
      }
    });
  });
}
