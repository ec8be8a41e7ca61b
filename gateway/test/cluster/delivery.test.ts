import type { Address } from '@signalbox/app-sdk';
import { hubProtocols, writePayloadMap } from '@signalbox/app-sdk/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawRest } from '../support/raw-rest.ts';
import { type Service, startService } from '../support/service.ts';
import { Audience, type Seat } from './audience.ts';

const hub = 'delivery';
let service: Service;
let audience: Audience;
let rest: RawRest;

beforeAll(async () => {
  service = await startService();
  rest = new RawRest(service.balancer.origin);
  audience = await Audience.gather(service, hub);
  const app = service.app(hub);
  for (const name of ['anonymous json 0', 'ann messagepack 1', 'bob json 1']) {
    await app.groups.addToGroup(audience.id(name), 'crew');
  }
});

afterAll(async () => {
  await rest.close();
  await service[Symbol.asyncDispose]();
});

interface Case {
  readonly kind: string;
  readonly to: () => Address;
  /** Below `/hubs/{hub}`, and its query. */
  readonly path: () => string;
  readonly query?: () => string;
  readonly receives: (seat: Seat) => boolean;
}

const crew = new Set(['anonymous json 0', 'ann messagepack 1', 'bob json 1']);
const leftOut = ['ann messagepack 1', 'anonymous json 0'];
const excluded = (): string => leftOut.map((name) => `excluded=${audience.id(name)}`).join('&');

const cases: readonly Case[] = [
  { kind: 'all', to: () => ({ all: true }), path: () => '', receives: () => true },
  {
    kind: 'all but two',
    to: () => ({ all: true, except: leftOut.map((name) => audience.id(name)) }),
    path: () => '',
    query: excluded,
    receives: ({ name }) => !leftOut.includes(name),
  },
  {
    kind: 'a user with four connections on two nodes',
    to: () => ({ user: 'ann' }),
    path: () => '/users/ann',
    receives: ({ user }) => user === 'ann',
  },
  {
    kind: 'a group',
    to: () => ({ group: 'crew' }),
    path: () => '/groups/crew',
    receives: ({ name }) => crew.has(name),
  },
  {
    kind: 'a group but for two of its members',
    to: () => ({ group: 'crew', except: leftOut.map((name) => audience.id(name)) }),
    path: () => '/groups/crew',
    query: excluded,
    receives: ({ name }) => crew.has(name) && !leftOut.includes(name),
  },
  {
    kind: 'one connection',
    to: () => ({ connection: audience.id('bob messagepack 0') }),
    path: () => `/connections/${audience.id('bob messagepack 0')}`,
    receives: ({ name }) => name === 'bob messagepack 0',
  },
];

const doors: readonly { door: string; send: (one: Case, what: string) => Promise<void> }[] = [
  { door: 'the SDK', send: (one, what) => service.app(hub).send(one.to(), 'news', what) },
  { door: 'REST v1, JSON', send: (one, what) => accepted(`/api/v1/hubs/${hub}${one.path()}?${query(one)}`, what) },
  {
    door: 'dated REST, JSON',
    send: (one, what) => accepted(`/api/hubs/${hub}${one.path()}/:send?api-version=2022-06-01&${query(one)}`, what),
  },
  {
    door: 'dated REST, ready frames',
    send: (one, what) =>
      accepted(`/api/hubs/${hub}${one.path()}/:send?api-version=2024-12-01&${query(one)}`, what, readyFrames(what)),
  },
];

function query(one: Case): string {
  return one.query?.() ?? '';
}

/** The payload map: a complete hub message for each hub protocol. */
function readyFrames(what: string): Uint8Array {
  const frames = [...hubProtocols.values()].map(
    (protocol) => [protocol.name, protocol.write({ kind: 'invocation', target: 'news', arguments: [what] })] as const,
  );
  return writePayloadMap(new Map(frames));
}

async function accepted(target: string, what: string, frames?: Uint8Array): Promise<void> {
  const answer =
    frames === undefined
      ? await rest.post(target, 'news', what)
      : await rest.call('POST', target, { body: frames, type: 'application/octet-stream' });
  expect(answer).toMatchObject({ status: 202, body: '' });
}

describe.each(doors)(
  '12 JSON and MessagePack clients on two nodes, sends by $door through random nodes',
  ({ door, send }) => {
    test.each(cases)('to $kind: each receiver gets it once, nobody else does', async (one) => {
      const expected = audience.names(one.receives);
      for (const round of [1, 2, 3]) {
        const what = `${door}, ${one.kind}, ${round}`;
        await send(one, what);
        expect(await audience.heard(what)).toEqual(expected);
      }
    });
  },
);

test('numbers, texts, nulls, lists and maps arrive the same in JSON and in MessagePack', async () => {
  const sent = [1, -1, 2 ** 53 - 1, 1.5, 'grüße 👋', null, true, [1, [2]], { a: { b: [] } }];
  const clients = [audience.seat('ann json 0').client, audience.seat('ann messagepack 1').client];
  const came = clients.map(
    ({ connection }) => new Promise((resolve) => connection.on('values', (...all) => resolve(all))),
  );
  await service.app(hub).send({ user: 'ann' }, 'values', ...sent);
  expect(await Promise.all(came)).toEqual([sent, sent]);
});

test('a payload map without a protocol skips its clients, counts them, and reaches the others', async () => {
  const dropped = async (): Promise<number> => {
    const counts = service.nodes.map((node) => node.metric('signalbox_dropped_total', { reason: 'no_protocol' }));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  };
  const before = await dropped();
  const frame = hubProtocols.get('json')!.write({ kind: 'invocation', target: 'news', arguments: ['JSON only'] });
  await accepted(`/api/v1/hubs/${hub}`, '', writePayloadMap(new Map([['json', frame]])));
  expect(await audience.heard('JSON only')).toEqual(audience.names(({ name }) => name.includes('json')));
  expect(await dropped()).toBe(before + 6);
});

test('40 clients that negotiate on one node and open their WebSocket on any other are all reached', async () => {
  const clients = await Promise.all(
    Array.from({ length: 40 }, (_, i) => service.client('roaming', { protocol: i % 2 === 0 ? 'json' : 'messagepack' })),
  );
  await service.app('roaming').send({ all: true }, 'news', 'to all');
  await Promise.all(clients.map((client) => client.heard('to all')));
  const held = await Promise.all(service.nodes.map((node) => node.metric('signalbox_connections', { hub: 'roaming' })));
  expect(held.reduce((sum, count) => sum + count, 0)).toBe(40);
  expect(Math.min(...held)).toBeGreaterThan(0);
});
