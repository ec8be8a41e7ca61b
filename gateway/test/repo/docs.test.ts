import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pages } from '../../docs/generate.ts';
import { routes } from '../../src/apps/rest-routes.ts';
import { settings } from '../../src/config.ts';
import { errors } from '../../src/errors.ts';
import { metrics } from '../../src/observe/metrics.ts';
import { closeReasons, dropReasons, linkReasons, tokenRefusals } from '../../src/reasons.ts';

const docs = new URL('../../docs/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, docs), 'utf8');
/** First cells of all rows of all tables, without their backticks. */
const firstCells = (text: string): string[] => [...text.matchAll(/^\| `([^`]+)` +\|/gm)].map((match) => match[1] ?? '');

test.each(Object.entries(pages()))('docs/%s is what the tables of the code say', (name, text) => {
  expect(read(name), 'run `npm run docs -w gateway`').toBe(text);
});

test('configuration.md names every setting once, and no other', () => {
  const names = Object.values(settings).map(({ env }) => env);
  expect(firstCells(read('configuration.md')).sort()).toEqual([...names].sort());
});

test('errors.md names every error and reason once, and no other', () => {
  const names = [errors, closeReasons, linkReasons, dropReasons, tokenRefusals].flatMap((table) => Object.keys(table));
  expect(firstCells(read('errors.md')).sort()).toEqual(names.sort());
});

test('metrics.md names every metric once, and no other', () => {
  const headings = [...read('metrics.md').matchAll(/^## (\S+)$/gm)].map((match) => match[1]);
  expect(headings).toEqual(Object.keys(metrics));
});

test('rest.md names every operation once, and no other', () => {
  const headings = [...read('rest.md').matchAll(/^## (\S+)$/gm)].map((match) => match[1]);
  expect(headings).toEqual(routes.map(({ operation }) => operation));
});

test('what the docs mention of settings and metrics exists', () => {
  const known = new Set<string>([
    ...Object.values(settings).map(({ env }) => env),
    ...Object.keys(metrics),
    'SIGNALBOX_CONNECTION_STRING',
  ]);
  const texts = Object.keys(pages()).map(read).join('\n');
  const mentioned = texts.match(/\bSIGNALBOX_[A-Z_]*[A-Z]\b|\bsignalbox_[a-z_]*[a-z]\b/g) ?? [];
  expect(mentioned.length).toBeGreaterThan(known.size);
  expect([...new Set(mentioned)].filter((name) => !known.has(name))).toEqual([]);
});
