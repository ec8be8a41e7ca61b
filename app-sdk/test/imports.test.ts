import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../src/', import.meta.url));
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** What a file imports or re-exports, types included: relative files by their path below `src`, packages by name. */
function importsOf(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  const names = [...source.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)';/gm)].map(([, name]) => name ?? '');
  return names.map((name) => (name.startsWith('.') ? relative(root, join(root, dirname(file), name)) : name));
}

const graph = new Map(files.map((file) => [file, importsOf(file)]));

/** The first way from a file back to itself. */
function cycle(file: string, path: readonly string[], clean: Set<string>): string[] | undefined {
  if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
  if (clean.has(file)) return undefined;
  for (const next of graph.get(file) ?? []) {
    const found = cycle(next, [...path, file], clean);
    if (found) return found;
  }
  clean.add(file);
  return undefined;
}

function reached(file: string, seen = new Set<string>()): Set<string> {
  for (const next of graph.get(file) ?? []) {
    if (seen.has(next)) continue;
    seen.add(next);
    reached(next, seen);
  }
  return seen;
}

describe('imports', () => {
  test('are found', () => {
    expect(graph.get('signalbox-client.ts')).toContain('rest-door.ts');
    expect(graph.get('token.ts')).toContain('jose');
  });

  test('make no cycle', () => {
    const clean = new Set<string>();
    expect(files.map((file) => cycle(file, [], clean)).find((found) => found !== undefined)).toBeUndefined();
  });

  test('of the browser reach the contract only', () => {
    expect([...reached('browser.ts')]).toEqual(['contract.ts']);
  });

  test('of the codecs stay among the codecs', () => {
    const outside = [...reached('protocol/index.ts')].filter((name) => !name.startsWith('protocol/'));
    expect(outside.filter((name) => name.endsWith('.ts') || name === 'undici')).toEqual([]);
  });
});
