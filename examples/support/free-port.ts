import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports from here on, and so many. */
const [firstPort, portCount] = [12_000, 10_000];

/**
 * A port of this machine that nobody listens on now, for programs that cannot choose one themselves, or that have to find it
 * again. It is below those that Linux gives out by itself (32,768 and up): nobody else is given it before the program listens.
 * Nor is anybody who asks here, in whatever process, until this process ends: it keeps the UDP port of that number, which TCP
 * knows nothing of. Rejects with EADDRINUSE when one is asked for that is taken.
 */
export async function freePort(wanted = 0): Promise<number> {
  if (wanted !== 0) return await tried(wanted);
  const port = firstPort + randomInt(portCount);
  const kept = createSocket('udp4').unref();
  try {
    await once(kept.bind(port, '127.0.0.1'), 'listening');
    return await tried(port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return freePort();
    throw error;
  }
}

/** The same port, when it could be listened on. */
async function tried(port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
  return port;
}
