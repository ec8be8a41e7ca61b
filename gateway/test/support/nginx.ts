import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  deployedPath,
  deployedSilence,
  deployedWith,
  type ProxiedNode,
  type ProxyOptions,
  ProxyProcess,
  proxyDirectory,
} from './proxy-process.ts';
import { freePort } from './redis.ts';

/** Debian puts it where only root looks. */
const program = '/usr/sbin/nginx';
const conf = deployedPath('nginx/signalbox.conf');

const refusals = {
  upgrades: 'if ($http_upgrade) { return 403; }',
  events: 'if ($http_accept = text/event-stream) { return 502; }',
} as const;

/** Lays out a directory as `/etc/nginx`, with `deploy/nginx/signalbox.conf` itself and the ports of these nodes. */
export function nginxDirectory(port: number, nodes: readonly ProxiedNode[], options: ProxyOptions = {}): string {
  const directory = proxyDirectory();
  chmodSync(directory, 0o755); // the workers are not root
  mkdirSync(join(directory, 'signalbox'));
  const addresses = nodes.map((node, at) => [`10.0.0.${11 + at}:8080`, `127.0.0.1:${node.port}`] as const);
  writeFileSync(join(directory, 'signalbox/nodes.conf'), deployedWith('nginx/signalbox/nodes.conf', addresses));
  const site = deployedWith('nginx/signalbox/site.conf', [
    ['listen 80;', `listen 127.0.0.1:${port};`],
    ['/var/log/nginx/', `${directory}/`],
  ]);
  const added = [
    ...(options.refuses ?? []).map((what) => refusals[what]),
    ...(options.closes ? ['keepalive_timeout 0;'] : []),
  ];
  writeFileSync(join(directory, 'signalbox/site.conf'), [site, ...added].join('\n'));
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${what};`);
  const http = `${scratch.join('\n')}\ninclude ${confWith(options, directory)};`;
  const main = `daemon off;\npid nginx.pid;\nworker_processes 2;\nerror_log stderr;\nevents {}\nhttp {\n${http}\n}\n`;
  writeFileSync(join(directory, 'nginx.conf'), main);
  return directory;
}

/** `deploy/nginx/signalbox.conf` itself, or a copy with another patience. */
function confWith({ silence }: ProxyOptions, directory: string): string {
  if (silence === undefined) return conf;
  const changed = join(directory, 'signalbox.conf');
  writeFileSync(changed, deployedWith('nginx/signalbox.conf', [[deployedSilence, silence]]));
  return changed;
}

/** Arguments for a directory of {@link nginxDirectory}. */
export function nginxArgs(directory: string): readonly string[] {
  return ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', 'stderr'];
}

/** The program. Throws one line with what to install when it is not there. */
export function findNginx(): string {
  if (!existsSync(program)) throw new Error('These tests need nginx: install it with `apt-get install nginx`.');
  return program;
}

/** Starts an nginx with the files of `deploy/nginx`. */
export async function startNginx(nodes: readonly ProxiedNode[], options?: ProxyOptions): Promise<ProxyProcess> {
  const [found, port] = [findNginx(), options?.port ?? (await freePort())];
  const directory = nginxDirectory(port, nodes, options);
  const read = (name: string) => (): string => readFileSync(join(directory, name), 'utf8');
  return ProxyProcess.start({
    program: found,
    args: nginxArgs(directory),
    port,
    directory,
    reload: (pid) => void process.kill(pid, 'SIGHUP'),
    accessLog: read('signalbox.log'),
    errorLog: read('signalbox-error.log'),
  });
}
