import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { startProcess } from './start-process.ts';

/** A Redis of one's own that keeps nothing on disk. */
export interface RunningRedis {
  readonly url: string;
  stop(): Promise<unknown>;
}

/** Files of a TLS certificate and its key. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/**
 * Starts `redis-server`, or `valkey-server`, on a free port, with TLS if a certificate is given. Rejects with one line for
 * people when neither is installed.
 */
export async function startRedis(tls?: Certificate): Promise<RunningRedis> {
  const port = await freePort();
  const args = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...portOf(port, tls)];
  for (const program of ['redis-server', 'valkey-server']) {
    try {
      const { stop } = await startProcess(program, args, { ready: /Ready to accept connections/ });
      return { url: `${tls === undefined ? 'redis' : 'rediss'}://127.0.0.1:${port}`, stop };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error('no Redis: set REDIS_URL, or install one, for instance `apt-get install redis-server`');
}

function portOf(port: number, tls: Certificate | undefined): string[] {
  if (tls === undefined) return ['--port', String(port)];
  const files = ['--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-auth-clients', 'no'];
  return ['--port', '0', '--tls-port', String(port), ...files];
}

/** A port that nobody listens on now: for programs that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
