import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inFolder, type RunningProcess, startProcess } from './start-process.ts';

const shipped = new URL('../../deploy/prometheus/', import.meta.url);

/**
 * Starts Prometheus on this port with the configuration of `deploy/prometheus`, its rules and alerts, and these admin ports
 * in place of its targets. Rejects with ENOENT when it is not installed.
 */
export async function startPrometheus(port: number, adminPorts: readonly number[]): Promise<RunningProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-prometheus-'));
  const targets = adminPorts.map((adminPort) => `"127.0.0.1:${adminPort}"`).join(', ');
  const config = readFileSync(new URL('prometheus.yml', shipped), 'utf8')
    .replace(/targets: \["127\.0\.0\.1:9090".*\]/, `targets: [${targets}]`)
    .replace(/rule_files: \[(.*)\]/, (_, files: string) => `rule_files: [${files.replace(/"([^"]+)"/g, pathOf)}]`)
    .replaceAll('interval: 15s', 'interval: 5s'); // somebody looks at it now
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, config);
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${folder}`, `--web.listen-address=127.0.0.1:${port}`];
  const ready = /ready to receive web requests/;
  return inFolder(folder, () => startProcess('prometheus', args, { ready, says: 'stderr' }));
}

function pathOf(_: string, name: string): string {
  return JSON.stringify(fileURLToPath(new URL(name, shipped)));
}
