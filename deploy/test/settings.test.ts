import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig, type Setting, settings } from '../../gateway/src/config.ts';
import { deployedFiles, read, root } from './support/files.ts';

const known = new Set(Object.values<Setting<unknown>>(settings).map(({ env }) => env));
known.add('SIGNALBOX_CONNECTION_STRING'); // what apps read
const files = deployedFiles().map((path) => [path, read(path)] as const);

test.each(files)('%s names only settings that the gateway has', (_, text) => {
  const named = text.match(/\bSIGNALBOX_[A-Z_]*[A-Z]\b/g) ?? [];
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

test('the settings are looked for in all that is deployed', () => {
  const paths = files.map(([path]) => path);
  for (const part of ['compose.yaml', 'Dockerfile', 'systemd/', 'kubernetes/', 'aws/', 'Procfile', 'app.json']) {
    expect(
      paths.some((path) => path.includes(part)),
      part,
    ).toBe(true);
  }
});

test.each([
  ['deploy/systemd/signalbox.env', () => envFile(read('deploy/systemd/signalbox.env'))],
  ['app.json', () => appEnv()],
])('the gateway takes the values of %s', (_, env) => {
  const given = { ...env(), SIGNALBOX_ACCESS_KEY: 'k'.repeat(32) };
  expect(Object.keys(given).length).toBeGreaterThan(3);
  expect(readConfig(given).host).toBe('0.0.0.0');
});

function envFile(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
}

function appEnv(): Record<string, string> {
  const { env } = JSON.parse(read('app.json')) as { env: Record<string, { value?: string }> };
  return Object.fromEntries(Object.entries(env).map(([name, { value = '' }]) => [name, value]));
}

/** Programs that a file starts must be built from what is there. */
test.each(files)('%s starts only programs that there are', (path, text) => {
  const programs = [...text.matchAll(/\bnode (?:\/opt\/signalbox\/)?([\w/.-]+\.(?:js|ts))/g)].map(([, at]) => at ?? '');
  const source = (program: string): string => program.replace(/^gateway\/dist\/(.*)\.js$/, 'gateway/src/$1.ts');
  const missing = programs.filter(
    (program) => !existsSync(join(root, source(program))) && !existsSync(join(root, dirname(path), program)),
  );
  expect(missing).toEqual([]);
});
