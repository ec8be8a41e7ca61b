import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findProgram, freePort, launch } from './redis.ts';
import { startMs, until } from './until.ts';

/** Three masters that share all slots, without replicas. */
export interface TestCluster {
  readonly url: string;
  /** The nodes' own ports, in the order of their slots. */
  readonly ports: readonly number[];
  /** Makes one master hang. */
  pause(index: number): void;
  resume(index: number): void;
  [Symbol.asyncDispose](): Promise<void>;
}

const slots = 16_384;
const size = 3;

/** Starts a Redis Cluster and waits until every node knows every other. */
export async function startCluster(): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-cluster-'));
  const ports: number[] = [];
  const children: ChildProcess[] = [];
  for (let i = 0; i < size; i++) {
    const port = await freePort();
    ports.push(port);
    children.push(await launch(findProgram(), nodeArguments(port, folder)));
  }
  await meet(ports);
  return {
    url: `redis+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`,
    ports,
    pause: (index) => void children[index]?.kill('SIGSTOP'),
    resume: (index) => void children[index]?.kill('SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(children.map(end));
      await rm(folder, { recursive: true });
    },
  };
}

function nodeArguments(port: number, folder: string): string[] {
  const cluster = [
    '--cluster-enabled',
    'yes',
    '--cluster-config-file',
    `${port}.conf`,
    '--cluster-node-timeout',
    '60000',
  ];
  return ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...cluster];
}

async function meet(ports: readonly number[]): Promise<void> {
  const nodes = ports.map((port) => new Redis({ port, host: '127.0.0.1' }));
  for (const [i, node] of nodes.entries()) {
    const [from, to] = [Math.ceil((slots * i) / size), Math.ceil((slots * (i + 1)) / size) - 1];
    await node.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    await node.call('CLUSTER', 'MEET', '127.0.0.1', ports[0] ?? 0);
  }
  for (const node of nodes) await until('the node knows the whole cluster', () => isWhole(node), startMs);
  for (const node of nodes) node.disconnect();
}

async function isWhole(node: Redis): Promise<boolean> {
  const info = String(await node.call('CLUSTER', 'INFO'));
  return info.includes('cluster_state:ok') && info.includes(`cluster_size:${size}`);
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
