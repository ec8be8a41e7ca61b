import { Subject } from '@microsoft/signalr';
import { iterate, type StreamSource, upload } from '@signalbox/app-sdk/browser';
import { describe, expect, test, vi } from 'vitest';
import { until } from './support/until.ts';

/** A stream whose other end the test holds; the official `Subject` is what clients give. */
function stream() {
  const subject = new Subject<number>();
  const disposed = vi.fn();
  const source: StreamSource<number> = {
    subscribe(observer) {
      const subscription = subject.subscribe(observer);
      return {
        dispose() {
          disposed();
          subscription.dispose();
        },
      };
    },
  };
  return { subject, source, disposed };
}

describe('iterate', () => {
  test('gives the items in order, those that came before they were asked for and those after', async () => {
    const { subject, source, disposed } = stream();
    const iterator = iterate(source)[Symbol.asyncIterator]();
    subject.next(1);
    subject.next(2);
    expect([(await iterator.next()).value, (await iterator.next()).value]).toEqual([1, 2]);
    const waiting = [iterator.next(), iterator.next()];
    subject.next(3);
    subject.complete();
    expect(await Promise.all(waiting)).toEqual([
      { value: 3, done: false },
      { value: undefined, done: true },
    ]);
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
    expect(disposed).not.toHaveBeenCalled();
  });

  test('throws what ended the stream, after the items before it, and once', async () => {
    const { subject, source } = stream();
    const iterator = iterate(source)[Symbol.asyncIterator]();
    subject.next(1);
    subject.error(new Error('lost'));
    expect((await iterator.next()).value).toBe(1);
    await expect(iterator.next()).rejects.toThrow('lost');
    expect((await iterator.next()).done).toBe(true);
  });

  test('throws what ends the stream to the reader that waits', async () => {
    const { subject, source } = stream();
    const iterator = iterate(source)[Symbol.asyncIterator]();
    const waiting = iterator.next();
    subject.error(new Error('lost'));
    await expect(waiting).rejects.toThrow('lost');
    expect((await iterator.next()).done).toBe(true);
  });

  test('cancels the stream when the loop is left', async () => {
    const { subject, source, disposed } = stream();
    const loop = (async () => {
      for await (const item of iterate(source)) return item;
      return undefined;
    })();
    subject.next(7);
    expect(await loop).toBe(7);
    expect(disposed).toHaveBeenCalledOnce();
  });

  test('cancels a stream whose reader is 10,000 items behind, and throws after the last of them', async () => {
    const { subject, source, disposed } = stream();
    const iterator = iterate(source)[Symbol.asyncIterator]();
    for (let n = 0; n <= 10_000; n++) subject.next(n);
    expect(disposed).toHaveBeenCalledOnce();
    for (let n = 0; n < 10_000; n++) expect((await iterator.next()).value).toBe(n);
    await expect(iterator.next()).rejects.toThrow('a reader must not be more than 10000 items behind');
  });
});

describe('upload', () => {
  const taken = <T>(source: StreamSource<T>) =>
    new Promise<unknown[]>((resolve) => {
      const told: unknown[] = [];
      source.subscribe({
        next: (item) => told.push(item),
        error: (error) => resolve([...told, error]),
        complete: () => resolve([...told, 'complete']),
      });
    });

  test('tells the items and the end', async () => {
    async function* values() {
      yield 1;
      yield 2;
    }
    expect(await taken(upload(values()))).toEqual([1, 2, 'complete']);
  });

  test('tells what the iterable throws', async () => {
    const error = new Error('disk');
    async function* values() {
      yield 1;
      throw error;
    }
    expect(await taken(upload(values()))).toEqual([1, error]);
  });

  test('ends the iterable when it is disposed of, and tells nothing more', async () => {
    const ended = vi.fn();
    const told = vi.fn();
    const first = new Promise<void>((resolve) => told.mockImplementationOnce(() => resolve()));
    async function* values() {
      try {
        for (;;) yield 1;
      } finally {
        ended();
      }
    }
    const subscription = upload(values()).subscribe({ next: told, error: told, complete: told });
    await first;
    subscription.dispose();
    await until(() => ended.mock.calls.length > 0);
    const count = told.mock.calls.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect([told.mock.calls.length, ended.mock.calls.length]).toEqual([count, 1]);
  });
});
