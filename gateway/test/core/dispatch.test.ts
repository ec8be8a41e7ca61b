import { describe, expect, it } from 'vitest';
import type { Connection } from '../../src/core/connection.ts';
import { Dispatch } from '../../src/core/dispatch.ts';
import { Membership } from '../../src/core/membership.ts';
import { Registry } from '../../src/core/registry.ts';
import { Topics } from '../../src/core/topics.ts';
import { Watches } from '../../src/core/watches.ts';
import { Waves } from '../../src/core/waves.ts';
import type { Verdict } from '../../src/protocol/command.ts';
import { sendTo, to, toConvert } from '../support/commands.ts';
import { Surroundings, turn } from '../support/connections.ts';
import { EventLog } from '../support/event-log.ts';
import { nobodyFollows } from '../support/nobody-follows.ts';

function make(queue = 100) {
  const log = new EventLog();
  const around = new Surroundings();
  const registry = new Registry();
  const answers: [number, Verdict][] = [];
  const bus = { remote: true, watch: () => Promise.resolve(), unwatch: () => Promise.resolve() };
  const membership = new Membership({
    registry,
    watches: new Watches(bus, 0, () => 0),
    topics: new Topics('sb@0', 'secret', false),
    maxGroups: 10,
    limitReached: () => undefined,
    follows: nobodyFollows,
  });
  const dispatch = new Dispatch({
    follows: nobodyFollows,
    registry,
    membership,
    waves: new Waves(1_000),
    events: log.events,
    answer: (asker, verdict) => answers.push([asker.id, verdict]),
    sliceMs: 5,
    queue,
  });
  const open = (more: Parameters<Surroundings['open']>[0] = {}) => {
    const made = around.open(more);
    registry.add(made.connection);
    return made;
  };
  return { log, around, registry, answers, dispatch, open };
}

/** Makes sending to this client take a while. */
function slow(connection: Connection, costMs: number): void {
  const send = connection.send.bind(connection);
  connection.send = (frame) => {
    const until = performance.now() + costMs;
    while (performance.now() < until);
    send(frame);
  };
}

describe('dispatch', () => {
  it('reports each fan-out and what was delivered, once', async () => {
    const { dispatch, log, open } = make();
    const payload = toConvert('["hi"]');
    const json = payload.kind === 'convert' ? payload.json.length : 0;
    for (const protocol of ['json', 'json', 'odd']) open({ protocol, userId: 'ann' });
    dispatch.deliver(sendTo(to.all, '', { payload }));
    expect(log.calls).toEqual([
      ['fanout', 2],
      ['delivered', 2, 2 * json],
      ['dropped', 'no_protocol', 1],
    ]);
    log.calls.length = 0;
    dispatch.deliver(sendTo(to.user('ann'), '', { payload }));
    expect(log.calls).toEqual([
      ['delivered', 1, json],
      ['delivered', 1, json],
      ['dropped', 'no_protocol', 1],
    ]);
  });

  it('counts direct sends that a client before its handshake has no room for', () => {
    const { around, dispatch, log, registry } = make();
    const { connection } = around.joining({ userId: 'ann' });
    registry.add(connection);
    dispatch.deliver(sendTo(to.user('ann'), 'x'.repeat(100)));
    dispatch.deliver(sendTo(to.all, 'x'));
    expect(log.drops).toEqual({ not_handshaken: 1 });
  });

  it('does nothing for a hub or an address without connections', () => {
    const { answers, dispatch, log, open } = make();
    dispatch.deliver(sendTo(to.all, 'x'));
    open();
    dispatch.deliver(sendTo(to.user('nobody'), 'x'));
    dispatch.deliver(sendTo(to.connection('none'), 'x'));
    expect([log.drops, log.of('delivered'), answers]).toEqual([{}, [], []]);
  });

  it('carries out what comes behind a long fan-out after it, and answers then', async () => {
    const { answers, dispatch, log, open } = make();
    const members = Array.from({ length: 1_000 }, () => open());
    for (const { connection } of members) slow(connection, 0.03);
    const last = members[999]!;
    dispatch.deliver(sendTo(to.all, 'first'));
    const join = { kind: 'join', hub: 'chat', connection: last.connection.id, group: 'blue' } as const;
    dispatch.deliver({ ...join, ask: { node: 'there', id: 7 } });
    dispatch.deliver(sendTo(to.group('blue'), 'second'));
    dispatch.deliver({ ...join, kind: 'leave', ask: { node: 'there', id: 8 } });
    expect([dispatch.waiting, last.connection.groups, answers]).toEqual([3, undefined, []]);
    while (dispatch.waiting > 0 || answers.length < 2) await turn();
    await turn();
    expect(last.transport.text).toMatch(/first.*second/s);
    expect(members[0]!.transport.text).not.toContain('second');
    expect(answers.sort()).toEqual([
      [7, 'yes'],
      [8, 'yes'],
    ]);
    expect(log.of('fanout')).toEqual([[1_000], [1]]);
  });

  it('takes no more than its bound behind a long fan-out, and counts what it sheds as behind', async () => {
    const { dispatch, log, open } = make(2);
    const members = Array.from({ length: 1_000 }, () => open({ userId: 'ann' }));
    for (const { connection } of members) slow(connection, 0.03);
    dispatch.deliver(sendTo(to.all, 'long'));
    const one = members[0]!;
    for (const text of ['a', 'b', 'c']) dispatch.deliver(sendTo(to.connection(one.connection.id), text));
    for (const text of ['d', 'e']) dispatch.deliver(sendTo(to.all, text));
    dispatch.deliver(sendTo(to.group('blue'), 'f'));
    while (dispatch.waiting > 0) await turn();
    await turn();
    expect(log.drops).toEqual({ behind: 4 });
    const heard = [...one.transport.text.matchAll(/"arguments":\["(\w+)"\]/g)].map(([, text]) => text);
    expect(heard).toEqual(['long', 'a', 'b']);
  });

  it('answers no for what is not here, and failed when a topic could not be watched', async () => {
    const { dispatch, open } = make();
    const question = { kind: 'join', hub: 'chat', connection: 'none', group: 'blue' } as const;
    expect(await dispatch.ask(question)).toBe('no');
    const { connection } = open();
    expect(await dispatch.ask(question)).toBe('no');
    expect(await dispatch.ask({ ...question, connection: connection.id })).toBe('yes');
    expect(dispatch.concerns({ ...question, connection: connection.id })).toBe(true);
    expect(dispatch.concerns(question)).toBe(false);
  });
});
