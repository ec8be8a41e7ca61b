import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inFolder, type RunningProcess, startProcess } from './start-process.ts';

/** Ports that nginx listens on, and those behind it. */
export interface NginxPorts {
  /** For clients and apps of the gateway nodes. */
  readonly gateway: number;
  readonly nodes: readonly number[];
  /** For pages of the app servers. */
  readonly pages: number;
  readonly apps: readonly number[];
}

const deploy = new URL('../../deploy/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, deploy), 'utf8');

/**
 * Starts nginx with the files of compose.yaml, with addresses of this machine in place of its names, and waits until it
 * listens. Rejects with ENOENT when it is not installed.
 */
export async function startNginx(ports: NginxPorts): Promise<RunningProcess> {
  const folder = layOut(ports);
  // Debian puts it where only root looks.
  const env = { PATH: (process.env['PATH'] ?? '').replace('/usr/bin', '/usr/bin:/usr/sbin') };
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
  const ready = /\[notice\].*getrlimit/; // said when the ports are open
  return inFolder(folder, () => startProcess('nginx', args, { ready, says: 'stderr', env }));
}

/** A folder as `/etc/nginx`. */
function layOut({ gateway, nodes, pages, apps }: NginxPorts): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-nginx-'));
  const at = (port: number): string => `127.0.0.1:${port}`;
  const place = (path: string, text: string): void => writeFileSync(join(folder, path), text);
  mkdirSync(join(folder, 'signalbox'));
  place('signalbox/nodes.conf', named(read('compose/nginx/nodes.conf'), 'gateway', nodes));
  place(
    'signalbox/site.conf',
    read('compose/nginx/site.conf')
      .replace(/listen \d+/, `listen ${at(gateway)}`)
      .replace(/access_log .*;/, 'access_log off;')
      .replace('/dev/stderr', 'error.log'),
  );
  place('chat.conf', named(read('compose/nginx/chat.conf'), 'chat', apps).replace(/listen \d+/, `listen ${at(pages)}`));
  place('nginx.conf', mainFile());
  return folder;
}

/** The text with `name1:…`, `name2:…` as these ports of this machine. */
function named(text: string, name: string, ports: readonly number[]): string {
  return text.replace(
    new RegExp(`\\b${name}(\\d):\\d+`, 'g'),
    (_, number: string) => `127.0.0.1:${ports[Number(number) - 1]}`,
  );
}

/** One process, so that nothing is left behind when it is killed. */
function mainFile(): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${what};`);
  const http = [...scratch, `include ${fileURLToPath(new URL('nginx/signalbox.conf', deploy))};`, 'include chat.conf;'];
  const main = ['daemon off;', 'master_process off;', 'pid nginx.pid;', 'error_log stderr notice;', 'events {}'];
  return [...main, 'http {', ...http, '}', ''].join('\n');
}
