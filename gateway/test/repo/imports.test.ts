import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

interface Import {
  readonly from: string;
  /** A path below the root for a file, else the name of a package. */
  readonly to: string;
}

function importsOf(folder: string): readonly Import[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.ts')).flatMap((name) => importsOfFile(join(folder, name)));
}

/** Types count too: who reads a file must know what its imports mean. */
function importsOfFile(from: string): readonly Import[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, from), 'utf8'), true, true);
  return importedFiles.map(({ fileName }) => ({
    from,
    to: fileName.startsWith('.') ? relative(root, join(root, dirname(from), fileName)) : fileName,
  }));
}

/** Left never imports right. Each word is a folder, or the files of `src/` that begin with it. */
const order: readonly (readonly string[])[] = [
  ['errors', 'reasons', 'version'],
  ['config'],
  ['observe'],
  ['auth'],
  ['protocol'],
  ['backplane'],
  ['core'],
  ['http'],
  ['clients', 'apps', 'upstream', 'admin'],
  ['drain'],
  ['backbone', 'hubs', 'gateway', 'cannot-start'],
  ['workers'],
  ['main', 'run', 'cli', 'command-line'],
];
const doors = ['clients', 'apps', 'upstream', 'admin'];

/** The layer of a file of the gateway: its folder, or its name up to the first of its words. */
function layerOf(path: string): string {
  const [, , first = '', second] = path.split('/');
  if (second !== undefined) return first;
  const name = first.replace(/\.ts$/, '');
  const layers = order.flat();
  return layers.find((layer) => name === layer) ?? layers.find((layer) => name.startsWith(`${layer}-`)) ?? name;
}

function rankOf(path: string): number {
  const rank = order.findIndex((layers) => layers.includes(layerOf(path)));
  if (rank < 0) throw new Error(`${path} has no place in the order of imports`);
  return rank;
}

function pointsBack({ from, to }: Import): boolean {
  const twoDoors = doors.includes(layerOf(from)) && doors.includes(layerOf(to)) && layerOf(from) !== layerOf(to);
  return twoDoors || rankOf(to) > rankOf(from);
}

/** The first cycle, as its files in order; none: empty. */
function findCycle(imports: readonly Import[]): readonly string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): readonly string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const to of next.get(file) ?? []) {
      const cycle = visit(to, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of next.keys()) {
    const cycle = visit(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

const gateway = importsOf('gateway/src');
const sdk = importsOf('app-sdk/src');
const inGateway = gateway.filter(({ to }) => to.startsWith('gateway/'));
const told = ({ from, to }: Import): string => `${from} imports ${to}`;

test('every file of the gateway has its place in the order of imports', () => {
  expect(inGateway.length).toBeGreaterThan(50);
  expect(() => gateway.map(({ from }) => rankOf(from))).not.toThrow();
});

test('imports of the gateway point one way, and one door never imports another', () => {
  expect(inGateway.filter(pointsBack).map(told)).toEqual([]);
});

test('a wrong import is noticed', () => {
  const wrong = [
    { from: 'gateway/src/core/a.ts', to: 'gateway/src/apps/b.ts' },
    { from: 'gateway/src/apps/a.ts', to: 'gateway/src/clients/b.ts' },
    { from: 'gateway/src/admin/a.ts', to: 'gateway/src/apps/b.ts' },
    { from: 'gateway/src/config-readers.ts', to: 'gateway/src/http-answer.ts' },
  ];
  expect(wrong.filter(pointsBack)).toEqual(wrong);
  const circle = [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c' },
    { from: 'c', to: 'b' },
  ];
  expect(findCycle(circle)).toEqual(['b', 'c', 'b']);
});

test('no files import each other in a circle', () => {
  expect(findCycle(gateway)).toEqual([]);
  expect(sdk.length).toBeGreaterThan(20);
  expect(findCycle(sdk)).toEqual([]);
});

/** Packages that only some layers may know. */
const keepers: Readonly<Record<string, readonly string[]>> = {
  'uWebSockets.js': ['http', ...doors, 'gateway'],
  ioredis: ['backplane'],
  undici: ['observe', 'upstream'],
  pino: ['observe'],
  'prom-client': ['observe'],
};

test.each(Object.entries(keepers))('%s is imported by nobody but %j', (name, layers) => {
  const users = gateway.filter(({ to }) => to === name || to.startsWith(`${name}/`));
  expect(users.filter(({ from }) => !layers.includes(layerOf(from))).map(told)).toEqual([]);
});

test('the app SDK knows nothing of the gateway', () => {
  const outside = sdk.filter(({ to }) => to.startsWith('gateway/') || to.startsWith('..'));
  expect(outside.map(told)).toEqual([]);
});
