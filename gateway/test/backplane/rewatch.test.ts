import { describe, expect, it } from 'vitest';
import { type Subscriber, Watchlist } from '../../src/backplane/rewatch.ts';

/** A connection that answers when the test says so. */
class SlowSubscriber implements Subscriber {
  /** What was asked, oldest first; a `-` begins what is unsubscribed. */
  readonly commands: string[][] = [];
  #answer: (() => void) | undefined;

  subscribe(topics: string[]): Promise<void> {
    return this.#asked(topics);
  }

  unsubscribe(topics: string[]): Promise<void> {
    return this.#asked(['-', ...topics]);
  }

  async answer(): Promise<void> {
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.();
    await new Promise(setImmediate);
  }

  #asked(topics: string[]): Promise<void> {
    if (this.#answer !== undefined) throw new Error('a command is in flight');
    this.commands.push(topics);
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }
}

function make(sharded = false): { watchlist: Watchlist; told: string[] } {
  const told: string[] = [];
  const watchlist = new Watchlist(sharded, {
    caughtUp: () => told.push('caught up'),
    failed: () => told.push('failed'),
  });
  return { watchlist, told };
}

describe('a watchlist', () => {
  it('asks for new topics at once, and while a command is in flight collects the next one', async () => {
    const { watchlist } = make();
    const subscriber = new SlowSubscriber();
    watchlist.attach(subscriber);
    const watched = ['a', 'b', 'c'].map((topic) => watchlist.watch(topic));
    expect(subscriber.commands).toEqual([['a']]);
    await subscriber.answer();
    expect(subscriber.commands).toEqual([['a'], ['b', 'c']]);
    await subscriber.answer();
    await Promise.all(watched);
  });

  it('re-watches node topics first, then all, then the rest, but what is new before them', async () => {
    const { watchlist, told } = make();
    for (const topic of ['p:h:x:g:1', 'p:h:x:all', 'p:n:me', 'p:h:x:n:me', 'p:news', 'p:h:x:p:tag'])
      watchlist.want(topic);
    const subscriber = new SlowSubscriber();
    watchlist.attach(subscriber);
    const fresh = watchlist.watch('p:h:x:g:new');
    for (let i = 0; i < 4; i++) await subscriber.answer();
    expect(subscriber.commands).toEqual([
      ['p:n:me', 'p:h:x:n:me'],
      ['p:h:x:g:new'],
      ['p:h:x:all', 'p:news'],
      ['p:h:x:g:1', 'p:h:x:p:tag'],
    ]);
    expect(told).toEqual(['caught up']);
    await fresh;
  });

  it('puts at most 500 topics into a command', async () => {
    const { watchlist } = make();
    for (let i = 0; i < 1_200; i++) watchlist.want(`g:${i}`);
    const subscriber = new SlowSubscriber();
    watchlist.attach(subscriber);
    for (let i = 0; i < 3; i++) await subscriber.answer();
    expect(subscriber.commands.map((topics) => topics.length)).toEqual([500, 500, 200]);
  });

  it('never mixes slots of a cluster in a command', async () => {
    const { watchlist } = make(true);
    for (const topic of ['{x}:1', '{y}:1', '{x}:2', '{y}:2']) watchlist.want(topic);
    const subscriber = new SlowSubscriber();
    watchlist.attach(subscriber);
    await subscriber.answer();
    await subscriber.answer();
    expect(subscriber.commands).toEqual([
      ['{x}:1', '{x}:2'],
      ['{y}:1', '{y}:2'],
    ]);
  });

  it('gives a topic up that is no longer wanted when the answer comes', async () => {
    const { watchlist } = make();
    const subscriber = new SlowSubscriber();
    watchlist.attach(subscriber);
    const watched = watchlist.watch('a');
    watchlist.unwatch('a');
    await expect(watched).rejects.toMatchObject({ code: 'backplane_down' });
    await subscriber.answer();
    expect(subscriber.commands).toEqual([['a'], ['-', 'a']]);
  });

  it('watches again what was wanted again while it was given up', async () => {
    const { watchlist } = make();
    const subscriber = new SlowSubscriber();
    watchlist.attach(subscriber);
    const first = watchlist.watch('a');
    await subscriber.answer();
    await first;
    watchlist.unwatch('a');
    const again = watchlist.watch('a');
    await subscriber.answer();
    await subscriber.answer();
    await again;
    expect(subscriber.commands).toEqual([['a'], ['-', 'a'], ['a']]);
  });

  it('refuses at once without a connection, and watches the topic on the next one', async () => {
    const { watchlist } = make();
    await expect(watchlist.watch('a')).rejects.toMatchObject({ code: 'backplane_down' });
    const subscriber = new SlowSubscriber();
    watchlist.attach(subscriber);
    expect(subscriber.commands).toEqual([['a']]);
  });

  it('rejects a watch that takes more than 2 s, and goes on wanting the topic', async () => {
    const { watchlist } = make();
    watchlist.attach(new SlowSubscriber());
    await expect(watchlist.watch('a')).rejects.toMatchObject({
      code: 'backplane_down',
      message: 'not watched: the topic was not watched within 2000 ms',
    });
    expect(watchlist.has('a')).toBe(true);
  });

  it('rejects whoever waits when the connection is lost, and ignores its late answers', async () => {
    const { watchlist, told } = make();
    const [old, next] = [new SlowSubscriber(), new SlowSubscriber()];
    watchlist.attach(old);
    const watched = watchlist.watch('a');
    watchlist.detach();
    await expect(watched).rejects.toMatchObject({ code: 'backplane_down' });
    watchlist.attach(next);
    const again = watchlist.watch('a');
    await old.answer();
    expect(next.commands).toEqual([['a']]);
    await next.answer();
    await again;
    expect(told.at(-1)).toBe('caught up');
  });

  it('says that a connection failed when it refuses a command', async () => {
    const { watchlist, told } = make();
    const refuse = (): Promise<never> => Promise.reject(new Error('NOPERM'));
    watchlist.want('a');
    watchlist.attach({ subscribe: refuse, unsubscribe: refuse });
    await new Promise(setImmediate);
    expect(told).toEqual(['failed']);
  });
});
