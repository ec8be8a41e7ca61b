import { describe, expect, it } from 'vitest';
import { sendTo, to } from '../support/commands.ts';
import { startAlone, startCores } from '../support/cores.ts';

describe('a core that stops', () => {
  it('closes every client with leave to come back, and those without a handshake without a word', async () => {
    await using cores = await startCores(1, { config: { drainRate: 100_000 } });
    const { arrive, connect, core, log } = cores.at(0);
    const clients = await Promise.all(Array.from({ length: 50 }, () => connect()));
    const opening = arrive();
    await core.closeClients();
    for (const { messages, transport } of clients) {
      expect(transport.ended).toBe(true);
      expect(messages).toEqual([{ kind: 'close', error: undefined, allowReconnect: true }]);
    }
    expect([opening.transport.ended, opening.transport.frames]).toEqual([true, []]);
    expect([core.registry.size, [...core.arrivals.opening]]).toEqual([0, []]);
    expect(log.of('connectionClosed')).toHaveLength(50);
    expect(log.of('connectionRefused')).toEqual([['drain']]);
  });

  it('writes what its clients are owed', async () => {
    const cores = await startCores(1);
    const client = await cores.at(0).connect();
    await cores.at(0).core.router.send(sendTo(to.all, 'last'), 'link');
    await cores[Symbol.asyncDispose]();
    expect(client.heard).toEqual(['last']);
  });

  it('takes nobody any more once it drains', async () => {
    await using alone = await startAlone();
    expect(alone.core.arrivals.refusal('chat', 'ann')).toBeUndefined();
    alone.core.limits.draining = true;
    expect(alone.core.arrivals.refusal('chat', 'ann')).toBe('draining');
  });
});

describe('a core', () => {
  it('holds the topics of a client from its arrival to the end of the linger', async () => {
    await using cores = await startCores(2, { config: { lingerMs: 0 } });
    const [here, there] = [cores.at(0), cores.at(1)];
    const { topics } = here;
    const client = await here.connect({ userId: 'ann' });
    await there.core.router.ask({ kind: 'join', hub: 'chat', connection: client.id, group: 'blue' }, 'rest');
    const held = [
      topics.all('chat'),
      topics.personal('chat', topics.tagOfUser('chat', 'ann')),
      topics.group('chat', 'blue'),
    ];
    const watchers = (): Promise<number[]> => Promise.all(held.map((topic) => there.bus.watchers(topic)));
    expect(await watchers()).toEqual([1, 1, 1]);
    const second = await here.connect({ userId: 'ann' });
    client.leave();
    here.core.watches.sweep();
    expect(await watchers()).toEqual([1, 1, 0]);
    second.leave();
    here.core.watches.sweep();
    expect(await watchers()).toEqual([0, 0, 0]);
  });

  it('publishes a message to one user once, and only the cores that hold the user are woken', async () => {
    await using cores = await startCores(5);
    const ann = await cores.at(3).connect({ userId: 'ann' });
    for (const core of cores.all) await core.connect({ userId: 'somebody else' });
    const published: string[] = [];
    const { backplane } = cores.at(0);
    const publish = backplane.publish.bind(backplane);
    const receivers: number[] = [];
    backplane.publish = async (topic, envelope) => {
      published.push(topic);
      const count = await publish(topic, envelope);
      receivers.push(count);
      return count;
    };
    await cores.at(0).core.router.send(sendTo(to.user('ann'), 'hello'), 'rest');
    await ann.hears('hello');
    expect([published.length, receivers]).toEqual([1, [1]]);
  });
});
