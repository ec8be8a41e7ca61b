import { readPing } from '@signalbox/app-sdk/protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HandOver } from '../../src/apps/hand-over.ts';
import type { Link } from '../../src/apps/link.ts';

/** App servers that were asked, with the node that they were to go to. */
let asked: string[];
let alone: string[];
let haven: string | undefined;
let stopped: boolean;
let over: boolean;
let handOver: HandOver;

const link = (server: string): Pick<Link, 'say'> => ({
  say: (message) => void asked.push(`${server} ${JSON.stringify(message.kind === 'Ping' && readPing(message))}`),
});
const links = {
  stop: () => {
    stopped = true;
  },
  sole: () => alone.map(link),
  haven: () => haven,
};
const to = (server: string): string => `${server} {"topic":"target","instanceId":"n2"}`;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  alone = ['a', 'b'];
  haven = 'n2';
  stopped = false;
  over = false;
});
afterEach(() => void vi.useRealTimers());

async function begin(limitMs = 5000): Promise<void> {
  handOver = new HandOver({ links, limitMs });
  void handOver.run().then(() => {
    over = true;
  });
  await vi.advanceTimersByTimeAsync(0);
}

it('asks each app server that has links here alone, and is over when none is left', async () => {
  await begin();
  expect([stopped, asked, handOver.left]).toEqual([true, [to('a'), to('b')], 2]);
  alone = ['b'];
  handOver.nodeChanged();
  await vi.advanceTimersByTimeAsync(0);
  expect([over, handOver.left]).toEqual([false, 1]);
  alone = [];
  handOver.nodeChanged();
  await vi.advanceTimersByTimeAsync(0);
  expect([over, asked.length]).toEqual([true, 2]);
});

it('asks again, and gives up at the limit', async () => {
  await begin();
  alone = ['b'];
  await vi.advanceTimersByTimeAsync(4999);
  expect([over, asked]).toEqual([false, [to('a'), to('b'), to('b'), to('b')]]);
  await vi.advanceTimersByTimeAsync(1);
  expect(over).toBe(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toHaveLength(4);
});

it('does not wait without app servers, without another node, or for one that leaves', async () => {
  alone = [];
  await begin();
  expect([over, asked]).toEqual([true, []]);
  over = false;
  alone = ['a'];
  haven = undefined;
  await begin();
  expect([over, asked]).toEqual([true, []]);
  for (const leaves of ['nodeLeft', 'nodeLost', 'nodeChanged'] as const) {
    over = false;
    haven = 'n2';
    await begin();
    expect(over).toBe(false);
    haven = undefined;
    handOver[leaves]();
    await vi.advanceTimersByTimeAsync(0);
    expect(over).toBe(true);
  }
});

it('with a limit of 0 is left out', async () => {
  await begin(0);
  expect([over, stopped, asked]).toEqual([true, false, []]);
});
