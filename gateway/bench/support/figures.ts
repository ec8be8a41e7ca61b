import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import type { Child } from './child.ts';

/** The middle value; of an even number, the mean of the two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The value below which `part` of all lie. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}

/** Machine, date, commit and load: without them a figure says nothing. */
export function printHead(title: string): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const load = loadavg().map((value) => value.toFixed(2));
  console.log(`\n${title}`);
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${new Date().toISOString()}, ${commit}`,
  );
  console.log(`load average ${load.join(' ')}`);
}

/** Rows of one table, columns aligned. */
export function printTable(rows: readonly Readonly<Record<string, string | number>>[]): void {
  const names = Object.keys(rows[0] ?? {});
  const text = [names, ...rows.map((row) => names.map((name) => shown(row[name]!)))];
  const widths = names.map((_, column) => Math.max(...text.map((cells) => cells[column]!.length)));
  for (const cells of text) console.log(cells.map((cell, column) => cell.padEnd(widths[column]!)).join('  '));
}

function shown(value: string | number): string {
  if (typeof value === 'string') return value;
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}

/** Processor time of a process during `run`, in µs. */
export async function cpuDuring(child: Child, run: () => Promise<unknown>): Promise<number> {
  const before = await child.usage();
  await run();
  return (await child.usage()).cpu - before.cpu;
}
