import type { IRetryPolicy } from '@microsoft/signalr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import type { OfficialClient } from '../support/official-client.ts';
import { Stage } from '../support/stage.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

/*
 * One service through four faults, one after the other, while app server A broadcasts a number every 20 ms. A is linked to
 * node 0 and never harmed; B to node 1, over a wire that is cut; C over the balancer; D to node 2, which dies.
 */
const patient: IRetryPolicy = { nextRetryDelayInMilliseconds: () => 200 };
const everyMs = 20;
/** The others give a dead node up after 22 s at most. */
const waitMs = 60_000;

/** A client and where it was when all was well. */
interface Witness {
  readonly client: OfficialClient;
  readonly id: string;
  readonly at: number;
  readonly app: string;
}

let stage: Stage;
let wire: TcpProxy;
const apps = new Map<string, AppProcess>();
const witnesses: Witness[] = [];

function app(name: string): AppProcess {
  const found = apps.get(name);
  if (found === undefined) throw new RangeError(`no app server is called ${name}`);
  return found;
}

/** Clients of this app server over the balancer, until there is one on each node. */
async function gather(name: string): Promise<void> {
  const seen = new Set<number>();
  while (seen.size < stage.service.nodes.length) {
    const protocol = witnesses.length % 2 === 0 ? 'json' : 'messagepack';
    const client = await stage.client({ app: app(name), stickiness: 'preferred', protocol, reconnect: patient });
    const where = await stage.where(client);
    expect(where.app).toBe(name);
    witnesses.push({ client, id: client.id, ...where });
    seen.add(where.at);
  }
}

const unharmed = ({ client }: Witness): boolean =>
  client.connection.state === 'Connected' && client.returns.items.length === 0;
const of = (name: string): Witness[] => witnesses.filter((witness) => witness.app === name);

/** Who of these was unharmed until now, for a look afterwards. */
const unharmedOf = (which: readonly Witness[]): readonly Witness[] => which.filter(unharmed);

/** Each of them is back, under a new id, and its calls go on. */
async function areBack(which: readonly Witness[]): Promise<string[]> {
  await Promise.all(which.map(({ client }) => client.returns.until('it is back', (ids) => ids.length > 0, waitMs)));
  const ids = which.map(({ id, client }) => [id, client.id]);
  expect(ids.filter(([before, after]) => before === after)).toEqual([]);
  return (await Promise.all(which.map(({ client }) => stage.where(client)))).map((where) => where.app);
}

/** Why an app server says that each of these ended; one reason for each time that it said so. */
async function reasons(name: string, which: readonly Witness[]): Promise<unknown[]> {
  return (await Promise.all(which.map(({ id }) => app(name).goodbyes(id, waitMs)))).flat();
}

beforeAll(async () => {
  stage = await Stage.open();
  wire = await TcpProxy.start(stage.service.node(1).port);
  const plans = { A: { at: 0 }, B: { origin: wire.origin }, C: {}, D: { at: 2 } };
  for (const [name, plan] of Object.entries(plans)) apps.set(name, await stage.app(name, plan));
  for (const name of apps.keys()) await gather(name);
  await app('A').broadcast(everyMs);
}, 180_000);

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await wire.close();
});

describe('with a broadcast every 20 ms', () => {
  test('links are cut: their clients on all three nodes are closed and come back, the links are made again, others notice nothing', async () => {
    const others = witnesses.filter((witness) => witness.app !== 'B');
    wire.cut();
    await areBack(of('B'));
    expect(await reasons('B', of('B'))).toEqual(of('B').map(() => 'link_lost'));
    await until('the links are made again', async () => (await app('B').links()) === 2);
    expect(app('B').of('linkDown')).toHaveLength(2);
    expect(unharmedOf(others)).toEqual(others);
    await stage.ready(app('B'));
    await gather('B');
  });

  test('an app server stops with migrate: its clients on all three nodes stay connected, and their calls go on elsewhere', async () => {
    const before = unharmedOf(witnesses);
    expect(before).toEqual(expect.arrayContaining(of('C')));
    await app('C').stop({ clients: 'migrate', graceMs: 60_000 });
    const places = await Promise.all(of('C').map(({ client }) => stage.where(client)));
    expect(places.map(({ app: name }) => name)).not.toContain('C');
    expect(await reasons('C', of('C'))).toEqual(of('C').map(() => 'migrated'));
    expect(unharmedOf(witnesses)).toEqual(before);
    expect(of('C').map(({ client }) => client.id)).toEqual(of('C').map(({ id }) => id));
  });

  test('an app server is killed: its clients are closed and come back to another', {
    timeout: 180_000,
  }, async () => {
    const others = unharmedOf(of('A'));
    const carried = await Promise.all(witnesses.map(async ({ client }) => (await stage.where(client)).app));
    const lost = witnesses.filter((_, i) => carried[i] === 'B');
    expect(lost.length).toBeGreaterThan(0);
    const returns = lost.map(({ client }) => client.returns.items.length);
    await app('B').kill();
    const isBack = ({ client }: Witness, i: number): boolean => client.returns.items.length > (returns[i] ?? 0);
    await until('all of them are back', () => lost.every(isBack), waitMs);
    const places = await Promise.all(lost.map(({ client }) => stage.where(client)));
    expect(places.map(({ app: name }) => name)).not.toContain('B');
    expect(unharmedOf(of('A'))).toEqual(others);
  });

  test('a node is killed: its clients come back elsewhere, so do those of its links, and the app servers hear of it', {
    timeout: 180_000,
  }, async () => {
    const onIt = of('A').filter(({ at }) => at === 2);
    const carried = of('D').filter((witness) => witness.at !== 2 && unharmed(witness));
    const others = of('A').filter((witness) => witness.at !== 2 && unharmed(witness));
    expect([onIt.length > 0, carried.length > 0, others.length > 0]).toEqual([true, true, true]);
    await stage.service.node(2).kill();
    await areBack(onIt);
    expect(await reasons('A', onIt)).toEqual(onIt.map(() => 'connection_lost'));
    await areBack(carried);
    expect(unharmedOf(others)).toEqual(others);
  });

  test('whoever was connected throughout has every broadcast once, in order; nobody has one twice or out of order', async () => {
    const count = await app('A').quiet();
    const throughout = unharmedOf(witnesses);
    expect(throughout).toEqual(expect.arrayContaining(of('A').filter(({ at }) => at !== 2)));
    const all = Array.from({ length: count }, (_, n) => n);
    await Promise.all(throughout.map(({ client }) => client.heard(count - 1)));
    for (const { client } of throughout) expect(client.inbox.items).toEqual(all);
    for (const { client } of witnesses) {
      const items = client.inbox.items.map(Number);
      expect(items.filter((n, i) => i > 0 && n <= (items[i - 1] ?? 0))).toEqual([]);
    }
  });
});
