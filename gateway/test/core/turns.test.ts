import { describe, expect, it } from 'vitest';
import type { Connection } from '../../src/core/connection.ts';
import { exceptOf, Fanout } from '../../src/core/fanout.ts';
import { Frames } from '../../src/core/frames.ts';
import type { Frame } from '../../src/core/transport.ts';
import { Turns, type TurnsOptions } from '../../src/core/turns.ts';
import { saying } from '../support/commands.ts';
import { Surroundings } from '../support/connections.ts';

/** A member that takes a while to serve, and notes what it was sent. */
function slowMember(costMs: number, sent: () => void): Connection {
  const { connection } = new Surroundings().open();
  connection.send = (_frame: Frame) => {
    const until = performance.now() + costMs;
    while (performance.now() < until);
    sent();
  };
  return connection;
}

function longFanout(notes: string[], name: string, members = 3_000, costMs = 0.02): Fanout {
  const member = slowMember(costMs, () => {
    if (notes.at(-1) !== name) notes.push(name);
  });
  return new Fanout(
    Array.from({ length: members }, () => member),
    new Frames(saying('x')),
    undefined,
  );
}

function make(more: Partial<TurnsOptions> = {}): { turns: Turns; finished: Fanout[]; shed: { count: number } } {
  const finished: Fanout[] = [];
  const shed = { count: 0 };
  const turns = new Turns({
    finished: (fanout) => finished.push(fanout),
    sliceMs: 10,
    queue: 100,
    shed: (count) => {
      shed.count += count;
    },
    ...more,
  });
  return { turns, finished, shed };
}

async function idle(turns: Turns, finished: Fanout[], count: number): Promise<void> {
  while (finished.length < count || turns.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
}

describe('turns', () => {
  it('run a command at once when its hub is free, and report a short fan-out as over', () => {
    const { turns, finished } = make();
    const notes: string[] = [];
    turns.run('chat', () => longFanout(notes, 'short', 1), true);
    expect(notes).toEqual(['short']);
    expect(finished.map(({ counts }) => counts.delivered)).toEqual([1]);
  });

  it('cut a long fan-out into slices of about 10 ms, with timers between them', async () => {
    const { turns, finished } = make();
    let served = 0;
    const member = slowMember(0.05, () => served++);
    const members = Array.from({ length: 3_000 }, () => member);
    const afterTimers: number[] = [];
    const timer = setInterval(() => afterTimers.push(served), 1);
    turns.run('chat', () => new Fanout(members, new Frames(saying('x')), undefined), true);
    expect(served).toBeLessThanOrEqual(512); // 200 in 10 ms, looked at every 256
    await idle(turns, finished, 1);
    clearInterval(timer);
    expect(finished[0]?.counts.delivered).toBe(3_000);
    expect(afterTimers.filter((count) => count > 0 && count < 3_000).length).toBeGreaterThan(3);
  });

  it('keep the commands of the hub waiting behind it, in order, and no other hub', async () => {
    const { turns, finished } = make();
    const notes: string[] = [];
    const note = (name: string) => () => {
      notes.push(name);
      return undefined;
    };
    turns.run('chat', () => longFanout(notes, 'long'), true);
    turns.run('chat', note('join'), false);
    turns.run('chat', () => longFanout(notes, 'long 2'), true);
    turns.run('chat', note('leave'), false);
    turns.run('other', note('other hub'), true);
    expect(turns.waiting).toBe(3);
    await idle(turns, finished, 2);
    const ofHub = notes.filter((one) => one !== 'other hub').filter((one, i, all) => one !== all[i - 1]);
    expect(ofHub).toEqual(['long', 'join', 'long 2', 'leave']);
    expect(finished).toHaveLength(2); // each is reported once
    expect(notes.indexOf('other hub')).toBeLessThan(notes.indexOf('join'));
    turns.run('chat', note('free again'), true);
    expect(notes.at(-1)).toBe('free again');
  });

  it('shed the oldest broadcasts above the bound, count them, and take nothing more when there is none left to shed', async () => {
    const { turns, finished, shed } = make({ queue: 3 });
    const notes: string[] = [];
    turns.run('chat', () => longFanout(notes, 'long'), true);
    const run = (name: string, sheddable: boolean): boolean => {
      const work = (): undefined => void notes.push(name);
      return turns.run('chat', work, sheddable);
    };
    for (const name of ['direct 1', 'broadcast 1', 'broadcast 2', 'direct 2', 'broadcast 3']) {
      run(name, name.startsWith('broadcast'));
    }
    expect(shed.count).toBe(2);
    expect(turns.waiting).toBe(3);
    expect(run('direct 3', false)).toBe(true);
    expect(run('direct 4', false)).toBe(false);
    expect(shed.count).toBe(4);
    expect(turns.waiting).toBe(3);
    await idle(turns, finished, 1);
    expect(notes).toEqual(['long', 'direct 1', 'direct 2', 'direct 3']);
  });
});

describe('a fan-out', () => {
  it('sends each message to handshaken members only, and counts what it did', () => {
    const around = new Surroundings();
    const frames = new Frames({ kind: 'ready', frames: new Map([['json', Buffer.from('12345')]]) });
    const members = [
      around.open(),
      around.joining(),
      around.open({ protocol: 'messagepack' }),
      around.open({ protocol: 'odd' }),
      around.open(),
    ];
    members[4]?.connection.gone();
    const fanout = new Fanout(
      members.map(({ connection }) => connection),
      frames,
      undefined,
    );
    expect(fanout.advance(Number.POSITIVE_INFINITY)).toBe(true);
    expect(fanout.counts).toEqual({ delivered: 1, bytes: 5, noProtocol: 2 });
    around.outbox.flush();
    expect(members.map(({ transport }) => transport.text)).toEqual(['12345', '', '', '', '']);
  });

  it('leaves out connections and users', () => {
    const around = new Surroundings();
    const members = [
      around.open({ userId: 'ann' }),
      around.open({ userId: 'ann' }),
      around.open({ userId: 'bob' }),
      around.open(),
    ];
    const served = (connections: string[], users: string[]): number[] => {
      const except = exceptOf(connections, users);
      const frames = new Frames({ kind: 'ready', frames: new Map([['json', Buffer.from('x')]]) });
      for (const { transport } of members) transport.frames.length = 0;
      new Fanout(
        members.map(({ connection }) => connection),
        frames,
        except,
      ).advance(Number.POSITIVE_INFINITY);
      around.outbox.flush();
      return members.flatMap(({ transport }, place) => (transport.frames.length > 0 ? [place] : []));
    };
    const [first, , , last] = members.map(({ connection }) => connection.id);
    expect(served([], [])).toEqual([0, 1, 2, 3]);
    expect(served([first!], [])).toEqual([1, 2, 3]);
    expect(served([], ['ann'])).toEqual([2, 3]);
    expect(served([last!], ['bob', 'nobody'])).toEqual([0, 1]);
    expect(served(['ann'], [first!])).toEqual([0, 1, 2, 3]);
  });

  it('skips who leaves while it is under way', () => {
    const around = new Surroundings();
    const members = Array.from({ length: 1_000 }, () => around.open());
    const fanout = new Fanout(
      members.map(({ connection }) => connection),
      new Frames(saying('x')),
      undefined,
    );
    expect(fanout.advance(0)).toBe(false);
    const { delivered } = fanout.counts;
    members[999]?.connection.gone();
    expect(fanout.advance(Number.POSITIVE_INFINITY)).toBe(true);
    expect(delivered).toBeLessThan(1_000);
    expect(fanout.counts.delivered).toBe(999);
  });
});
