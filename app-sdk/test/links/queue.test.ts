import { beforeEach, describe, expect, test } from 'vitest';
import { LinkQueue } from '../../src/link-queue.ts';

const mebibyte = 1 << 20;

let writes: Uint8Array[];
/** Whether the writer has room. */
let room: boolean;
let queue: LinkQueue;
let wrote: () => void;

beforeEach(() => {
  writes = [];
  room = true;
  wrote = () => undefined;
  queue = new LinkQueue({
    maxBytes: 4 * mebibyte,
    write(bytes) {
      writes.push(bytes.slice());
      wrote();
      return room;
    },
  });
});

const frame = (length: number, fill = 1): Uint8Array => new Uint8Array(length).fill(fill);

/** Resolves when the turn has been written. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the queue of a link', () => {
  test('writes what is put in within one turn at once, in order', async () => {
    await Promise.all([queue.put(frame(1, 1)), queue.put(frame(2, 2))]);
    queue.push(frame(1, 3));
    await turn();
    expect(writes.map((bytes) => [...bytes])).toEqual([[1, 2, 2, 3]]);
    expect(queue.bytes).toBe(0);
  });

  test('writes at most 64 KiB at a time, unless one message is larger', async () => {
    for (const length of [40_000, 20_000, 10_000, 100_000, 5]) await queue.put(frame(length));
    await turn();
    expect(writes.map(({ length }) => length)).toEqual([60_000, 10_000, 100_000, 5]);
  });

  test('writes nothing while the writer has no room, and goes on when it has', async () => {
    room = false;
    await queue.put(frame(1, 1));
    await turn();
    await queue.put(frame(1, 2));
    await turn();
    expect(writes).toHaveLength(1);
    expect(queue.stuckSince).toBeTypeOf('number');
    expect(queue.bytes).toBe(2 * 65);
    room = true;
    queue.drained();
    expect(writes.map((bytes) => [...bytes])).toEqual([[1], [2]]);
    expect([queue.bytes, queue.stuckSince]).toEqual([0, undefined]);
  });

  test('lets a sender wait from 1 MiB on, until less waits', async () => {
    room = false;
    let passed = false;
    const sending = queue.put(frame(mebibyte)).then(() => {
      passed = true;
    });
    await turn();
    expect(passed).toBe(false);
    queue.drained();
    await sending;
  });

  test('refuses with ERR_QUEUE_FULL what goes over the bound, and takes small messages of its own nevertheless', async () => {
    room = false;
    const first = queue.put(frame(3 * mebibyte));
    await expect(queue.put(frame(mebibyte))).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL', outcome: 'notSent' });
    queue.push(frame(1));
    expect(queue.bytes).toBe(3 * mebibyte + 1 + 2 * 64);
    await turn();
    queue.drained();
    await first;
  });

  test('refuses with ERR_TOO_LARGE what could never be taken', async () => {
    await expect(queue.put(frame(4 * mebibyte + 1))).rejects.toMatchObject({
      code: 'ERR_TOO_LARGE',
      message: `a message must be at most ${4 * mebibyte} bytes, got ${4 * mebibyte + 1}`,
    });
  });

  test('refuses what is given up before it is put in', async () => {
    const given = queue.put(frame(1), { signal: AbortSignal.abort() });
    await expect(given).rejects.toMatchObject({ code: 'ERR_ABORTED', outcome: 'notSent' });
    expect(queue.bytes).toBe(0);
  });

  test('lets nobody wait longer than its options say; the message stays', async () => {
    room = false;
    const late = queue.put(frame(2 * mebibyte), { timeoutMs: 10 });
    await expect(late).rejects.toMatchObject({ code: 'ERR_TIMEOUT', outcome: 'unknown' });
    expect(queue.bytes).toBe(2 * mebibyte + 64);
  });

  test('tells when it ends who was surely not sent', async () => {
    room = false;
    const outcomes = Promise.allSettled([queue.put(frame(mebibyte)), queue.put(frame(mebibyte))]);
    await turn();
    expect(queue.end('gone')).toBe(1);
    expect(await outcomes).toMatchObject([
      { reason: { code: 'ERR_LINK_LOST', outcome: 'unknown', message: 'gone' } },
      { reason: { code: 'ERR_LINK_LOST', outcome: 'notSent' } },
    ]);
    await expect(queue.put(frame(1))).rejects.toMatchObject({ code: 'ERR_LINK_LOST', outcome: 'notSent' });
    queue.push(frame(1));
    queue.drained();
    await turn();
    expect([writes.length, queue.bytes]).toEqual([1, 0]);
  });

  test('stops in the middle of a turn when writing ends it', async () => {
    wrote = () => void queue.end('gone');
    void queue.put(frame(60_000));
    void queue.put(frame(60_000));
    await turn();
    expect([writes.length, queue.bytes]).toEqual([1, 0]);
  });

  test('tells when it is empty, at once if it is', async () => {
    await queue.flushed();
    room = false;
    void queue.put(frame(1));
    let empty = false;
    const flushed = queue.flushed().then(() => {
      empty = true;
    });
    await turn();
    expect(empty).toBe(false);
    queue.drained();
    await flushed;
  });
});
