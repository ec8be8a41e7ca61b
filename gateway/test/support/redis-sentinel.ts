import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findProgram, freePort, launch, startRedis, type TestRedis } from './redis.ts';
import { until } from './until.ts';

/** A master, a replica, and one sentinel that watches them. */
export interface TestSentinel {
  readonly url: string;
  /** Ends the master, and has the sentinel make the replica the new one. */
  stopMaster(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts all three, and waits until the sentinel knows the replica. */
export async function startSentinel(): Promise<TestSentinel> {
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-sentinel-'));
  const master = await startRedis('--dir', folder, '--repl-diskless-sync-delay', '0');
  const replica = await startRedis('--dir', folder, '--replicaof', `127.0.0.1 ${master.port}`);
  await follows(replica); // a sentinel asks the master for its replicas when it starts, then only every ten seconds
  const port = await freePort();
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor main 127.0.0.1 ${master.port} 1`,
    // The test says when: a master that a busy machine keeps waiting is not given up.
    'sentinel down-after-milliseconds main 60000',
    'sentinel failover-timeout main 5000',
  ];
  const file = join(folder, 'sentinel.conf');
  await writeFile(file, settings.join('\n'));
  const sentinel = await launch(findProgram(), [file, '--sentinel'], /Sentinel ID is/);
  const asked = new Redis({ port, host: '127.0.0.1' });
  await until('the sentinel knows the replica', () => knowsReplica(asked), 40_000);
  return {
    url: `redis+sentinel://127.0.0.1:${port}/main`,
    stopMaster: async () => {
      await master.stop();
      await until('the sentinel begins the fail-over', () => failsOver(asked));
    },
    [Symbol.asyncDispose]: async () => {
      asked.disconnect();
      const exit = once(sentinel, 'exit');
      sentinel.kill('SIGKILL');
      await Promise.all([exit, master.stop(), replica.stop()]);
      await rm(folder, { recursive: true });
    },
  };
}

async function follows({ port }: TestRedis): Promise<void> {
  const replica = new Redis({ port, host: '127.0.0.1' });
  await until('the replica follows', async () => (await replica.info('replication')).includes('master_link_status:up'));
  replica.disconnect();
}

async function knowsReplica(sentinel: Redis): Promise<boolean> {
  const replicas = (await sentinel.call('SENTINEL', 'REPLICAS', 'main')) as string[][];
  return replicas.some((replica) => replica.join().includes('master-link-status,ok'));
}

/** False when the sentinel has not heard from the replica of late: the machine is busy. */
async function failsOver(sentinel: Redis): Promise<boolean> {
  try {
    await sentinel.call('SENTINEL', 'FAILOVER', 'main');
    return true;
  } catch (error) {
    if (String(error).includes('NOGOODSLAVE')) return false;
    throw error;
  }
}
