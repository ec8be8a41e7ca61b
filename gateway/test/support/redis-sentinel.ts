import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findProgram, freePort, launch, startRedis } from './redis.ts';

/** A master, a replica, and one sentinel that watches them. */
export interface TestSentinel {
  readonly url: string;
  /** Ends the master, so that the sentinel makes the replica the new one. */
  stopMaster(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts all three, and waits until the sentinel knows the replica. */
export async function startSentinel(): Promise<TestSentinel> {
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-sentinel-'));
  const master = await startRedis();
  const replica = await startRedis('--replicaof', `127.0.0.1 ${master.port}`);
  const port = await freePort();
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor main 127.0.0.1 ${master.port} 1`,
    'sentinel down-after-milliseconds main 500',
    'sentinel failover-timeout main 5000',
  ];
  const file = join(folder, 'sentinel.conf');
  await writeFile(file, settings.join('\n'));
  const sentinel = await launch(findProgram(), [file, '--sentinel'], /Sentinel ID is/);
  await knowsReplica(port);
  return {
    url: `redis+sentinel://127.0.0.1:${port}/main`,
    stopMaster: () => master.stop(),
    [Symbol.asyncDispose]: async () => {
      const exit = once(sentinel, 'exit');
      sentinel.kill('SIGKILL');
      await Promise.all([exit, master.stop(), replica.stop()]);
      await rm(folder, { recursive: true });
    },
  };
}

async function knowsReplica(port: number): Promise<void> {
  const client = new Redis({ port, host: '127.0.0.1' });
  for (;;) {
    const replicas = (await client.call('SENTINEL', 'REPLICAS', 'main')) as string[][];
    if (replicas.some((replica) => replica.join().includes('master-link-status,ok'))) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  client.disconnect();
}
