import { expect, it } from 'vitest';
import { NodeClaims } from '../../src/clients/claims.ts';
import { ConnectRate } from '../../src/clients/connect-rate.ts';
import { GatewayError } from '../../src/errors.ts';

const isDown = async (): Promise<never> => {
  throw new GatewayError('backplane_down', 'Redis is down');
};
const down = { claim: isDown, owner: isDown };

it('a claim is won by the first of all nodes, as the records tell', async () => {
  const owners = new Map<string, string>();
  const records = {
    claim: async (id: string, _ttl: number, owner: string) => {
      if (!owners.has(id)) owners.set(id, owner);
      return { won: owners.get(id) === owner, owner: owners.get(id) ?? '' };
    },
    owner: async (id: string) => owners.get(id),
  };
  const [a, b] = [new NodeClaims(records, 'a'), new NodeClaims(records, 'b')];
  expect([await a.claim('x', 30), await b.claim('x', 30), await a.claim('x', 30)]).toEqual([true, false, false]);
  expect([await a.owner('x'), await b.owner('x'), await b.owner('y')]).toEqual(['a', 'a', undefined]);
});

it('with Redis known down a claim is local', async () => {
  const claims = new NodeClaims(down, 'a');
  expect([await claims.claim('x', 30), await claims.claim('x', 30)]).toEqual([true, false]);
  expect([await claims.owner('x'), await claims.owner('y')]).toEqual(['a', undefined]);
});

it('any other failure of a claim is told', async () => {
  const fail = async (): Promise<never> => {
    throw new GatewayError('no_answer', 'too late');
  };
  const claims = new NodeClaims({ claim: fail, owner: fail }, 'a');
  await expect(claims.claim('x', 30)).rejects.toThrow('too late');
  await expect(claims.owner('x')).rejects.toThrow('too late');
});

it('a claim is kept for its life and forgotten later', async () => {
  let now = 0;
  const claims = new NodeClaims(down, 'a', () => now);
  await claims.claim('first', 30);
  now = 29_999;
  await claims.claim('x', 30);
  now += 30_000;
  expect(await claims.claim('x', 30)).toBe(false);
  now += 60_000;
  await claims.claim('other', 30);
  now += 60_000;
  expect(await claims.claim('x', 30)).toBe(true);
});

it('so many connections start in one second and no more', () => {
  let now = 0;
  const rate = new ConnectRate(2, () => now);
  expect([rate.take(), rate.take(), rate.take()]).toEqual([true, true, false]);
  now = 999;
  expect(rate.take()).toBe(false);
  now = 1000;
  expect([rate.take(), rate.take(), rate.take()]).toEqual([true, true, false]);
});
