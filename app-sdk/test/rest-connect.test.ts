import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { restSetup } from './support/rest-setup.ts';

// In a file of its own: undici keeps the first clock it sees for its time-outs, so none may have been frozen before.
const rest = restSetup();

test('a connection that is never made rejects ERR_TIMEOUT, notSent, and does not stay', async () => {
  const deaf = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
  const { port } = deaf.address() as { port: number };
  const hub = rest.client({ timeoutMs: 50 }, `Endpoint=https://127.0.0.1:${port};AccessKey=k`);
  await expect(hub.send('u', 'x')).rejects.toMatchObject({ code: 'ERR_TIMEOUT', outcome: 'notSent' });
  await hub.close();
  await new Promise((resolve) => deaf.close(resolve)); // which waits until no connection is left
});
