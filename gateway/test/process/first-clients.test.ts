import { expect, test } from 'vitest';
import { OfficialClient } from '../support/official-client.ts';
import { startService } from '../support/service.ts';

const starts = 12;
const clients = 4;

/** An upgrade that waited for Redis once cut off the first client of every third process (see `nativeDoor`). */
test(`the first ${clients} clients of ${starts} fresh nodes with Redis are all let in`, async () => {
  const letIn: number[] = [];
  for (let start = 0; start < starts; start++) {
    await using service = await startService({ nodes: 1 });
    const app = service.app('fresh');
    for (let i = 0; i < clients; i++) {
      const client = await OfficialClient.connect(await app.negotiate({ userId: `user${i}` }));
      letIn.push(start);
      await client.stop();
    }
  }
  expect(letIn).toHaveLength(starts * clients);
}, 60_000);
