import { describe, expect, it } from 'vitest';
import { type AskOutcome, Asks } from '../../src/core/ask.ts';
import { PendingJoins } from '../../src/core/pending-joins.ts';
import type { Verdict } from '../../src/protocol/command.ts';

function make(): { asks: Asks; clock: { now: number; asleep: number }; asked: [AskOutcome, number][] } {
  const clock = { now: 1_000, asleep: 0 };
  const asked: [AskOutcome, number][] = [];
  const asks = new Asks({
    node: 'here',
    deadlineMs: 2_000,
    now: () => clock.now,
    awake: () => clock.now - clock.asleep,
    asked: (...facts) => asked.push(facts),
  });
  return { asks, clock, asked };
}

/** The outcome, or `open` when there is none yet. */
async function now(outcome: Promise<AskOutcome>): Promise<AskOutcome | 'open'> {
  await new Promise((resolve) => setImmediate(resolve));
  return Promise.race([outcome, Promise.resolve('open' as const)]);
}

describe('a question to other nodes', () => {
  it('carries this node and an id of its own', () => {
    const { asks } = make();
    const [one, two] = [asks.open('first').asker, asks.open('first').asker];
    expect([one.node, two.node]).toEqual(['here', 'here']);
    expect(one.id).not.toBe(two.id);
  });

  it('ends with the first yes where one is enough, before it is known how many were asked', async () => {
    const { asks, asked, clock } = make();
    const { asker, outcome } = asks.open('first');
    asks.answer(asker.id, 'no');
    expect(await now(outcome)).toBe('open');
    clock.now += 30;
    asks.answer(asker.id, 'yes');
    expect(await outcome).toBe('yes');
    asks.expect(asker.id, 5);
    asks.answer(asker.id, 'no');
    expect(asked).toEqual([['yes', 30]]);
  });

  it('ends with no only when as many answered as were asked', async () => {
    const { asks } = make();
    const { asker, outcome } = asks.open('first');
    asks.expect(asker.id, 2);
    asks.answer(asker.id, 'no');
    expect(await now(outcome)).toBe('open');
    asks.answer(asker.id, 'no');
    expect(await outcome).toBe('no');
  });

  it('ends with no at once when nobody was there to be asked', async () => {
    const { asks } = make();
    const { asker, outcome } = asks.open('every');
    asks.expect(asker.id, 0);
    expect(await outcome).toBe('no');
  });

  it('waits for every answer where all count, and takes the best of them', async () => {
    const best: [Verdict[], Verdict][] = [
      [['no', 'yes', 'no'], 'yes'],
      [['no', 'failed', 'limit'], 'limit'],
      [['failed', 'no', 'no'], 'failed'],
      [['no', 'no', 'no'], 'no'],
      [['limit', 'yes', 'failed'], 'yes'],
    ];
    for (const [answers, expected] of best) {
      const { asks } = make();
      const { asker, outcome } = asks.open('every');
      asks.expect(asker.id, 3);
      for (const verdict of answers.slice(0, 2)) asks.answer(asker.id, verdict);
      expect(await now(outcome)).toBe('open');
      asks.answer(asker.id, answers[2]!);
      expect(await outcome).toBe(expected);
    }
  });

  it('counts answers that came before it was known how many were asked', async () => {
    const { asks } = make();
    const { asker, outcome } = asks.open('every');
    for (const verdict of ['no', 'yes'] as const) asks.answer(asker.id, verdict);
    expect(await now(outcome)).toBe('open');
    asks.expect(asker.id, 2);
    expect(await outcome).toBe('yes');
  });

  it('ends as a timeout at its deadline, whatever was answered, and late answers do nothing', async () => {
    const { asks, asked, clock } = make();
    const first = asks.open('every');
    asks.expect(first.asker.id, 2);
    asks.answer(first.asker.id, 'yes');
    clock.now += 1_000;
    const second = asks.open('first');
    clock.now += 999;
    asks.sweep();
    expect(await now(first.outcome)).toBe('open');
    clock.now += 1;
    asks.sweep();
    expect(await first.outcome).toBe('timeout');
    expect(await now(second.outcome)).toBe('open');
    asks.answer(first.asker.id, 'yes');
    expect(asked).toEqual([['timeout', 2_000]]);
  });

  it('is not late for time in which this node could hear no answer', async () => {
    const { asks, asked, clock } = make();
    const { asker, outcome } = asks.open('first');
    clock.asleep = 60_000;
    clock.now += 61_999;
    asks.sweep();
    expect(await now(outcome)).toBe('open');
    asks.answer(asker.id, 'yes');
    expect(await outcome).toBe('yes');
    expect(asked).toEqual([['yes', 61_999]]);
  });

  it('is forgotten when it could not be sent', async () => {
    const { asks, asked, clock } = make();
    const { asker } = asks.open('first');
    asks.drop(asker.id);
    asks.answer(asker.id, 'yes');
    clock.now += 10_000;
    asks.sweep();
    expect(asked).toEqual([]);
  });

  it('takes what this node found itself for the answer of its echo', async () => {
    const { asks } = make();
    const { asker, outcome } = asks.open('every', Promise.resolve('yes'));
    asks.expect(asker.id, 2);
    expect(asks.answerEcho(asker)).toBe(true);
    expect(await now(outcome)).toBe('open');
    asks.answer(asker.id, 'no');
    expect(await outcome).toBe('yes');
  });

  it('has yet to be carried out when its echo comes and this node found nothing before, or another node asked', () => {
    const { asks } = make();
    expect(asks.answerEcho(asks.open('every').asker)).toBe(false);
    expect(asks.answerEcho({ ...asks.open('every', Promise.resolve('yes')).asker, node: 'there' })).toBe(false);
  });

  it('is not carried out a second time by an echo that comes after its end', async () => {
    const { asks, clock } = make();
    const late = asks.open('every', Promise.resolve('yes'));
    const dropped = asks.open('every', Promise.resolve('yes'));
    const ofRest = asks.open('every');
    asks.drop(dropped.asker.id);
    clock.now += 2_000;
    asks.sweep();
    expect(await late.outcome).toBe('timeout');
    expect(asks.answerEcho(late.asker)).toBe(true);
    expect(asks.answerEcho(dropped.asker)).toBe(true);
    expect(asks.answerEcho(ofRest.asker)).toBe(false);
  });
});

describe('pending joins', () => {
  const join = { kind: 'join', hub: 'chat', connection: 'c', group: 'blue' } as const;

  it('send the group on the topic of all until every one of them is confirmed', () => {
    const joins = new PendingJoins();
    expect(joins.has('chat', 'blue')).toBe(false);
    const first = joins.begin(join);
    const second = joins.begin({ kind: 'joinUser', hub: 'chat', user: 'ann', group: 'blue' });
    first();
    expect(joins.has('chat', 'blue')).toBe(true);
    expect([joins.has('chat', 'red'), joins.has('other', 'blue')]).toEqual([false, false]);
    second();
    expect(joins.has('chat', 'blue')).toBe(false);
  });

  it('are no other questions', () => {
    const joins = new PendingJoins();
    joins.begin({ kind: 'leave', hub: 'chat', connection: 'c', group: 'blue' })();
    joins.begin({ kind: 'userInGroup', hub: 'chat', user: 'ann', group: 'blue' });
    expect(joins.has('chat', 'blue')).toBe(false);
  });
});
