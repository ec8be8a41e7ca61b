import type { MetricRow } from './meters.ts';
import { metrics } from './metrics.ts';

/** One metric of one exposition: its two lines of comment, then a number for each of its series. */
interface Family {
  readonly name: string;
  readonly type: string;
  readonly comments: readonly string[];
  /** Name and labels, as printed, → value. */
  readonly series: Map<string, number>;
}

type Exposition = ReadonlyMap<string, Family>;

const rows: Readonly<Record<string, MetricRow>> = metrics;

const combine = {
  sum: (a: number, b: number) => a + b,
  most: Math.max,
  least: Math.min,
} as const;

/** Adds up the expositions of several processes, so that they read as one that never ended. */
export class SummedMetrics {
  readonly #last = new Map<number, Exposition>();
  /** What processes that have ended had counted when they were last heard: a sum of counters must never fall. */
  #ended: Exposition = new Map();

  /**
   * The metrics of these processes in the text format, in which they are expected too.
   * @param now the processes that run, by id; undefined: it did not answer, and what it said last stands.
   */
  sum(now: ReadonlyMap<number, string | undefined>): string {
    for (const [process, text] of now) {
      if (text !== undefined) this.#last.set(process, parse(text));
    }
    for (const [process, last] of this.#last) {
      if (now.has(process)) continue;
      this.#ended = added([this.#ended, counted(last)]);
      this.#last.delete(process);
    }
    return printed(added([...this.#last.values(), this.#ended]));
  }
}

const typeLine = /^# TYPE (\S+) (\S+)$/;
const sampleLine = /^([^\s{]+(?:\{.*\})?) (\S+)$/;

function parse(text: string): Exposition {
  const families = new Map<string, Family>();
  let help: string[] = [];
  let family: Family | undefined;
  for (const line of text.split('\n')) {
    const [, name = '', type = ''] = typeLine.exec(line) ?? [];
    const [, key, value = ''] = sampleLine.exec(line) ?? [];
    if (line.startsWith('# HELP ')) help = [line];
    else if (name !== '') {
      family = { name, type, comments: [...help, line], series: new Map() };
      families.set(name, family);
    } else if (key !== undefined) family?.series.set(key, numberOf(value));
  }
  return families;
}

/** What a process leaves behind: what it counted, and none of its gauges. */
function counted(exposition: Exposition): Exposition {
  return new Map([...exposition].filter(([, { type }]) => type !== 'gauge'));
}

function added(expositions: readonly Exposition[]): Exposition {
  const sums = new Map<string, Family>();
  for (const family of expositions.flatMap((exposition) => [...exposition.values()])) {
    const sum = sums.get(family.name) ?? { ...family, series: new Map<string, number>() };
    sums.set(family.name, sum);
    const both = combine[rows[family.name]?.together ?? 'sum'];
    for (const [key, value] of family.series) {
      const before = sum.series.get(key);
      sum.series.set(key, before === undefined ? value : both(before, value));
    }
  }
  return sums;
}

function printed(exposition: Exposition): string {
  const lines = [...exposition.values()].flatMap(({ comments, series }) => [
    ...comments,
    ...[...series].map(([key, value]) => `${key} ${textOf(value)}`),
    '',
  ]);
  return lines.join('\n');
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

function textOf(value: number): string {
  return Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}
