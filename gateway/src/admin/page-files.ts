import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Answer } from './exchange.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** What a page of ours may do: load what this port serves, and talk to this port. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'content-security-policy': policy,
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
};

/** Our own files are beside the built code. */
const folder = fileURLToPath(new URL('../../page/', import.meta.url));
const installed = createRequire(import.meta.url);

/** Gives a file of the page by its path; undefined for any other path. */
export type PageFiles = (path: string) => Answer | undefined;

/** Our own files, and the chart library as it is installed: nothing else can be read. Each is read when it is first asked for. */
export function createPageFiles(): PageFiles {
  const names = readdirSync(folder).filter((name) => extname(name) in types);
  const files = new Map(names.map((name) => [`/page/${name}`, () => join(folder, name)]));
  files.set('/', () => join(folder, 'index.html'));
  files.set('/page/uplot.js', () => installed.resolve('uplot/dist/uPlot.esm.js'));
  files.set('/page/uplot.css', () => installed.resolve('uplot/dist/uPlot.min.css'));
  const read = new Map<string, Answer>();
  return (path) => {
    const find = files.get(path);
    if (find === undefined || read.has(path)) return read.get(path);
    const file = find();
    const answer = { status: 200, type: types[extname(file)] ?? '', body: readFileSync(file), headers };
    read.set(path, answer);
    return answer;
  };
}
