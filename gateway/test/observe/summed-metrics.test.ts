import { expect, test } from 'vitest';
import { SummedMetrics } from '../../src/observe/summed-metrics.ts';

const running = (...processes: [id: number, text: string | undefined][]): Map<number, string | undefined> =>
  new Map(processes);
const sumOf = (...texts: string[]): string =>
  new SummedMetrics().sum(running(...texts.map((text, id): [number, string] => [id, text])));

/** Metrics as they are printed: a blank line between each two. */
const page = (...texts: string[]): string => texts.join('\n');
const counter = (...lines: string[]): string =>
  ['# HELP a_total What it counts.', '# TYPE a_total counter', ...lines, ''].join('\n');
const gauge = (name: string, value: number): string =>
  [`# HELP ${name} What it is.`, `# TYPE ${name} gauge`, `${name} ${value}`, ''].join('\n');

test('counters are added up series by series; one that only some have is kept', () => {
  const one = counter('a_total{hub="x"} 1', 'a_total{hub="y"} 10');
  const other = counter('a_total{hub="x"} 2.5', 'a_total{hub="z"} 100');
  expect(sumOf(one, other)).toBe(counter('a_total{hub="x"} 3.5', 'a_total{hub="y"} 10', 'a_total{hub="z"} 100'));
});

test('a histogram is added up bound by bound, with its sum and count', () => {
  const text = (...[low, all, sum]: number[]): string =>
    [
      '# HELP h_seconds How long.',
      '# TYPE h_seconds histogram',
      `h_seconds_bucket{le="0.1",hub="x"} ${low}`,
      `h_seconds_bucket{le="+Inf",hub="x"} ${all}`,
      `h_seconds_sum{hub="x"} ${sum}`,
      `h_seconds_count{hub="x"} ${all}`,
      '',
    ].join('\n');
  expect(sumOf(text(1, 2, 0.5), text(3, 5, 7))).toBe(text(4, 7, 7.5));
});

test.each([
  ['signalbox_watched_topics', 3 + 5],
  ['signalbox_known_nodes', 3],
  ['signalbox_event_loop_delay_seconds', 5],
])('the gauge %s is combined as its row says', (name, together) => {
  expect(sumOf(gauge(name, 3), gauge(name, 5))).toBe(gauge(name, together));
});

test('labels may hold spaces, braces and quotes', () => {
  const line = String.raw`a_total{label="} 7 \"{ \\"} 1`;
  expect(sumOf(counter(line), counter(line))).toBe(counter(line.replace(/1$/, '2')));
});

test('what a process counted stays when it is gone, its gauges do not, and the one in its place counts on', () => {
  const sums = new SummedMetrics();
  const one = page(counter('a_total 10'), gauge('signalbox_watched_topics', 4));
  const other = page(counter('a_total 1'), gauge('signalbox_watched_topics', 2));
  sums.sum(running([1, one], [2, other]));
  expect(sums.sum(running([2, other]))).toBe(page(counter('a_total 11'), gauge('signalbox_watched_topics', 2)));
  expect(sums.sum(running([2, other], [3, other]))).toBe(
    page(counter('a_total 12'), gauge('signalbox_watched_topics', 4)),
  );
});

test('of a process that does not answer the last answer stands', () => {
  const sums = new SummedMetrics();
  sums.sum(running([1, counter('a_total 10')]));
  expect(sums.sum(running([1, undefined]))).toBe(counter('a_total 10'));
});
