import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const config = fileURLToPath(new URL('../../deploy/prometheus/prometheus.yml', import.meta.url));
const promtool = '/usr/bin/promtool';

test('Prometheus scrapes the admin ports of the two nodes that the README starts', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const ports = [...readme.matchAll(/SIGNALBOX_ADMIN_PORT=(\d+) node/g)].map((match) => match[1]);
  expect(ports).toHaveLength(2);
  const targets = readFileSync(config, 'utf8').match(/127\.0\.0\.1:\d+/g);
  expect(targets).toEqual(ports.map((port) => `127.0.0.1:${port}`));
});

// Comes with Prometheus, which nobody needs for anything else here; `.ci/run` installs it.
if (existsSync(promtool)) {
  test('promtool takes the configuration', () => {
    const said = execFileSync(promtool, ['check', 'config', '--lint-fatal', config], { encoding: 'utf8' });
    expect(said).toContain('SUCCESS');
  });
}
