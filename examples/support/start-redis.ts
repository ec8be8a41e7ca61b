import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { startProcess } from './start-process.ts';

/** A Redis of one's own that keeps nothing on disk. */
export interface RunningRedis {
  readonly url: string;
  stop(): Promise<unknown>;
}

/** Starts `redis-server`, or `valkey-server`, on a free port. Rejects with one line for people when neither is installed. */
export async function startRedis(): Promise<RunningRedis> {
  const port = await freePort();
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'];
  for (const program of ['redis-server', 'valkey-server']) {
    try {
      const { stop } = await startProcess(program, args, { ready: /Ready to accept connections/ });
      return { url: `redis://127.0.0.1:${port}`, stop };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error('no Redis: set REDIS_URL, or install one, for instance `apt-get install redis-server`');
}

/** A port that nobody listens on now: Redis cannot choose one itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
