import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stage } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ nodes: 1 });
});
afterAll(() => stage[Symbol.asyncDispose]());

test('calls of a hub in an app server and their answers are counted as messages and bytes, both ways', async () => {
  await stage.app('one');
  const client = await stage.client();
  const [node] = stage.service.nodes;
  const names = ['received_messages', 'received_bytes', 'delivered_frames', 'delivered_bytes'];
  const counts = () => Promise.all(names.map((name) => node?.metric(`signalbox_${name}_total`) ?? 0));
  const before = await counts();
  const text = 'x'.repeat(1000);
  for (let n = 0; n < 10; n++) expect(await client.connection.invoke('echo', text)).toBe(text);
  const more = (await counts()).map((count, at) => count - (before[at] ?? 0));
  // Pings may come between; nothing is counted twice.
  for (const [at, least] of [10, 10_000, 10, 10_000].entries()) {
    expect(more[at], names[at]).toBeGreaterThanOrEqual(least);
    expect(more[at], names[at]).toBeLessThan(least * 1.5);
  }
});
