import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { negotiate, RawClient } from '../support/raw-client.ts';
import { RawRest } from '../support/raw-rest.ts';
import { type Service, startService } from '../support/service.ts';

const workers = 12;
const eachTimes = 5000;
const patience = 240_000;
let service: Service;
let rest: RawRest;

beforeAll(async () => {
  service = await startService({ env: { SIGNALBOX_CONNECT_RATE: '100000' } });
  rest = new RawRest(service.node(0).origin);
});

afterAll(async () => {
  await rest.close();
  await service[Symbol.asyncDispose]();
});

/** Runs `once` for 0 to `times` - 1, a few at a time. */
async function repeat(times: number, once: (turn: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let turn = next++; turn < times; turn = next++) await once(turn);
  };
  await Promise.all(Array.from({ length: workers }, work));
}

/** Sends through node A; what it resolves with came over HTTP. */
async function send(path: string, what: string): Promise<void> {
  expect((await rest.post(`/api/v1/hubs/${path}`, 'news', what)).status).toBe(202);
}

/** By which address a client that was just told it is connected is reached. */
const addresses: readonly ((turn: number) => Promise<void>)[] = [
  async (turn) => {
    const client = await RawClient.connect(service.node(1).port, { hub: 'users', user: `user ${turn}` });
    await send(`users/users/${encodeURIComponent(`user ${turn}`)}`, `${turn}`);
    await client.heard(`${turn}`);
    client.leave();
  },
  async (turn) => {
    const { connectionId, connectionToken } = await negotiate(service.node(1).origin, 'connections');
    const client = await RawClient.connect(service.node(1).port, { hub: 'connections', id: connectionToken });
    await send(`connections/connections/${connectionId}`, `${turn}`);
    await client.heard(`${turn}`);
    client.leave();
  },
  async (turn) => {
    const client = await RawClient.connect(service.node(1).port, { hub: `hub${turn}` });
    await send(`hub${turn}`, `${turn}`);
    await client.heard(`${turn}`);
    client.leave();
  },
];

describe('a send that starts on node A the moment after', () => {
  test(`a client on node B was told that it is connected arrives, ${eachTimes} of ${eachTimes} times: to a new user, a new connection, a new hub`, {
    timeout: patience,
  }, async () => {
    let arrived = 0;
    await repeat(eachTimes, async (turn) => {
      await addresses[turn % addresses.length]?.(turn);
      arrived++;
    });
    expect(arrived).toBe(eachTimes);
  });

  test(`a join of a client on node B was acknowledged arrives, ${eachTimes} of ${eachTimes} times: by connection and by user, each into a new group`, {
    timeout: patience,
  }, async () => {
    const clients = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const user = `member${i}`;
        const { connectionId, connectionToken: id } = await negotiate(service.node(1).origin, 'joins', user);
        return {
          user,
          connectionId,
          client: await RawClient.connect(service.node(1).port, { hub: 'joins', user, id }),
        };
      }),
    );
    let arrived = 0;
    await repeat(eachTimes, async (turn) => {
      const { user, connectionId, client } = clients[turn % clients.length]!;
      const member =
        turn % 2 === 0 ? `groups/g${turn}/connections/${connectionId}` : `users/${user}/groups/g${turn}?ttl=0`;
      const joined = await rest.call('PUT', `/api/hubs/joins/${member}`);
      expect(joined.status).toBe(200);
      await send(`joins/groups/g${turn}`, `${turn}`);
      await client.heard(`${turn}`);
      arrived++;
    });
    expect(arrived).toBe(eachTimes);
  });
});
