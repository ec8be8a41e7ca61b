import { afterEach, beforeEach, expect, test } from 'vitest';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

/** What became of clients that came one after the other. */
interface Arrivals {
  /** Carried by an app server, which answered. */
  served: number;
  /** Not let in, with an error. */
  refused: number;
  /** Let in, and closed before its call was answered. */
  ended: number;
  /** Let in, and answered by somebody who is no app server. */
  readonly wrong: unknown[];
}

let stage: Stage;
let coming: boolean;
let arrivals: Arrivals;
let arriving: Promise<void>;

beforeEach(async () => {
  stage = await Stage.open({ env: { SIGNALBOX_MODES: '*=auto' } });
  arrivals = { served: 0, refused: 0, ended: 0, wrong: [] };
});

afterEach(async () => {
  coming = false;
  await arriving;
  await stage[Symbol.asyncDispose]();
});

/** From now on one client after the other comes over the balancer, calls its hub and leaves. */
function arrive(): void {
  coming = true;
  arriving = (async () => {
    while (coming) await visit();
  })();
}

async function visit(): Promise<void> {
  let client: Awaited<ReturnType<Stage['client']>>;
  try {
    client = await stage.client();
  } catch {
    arrivals.refused++;
    return;
  }
  try {
    await stage.where(client);
    arrivals.served++;
  } catch (error) {
    if (/connection being closed|closed with an error|not in the 'Connected' State/.test(String(error)))
      arrivals.ended++;
    else arrivals.wrong.push(String(error));
  }
  await client.stop();
}

/** What becomes of a client that comes to this node: why it is refused, or `let in`. */
function outcome(at: number): Promise<string> {
  return stage.client({ at }).then(() => 'let in', String);
}

/** Resolves when so many more have come, and were served or refused. */
async function more(of: 'served' | 'refused', count: number): Promise<void> {
  const least = arrivals[of] + count;
  await until(`${count} more are ${of}`, () => arrivals[of] >= least, 60_000);
}

/** Nobody comes any more. @returns what became of those who came. */
async function everybody(): Promise<Arrivals> {
  coming = false;
  await arriving;
  return arrivals;
}

test('a rolling deploy of three app servers: the hub stays default, every client that comes is served, those who are there stay', {
  timeout: 180_000,
}, async () => {
  let old = await stage.app('version 1');
  const staying = await Promise.all([0, 1, 2].map((at) => stage.client({ at })));
  arrive();
  for (const version of ['version 2', 'version 3']) {
    const next = await stage.app(version);
    await more('served', 5);
    await old.stop({ clients: 'migrate', graceMs: 60_000 });
    await old.kill();
    for (const client of staying) expect((await stage.where(client)).app).toBe(version);
    await more('served', 5);
    old = next;
  }
  expect(await everybody()).toEqual({ served: expect.any(Number), refused: 0, ended: 0, wrong: [] });
  expect(staying.map((client) => client.connection.state)).toEqual(['Connected', 'Connected', 'Connected']);
});

test('between two app servers: clients are refused and none is served without one; the next app server takes them', {
  timeout: 180_000,
}, async () => {
  const first = await stage.app('first');
  const witness = await stage.client();
  arrive();
  await first.kill();
  await witness.closed;
  for (const at of [0, 1, 2]) {
    await until('nobody is let in', async () => /no app server/i.test(await outcome(at)));
    await expect(stage.client({ at })).rejects.toThrow(/no app server/i);
  }
  await more('refused', 1);
  await stage.app('second');
  expect((await stage.where(await stage.client())).app).toBe('second');
  expect((await everybody()).wrong).toEqual([]);
});

test('Redis restarts empty: the hub stays default on every node, and no client is served by the gateway itself', {
  timeout: 180_000,
}, async () => {
  await stage.app('A', { at: 0 });
  arrive();
  await more('served', 1);
  const down = (value: number) => async (): Promise<boolean> => {
    const all = await Promise.all(stage.service.nodes.map((node) => node.metric('signalbox_backplane_down')));
    return all.every((one) => one === value);
  };
  await stage.service.redis.stop();
  await until('each node knows', down(1));
  const here = await stage.client({ at: 0 });
  expect(await stage.where(here)).toEqual({ at: 0, app: 'A' });
  for (const at of [1, 2]) await expect(stage.client({ at })).rejects.toThrow(/no app server|lost/i);
  await stage.service.redis.restart();
  await until('each node is back', down(0), 60_000);
  for (const at of [0, 1, 2]) {
    await until('clients are taken', async () => (await outcome(at)) === 'let in');
    expect(await stage.where(await stage.client({ at }))).toEqual({ at, app: 'A' });
  }
  await more('served', 1);
  expect((await everybody()).wrong).toEqual([]);
});
