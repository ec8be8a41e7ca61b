import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports from here on, and so many. */
const [firstPort, portCount] = [22_000, 10_000];

/**
 * A port of this machine that nobody listens on now, for programs that cannot choose one themselves, or that have to find it
 * again. It is below those that Linux gives out by itself (32,768 and up): nobody else is given it before the program listens.
 * Rejects with EADDRINUSE when one is asked for that is taken.
 */
export async function freePort(wanted = 0): Promise<number> {
  const port = wanted === 0 ? firstPort + randomInt(portCount) : wanted;
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (wanted === 0 && (error as NodeJS.ErrnoException).code === 'EADDRINUSE') return freePort();
    throw error;
  }
  server.close();
  await once(server, 'close');
  return port;
}
