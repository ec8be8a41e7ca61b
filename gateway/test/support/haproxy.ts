import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  deployedSilence,
  deployedWith,
  type ProxiedNode,
  type ProxyOptions,
  ProxyProcess,
  proxyDirectory,
} from './proxy-process.ts';
import { freePort } from './redis.ts';
import { until } from './until.ts';

/** Debian puts it where only root looks. */
const program = '/usr/sbin/haproxy';

const refusals = {
  upgrades: 'http-request deny deny_status 403 if { req.hdr(upgrade) -m found }',
  events: 'http-request deny deny_status 502 if { req.hdr(accept) -m str text/event-stream }',
} as const;

/** The program. Throws one line with what to install when it is not there. */
export function findHaproxy(): string {
  if (!existsSync(program)) throw new Error('These tests need HAProxy: install it with `apt-get install haproxy`.');
  return program;
}

/** A copy of `deploy/haproxy/haproxy.cfg` with what the options add. A node that stands still with its machine stays in. */
function confWith(options: ProxyOptions, directory: string): string {
  const { refuses = [], closes = false, silence = deployedSilence } = options;
  const [defaults, frontend] = ['defaults\n', 'frontend signalbox\n'];
  const lines = [...(closes ? ['option httpclose'] : []), ...refuses.map((what) => refusals[what])];
  const changed = join(directory, 'haproxy.cfg');
  const changes = [
    [defaults, `${defaults}timeout check 15s\n`],
    [frontend, `${frontend}${lines.join('\n')}\n`],
    [deployedSilence, silence],
  ] as const;
  writeFileSync(changed, deployedWith('haproxy/haproxy.cfg', changes));
  return changed;
}

/** What the file reads from its environment. */
export function haproxyEnv(port: number, nodes: readonly ProxiedNode[], directory: string): Record<string, string> {
  const ports = nodes.flatMap((node, at) => [
    [`PROXY_NODE_${at + 1}`, `127.0.0.1:${node.port}`],
    [`PROXY_NODE_${at + 1}_ADMIN`, String(node.adminPort)],
  ]);
  return {
    PROXY_BIND: `127.0.0.1:${port}`,
    PROXY_SOCKET: join(directory, 'admin.sock'),
    ...Object.fromEntries(ports),
  };
}

/** Starts a HAProxy with the file of `deploy/haproxy`. */
export async function startHaproxy(nodes: readonly ProxiedNode[], options: ProxyOptions = {}): Promise<ProxyProcess> {
  const [found, port, directory] = [findHaproxy(), options.port ?? (await freePort()), proxyDirectory()];
  const master = join(directory, 'master.sock');
  return ProxyProcess.start({
    program: found,
    args: ['-W', '-S', master, '-f', confWith(options, directory)],
    env: haproxyEnv(port, nodes, directory),
    port,
    directory,
    loaded: /Loading success/,
    // Not by a signal, which is lost while the last reload still goes on.
    reload: () => until('HAProxy takes the command', () => told(master, 'reload\n')),
  });
}

/** Says something to a socket of this machine; false: nobody listens. */
function told(path: string, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.end(text));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(true));
    socket.resume();
  });
}
