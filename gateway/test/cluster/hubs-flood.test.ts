import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { Stage } from '../support/stage.ts';
import { within } from '../support/until.ts';

let stage: Stage;
let app: AppProcess;

beforeAll(async () => {
  stage = await Stage.open();
  app = await stage.app('A', { at: 0 });
}, 120_000);
afterAll(() => stage[Symbol.asyncDispose]());

/** Items after which a client that keeps up has shown it. */
const plenty = 20_000;

/** Faster than a client reads and, for a client elsewhere, faster than Redis answers. */
test.each([
  { at: 0, link: 'here' },
  { at: 2, link: 'elsewhere' },
])(
  'a stream without end or pause to a client on node $at, its link $link, harms nobody else, and ends with its client at the latest',
  async ({ at }) => {
    const [flooded, other] = await Promise.all([stage.client({ at }), stage.client({ at: 1 })]);
    const { id } = flooded;
    const heard: number[] = [];
    let enough = (): void => undefined;
    const muchHeard = new Promise<void>((resolve) => {
      enough = resolve;
    });
    flooded.connection.stream<number>('flood').subscribe({
      next: (n) => {
        if (heard.push(n) === plenty) enough();
      },
      error: () => undefined,
      complete: () => undefined,
    });
    // A client that keeps up is left alone; one that does not is closed. Either way its end is the end of the stream.
    await within('much is heard, or the client is closed', Promise.race([muchHeard, flooded.closed]), 150_000);
    await flooded.stop();
    await app.notices.until('the method ends', () => app.of('cancelled', id).length === 1, 60_000);
    await within('the client is closed', flooded.closed, 60_000);
    expect(await app.goodbyes(id)).toHaveLength(1);
    expect(heard).toEqual(Array.from({ length: heard.length }, (_, i) => i + 1));
    expect(await within('others are served', other.connection.invoke('echo', 'fine'), 30_000)).toBe('fine');
    expect(await app.links()).toBe(2);
    for (const node of stage.service.nodes) expect((await node.admin('/livez')).status).toBe(200);
  },
  300_000,
);
