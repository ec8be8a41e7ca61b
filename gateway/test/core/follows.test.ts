import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Happening } from '../../src/protocol/happening.ts';
import type { Quarry } from '../../src/protocol/operator.ts';
import { sendTo } from '../support/commands.ts';
import { type Cores, startCores } from '../support/cores.ts';
import { Inbox } from '../support/inbox.ts';
import { until } from '../support/until.ts';

let cores: Cores;
beforeEach(async () => {
  cores = await startCores(2, { config: { adminPayloadBytes: 100, adminFollowQueue: 20 } });
});
afterEach(() => cores[Symbol.asyncDispose]());

class Follower {
  readonly seen = new Inbox<Happening>();
  lost = 0;
  readonly stop: () => void;

  constructor(at: number, quarry: Quarry, payloads = false) {
    this.stop = cores.at(at).core.operators.followers.open(quarry, payloads, (happenings, lost) => {
      this.lost += lost;
      for (const one of happenings) this.seen.add(JSON.parse(one));
    });
  }

  get story(): string[] {
    return this.seen.items.map(({ event }) => event);
  }

  until(event: Happening['event']): Promise<void> {
    return this.seen.one(event, (one) => one.event === event);
  }
}

/** The node knows that somebody follows, or that nobody does. */
function heard(at: number, on = true): Promise<void> {
  return until(`core ${at} heard of it`, () => cores.at(at).core.follows.on === on);
}

const alice: Quarry = { hub: 'chat', of: { kind: 'user', user: 'alice' } };
const everybody: Quarry = { hub: 'chat', of: { kind: 'all' } };

describe.each([
  ['on the same node', 0],
  ['on another node', 1],
])('a user who is followed %s', (_name, at) => {
  test('is seen from handshake to end, with sizes and kinds and without payloads', async () => {
    const follower = new Follower(0, alice);
    await heard(at);
    const client = await cores.at(at).connect({ userId: 'alice' });
    const { core } = cores.at(at);
    await core.router.ask({ kind: 'join', hub: 'chat', connection: client.id, group: 'g' }, 'rest');
    await core.router.send(sendTo({ kind: 'group', group: 'g' }, 'secret words'), 'rest');
    await client.hears('secret words');
    client.send({ kind: 'ping' });
    await core.router.ask({ kind: 'leave', hub: 'chat', connection: client.id, group: 'g' }, 'rest');
    client.connection.close('closed_by_app');
    await follower.until('closed');
    expect(follower.story).toEqual(['opened', 'joined', 'sent', 'written', 'received', 'left', 'written', 'closed']);
    const [opened, joined, sent, written, received, , close, closed] = follower.seen.items;
    const who = { node: cores.at(at).node, hub: 'chat', connection: client.id, user: 'alice' };
    expect(opened).toMatchObject({ ...who, transport: client.transport.kind, protocol: 'json' });
    expect(joined).toMatchObject({ ...who, group: 'g' });
    expect(sent).toMatchObject({ hub: 'chat', to: { kind: 'group', group: 'g' }, receivers: 1 });
    expect(written).toMatchObject({ ...who, messages: ['invocation'] });
    expect(sent && 'bytes' in sent && written && 'bytes' in written && sent.bytes === written.bytes).toBe(true);
    expect(received).toMatchObject({ ...who, messages: ['ping'] });
    expect(close).toMatchObject({ messages: ['close'] });
    expect(closed).toMatchObject({ ...who, reason: 'closed_by_app' });
    expect(JSON.stringify(follower.seen.items)).not.toContain('secret words');
    follower.stop();
  });
});

test('nothing is told of others, and nothing after the end', async () => {
  const follower = new Follower(0, alice);
  await heard(1);
  const [bob, first] = [await cores.at(1).connect({ userId: 'bob' }), await cores.at(1).connect({ userId: 'alice' })];
  await follower.until('opened');
  expect(follower.seen.items).toHaveLength(1);
  follower.stop();
  await heard(1, false);
  expect([cores.at(0).core.follows.on, cores.at(1).core.follows.on]).toEqual([false, false]);
  bob.leave();
  first.leave();
  expect(follower.seen.items).toHaveLength(1);
});

test('a follower of a hub sees each send once on each node, and no copies of it', async () => {
  const follower = new Follower(0, everybody);
  await heard(1);
  const clients = await Promise.all([0, 1, 1].map((at) => cores.at(at).connect()));
  await cores.at(0).core.router.send(sendTo({ kind: 'all' }, 'hello'), 'rest');
  for (const client of clients) await client.hears('hello');
  await follower.seen.until('both nodes told', (all) => all.filter(({ event }) => event === 'sent').length === 2);
  const told = follower.seen.items.flatMap((one) => (one.event === 'sent' ? [[one.node, one.receivers]] : []));
  expect(new Map(told as [string, number][])).toEqual(
    new Map([
      [cores.at(0).node, 1],
      [cores.at(1).node, 2],
    ]),
  );
  expect(follower.story).not.toContain('written');
  follower.stop();
});

test('payloads are shown to who asks, up to what the node allows', async () => {
  const follower = new Follower(0, alice, true);
  await heard(1);
  const client = await cores.at(1).connect({ userId: 'alice' });
  const { router } = cores.at(0).core;
  await router.send(sendTo({ kind: 'user', user: 'alice' }, 'short'), 'rest');
  await router.send(sendTo({ kind: 'user', user: 'alice' }, 'x'.repeat(200)), 'rest');
  await client.hears('x'.repeat(200));
  await follower.seen.until('both', (all) => all.filter(({ event }) => event === 'written').length === 2);
  const shown = follower.seen.items.flatMap((one) => (one.event === 'written' ? [one.payload] : []));
  expect(shown[0]).toMatchObject({ base64: false, cut: false });
  expect(shown[0]?.text).toContain('"short"');
  expect([shown[1]?.cut, shown[1]?.text.length]).toEqual([true, 100]);
  follower.stop();
});

test('what is too much for the queue is left out and counted', async () => {
  const follower = new Follower(0, alice);
  await heard(1);
  const client = await cores.at(1).connect({ userId: 'alice' });
  await follower.until('opened');
  const sends = Array.from({ length: 100 }, (_, n) => sendTo({ kind: 'connection', connection: client.id }, `${n}`));
  await Promise.all(sends.map((send) => cores.at(1).core.router.send(send, 'rest')));
  await client.hears('99');
  client.leave();
  await follower.seen.until('some of it', (all) => all.length >= 21);
  await cores.at(1).connect({ userId: 'alice' });
  await follower.seen.until('what came later', (all) => all.filter(({ event }) => event === 'opened').length === 2);
  expect(follower.lost).toBe(1 + 200 + 2 - follower.seen.items.length);
  follower.stop();
});

test('a lookup finds who is on which node, with what they are in', async () => {
  const client = await cores.at(1).connect({ userId: 'alice' });
  await cores.at(0).core.router.ask({ kind: 'join', hub: 'chat', connection: client.id, group: 'g' }, 'rest');
  for (const of of [
    { kind: 'user', user: 'alice' },
    { kind: 'group', group: 'g' },
    { kind: 'connection', connection: client.id },
  ] as const) {
    const { answers, missing, cutOff } = await cores.at(0).core.operators.lookup({ hub: '', of }, 10);
    const found = answers.flatMap(({ node, value }) => value.map((one) => ({ node, ...one })));
    expect(found).toMatchObject([
      { node: cores.at(1).node, connection: client.id, user: 'alice', hub: 'chat', groups: ['g'], protocol: 'json' },
    ]);
    expect([missing, cutOff]).toEqual([[], false]);
  }
});

test('with Redis down a node answers for itself, and says so', async () => {
  await cores.at(0).connect({ userId: 'alice' });
  await cores.at(1).connect({ userId: 'alice' });
  cores.at(0).backplane.cut();
  const { answers, cutOff } = await cores.at(0).core.operators.lookup(alice, 10);
  expect(answers.map(({ node, value }) => [node, value.length])).toEqual([[cores.at(0).node, 1]]);
  expect(cutOff).toBe(true);
});
