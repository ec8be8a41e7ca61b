import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';
import { read, root } from './files.ts';

/** A Kubernetes object. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly [key: string]: unknown;
}

const run = promisify(execFile);
const folder = 'deploy/kubernetes';
const chart = parse(read(`${folder}/Chart.yaml`)) as { name: string; version: string; appVersion: string };
const defaults = parse(read(`${folder}/values.yaml`)) as Tree;
const schema = JSON.parse(read(`${folder}/values.schema.json`)) as object;

type Tree = { readonly [name: string]: unknown };

/** Go and the functions of Helm's templates, as Debian packages them. */
export const goIsThere = existsSync('/usr/bin/go') && existsSync('/usr/share/gocode/src/github.com/Masterminds/sprig');

let renderer: string | undefined;

/** Builds the renderer, which takes Go a while: `renderChart` needs it. */
export async function buildRenderer(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'signalbox-chart-'));
  renderer = join(home, 'render');
  const env = {
    PATH: process.env['PATH'],
    GO111MODULE: 'off',
    GOPATH: '/usr/share/gocode',
    GOCACHE: join(home, 'cache'),
  };
  await run('go', ['build', '-o', renderer, '.'], { cwd: join(root, 'deploy/test/helm'), env });
}

/** Removes the renderer, if it was built. */
export function removeRenderer(): void {
  if (renderer !== undefined) rmSync(dirname(renderer), { recursive: true });
  renderer = undefined;
}

/** What is wrong with values by the chart's schema; empty: nothing. */
export function valueErrors(values: Tree): string[] {
  const check = new Ajv({ strict: false }).compile(schema);
  check(merged(defaults, values));
  return (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/**
 * Renders the chart with these values over its own, as `helm install chat … --namespace realtime` would.
 * @throws Error with the words of a template that refuses, or when `buildRenderer` was not called.
 */
export function renderChart(values: Tree): { readonly manifests: readonly Manifest[]; readonly notes: string } {
  const names = readdirSync(join(root, folder, 'templates'));
  const templates = Object.fromEntries(names.map((name) => [name, read(`${folder}/templates/${name}`)]));
  const context = {
    Values: merged(defaults, values),
    Chart: { Name: chart.name, Version: chart.version, AppVersion: chart.appVersion },
    Release: { Name: 'chat', Namespace: 'realtime', Service: 'Helm' },
  };
  const input = JSON.stringify({ templates, context });
  if (renderer === undefined) throw new Error('buildRenderer must have been called before');
  const output = execFileSync(renderer, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
  const { 'NOTES.txt': notes = '', ...files } = JSON.parse(output) as Record<string, string>;
  const documents = Object.values(files).flatMap((text) => parseAllDocuments(text));
  const broken = documents.flatMap((document) => ('errors' in document ? document.errors : []));
  if (broken.length > 0) throw new Error(broken.map(({ message }) => message).join('\n'));
  const manifests = documents.map((document) => document.toJS() as Manifest | null);
  return { manifests: manifests.filter((manifest) => manifest !== null), notes };
}

function merged(under: Tree, over: Tree): Tree {
  const isTree = (value: unknown): value is Tree =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const pairs = Object.entries(over).map(([name, value]) => {
    const below = under[name];
    return [name, isTree(value) && isTree(below) ? merged(below, value) : value] as const;
  });
  return { ...under, ...Object.fromEntries(pairs) };
}
