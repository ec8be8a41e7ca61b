import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

/** The tree under "Where to look": each path with what stands before it put in front. */
function treePaths(): string[] {
  const tree = /## Where to look\n\n```\n(.+?)\n```/s.exec(readme)?.[1] ?? '';
  let folder = '';
  return tree.split('\n').flatMap((line) => {
    const [, indent, path = ''] = /^( {2})?(\S+)/.exec(line) ?? [];
    if (path === '') return [];
    if (indent !== undefined) return [folder + path];
    folder = path;
    return [path];
  });
}

test('every path in the tree of the README exists', () => {
  const paths = treePaths();
  expect(paths.length).toBeGreaterThan(10);
  expect(paths.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
});

test('every npm script of the README exists', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { scripts: object };
  const names = [...readme.matchAll(/`(?:npm ci && )?npm (?:run )?([a-z:]+)`/g)].map((match) => match[1] ?? '');
  expect(names).toContain('check');
  expect(names.filter((name) => name !== 'ci' && name !== 'install' && !(name in scripts))).toEqual([]);
});

test('what the README says of the native part is what package.json says', () => {
  const gateway = readFileSync(new URL('gateway/package.json', root), 'utf8');
  const line = /^("uWebSockets\.js": "npm:.*"),$/m.exec(readme)?.[1];
  expect(line).toBeDefined();
  expect(gateway).toContain(line);
});
