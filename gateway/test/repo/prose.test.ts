import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settings } from '../../src/config.ts';
import { metrics } from '../../src/observe/metrics.ts';
import { closeReasons, dropReasons } from '../../src/reasons.ts';

/** Pages that are written by hand, from the root of the repository. */
const written = ['README.md', 'deploy/README.md', 'gateway/docs/architecture.md', 'gateway/docs/operations.md'];

const root = new URL('../../../', import.meta.url);
const pages = written.map((name) => [name, readFileSync(new URL(name, root), 'utf8')] as const);
const known = new Set<string>([
  ...Object.values(settings).map(({ env }) => env),
  ...Object.keys(metrics),
  'SIGNALBOX_CONNECTION_STRING',
]);

test.each(pages)('%s names only settings and metrics that there are', (_name, text) => {
  const mentioned = text.match(/\bSIGNALBOX_[A-Z_]*[A-Z]\b|\bsignalbox_[a-z_]*[a-z]\b/g) ?? [];
  expect(mentioned.length).toBeGreaterThan(0);
  expect(mentioned.filter((name) => !known.has(name))).toEqual([]);
});

test.each(pages)('the links of %s lead somewhere', (name, text) => {
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? '');
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((path) => !existsSync(new URL(path, new URL(name, root))))).toEqual([]);
});

test('architecture.md names only files of the source that there are', () => {
  const text = pages.find(([name]) => name.endsWith('architecture.md'))?.[1] ?? '';
  const files = [...text.matchAll(/`((?:core|backplane|protocol|test)\/[\w./-]+\.ts)`/g)].map(
    (match) => match[1] ?? '',
  );
  expect(files.length).toBeGreaterThan(10);
  const places = (file: string): URL[] => ['gateway/src/', 'gateway/'].map((folder) => new URL(folder + file, root));
  expect(files.filter((file) => !places(file).some((place) => existsSync(place)))).toEqual([]);
});

test('operations.md names only reasons that there are', () => {
  const text = pages.find(([name]) => name.endsWith('operations.md'))?.[1] ?? '';
  const reasons = [...text.matchAll(/(?:closed|503), `(\w+)`/g)].map((match) => match[1] ?? '');
  expect(reasons.length).toBeGreaterThan(2);
  expect(reasons.filter((reason) => !(reason in closeReasons) && !(reason in dropReasons))).toEqual([]);
});
