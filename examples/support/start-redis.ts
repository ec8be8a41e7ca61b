import { freePort } from './free-port.ts';
import { type RunningProcess, startProcess } from './start-process.ts';

/** A Redis of one's own that keeps nothing on disk. */
export interface RunningRedis extends RunningProcess {
  readonly url: string;
}

/** Files of a TLS certificate and its key. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/**
 * Starts `redis-server`, or `valkey-server`, on this port, by default a free one, with TLS if a certificate is given. Rejects
 * with one line for people when neither is installed.
 */
export async function startRedis({
  port: given,
  tls,
}: {
  port?: number;
  tls?: Certificate;
} = {}): Promise<RunningRedis> {
  const port = given ?? (await freePort());
  const args = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...portOf(port, tls)];
  for (const program of ['redis-server', 'valkey-server']) {
    try {
      const redis = await startProcess(program, args, { ready: /Ready to accept connections/ });
      return { ...redis, url: `${tls === undefined ? 'redis' : 'rediss'}://127.0.0.1:${port}` };
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
