import { describe, expect, test } from 'vitest';
import { readTraceparent, traceOfTracingId, writeTraceparent } from '../../src/observe/trace.ts';
import { createTracing, type SpanRecord } from '../../src/observe/tracing.ts';

const id = '0af7651916cd43dd8448eb211c80319c';
const span = 'b7ad6b7169203331';

describe('traceparent', () => {
  test.each([
    [`00-${id}-${span}-01`, { id, span, sampled: true }],
    [`00-${id}-${span}-00`, { id, span, sampled: false }],
    [`00-${id}-${span}-ff`, { id, span, sampled: true }],
    [`cc-${id}-${span}-01-what-comes-later`, { id, span, sampled: true }],
  ])('%s is read', (text, trace) => expect(readTraceparent(text)).toEqual(trace));

  test.each([
    undefined,
    '',
    `ff-${id}-${span}-01`,
    `00-${id}-${span}-01-more`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${id}-${'0'.repeat(16)}-01`,
    `00-${id.toUpperCase()}-${span}-01`,
    `00-${id}-${span}`,
    `00-${id}-${span}-01, 00-${id}-${span}-01`,
    ` 00-${id}-${span}-01`,
  ])('%j is none', (text) => expect(readTraceparent(text)).toBeUndefined());

  test('is written as it was read', () => {
    for (const flags of ['00', '01']) {
      const text = `00-${id}-${span}-${flags}`;
      const trace = readTraceparent(text);
      expect(trace && writeTraceparent(trace)).toBe(text);
    }
  });
});

test('a message tracing id is a trace of its own, which is wanted', () => {
  const trace = traceOfTracingId(888);
  expect(trace).toEqual({ id: '00000000000000000000000000000378', span: '0000000000000378', sampled: true });
  expect(traceOfTracingId(888n)).toEqual(trace);
  expect(trace && readTraceparent(writeTraceparent(trace))).toEqual(trace);
  expect(traceOfTracingId(2n ** 64n - 1n)?.span).toBe('ffffffffffffffff');
  for (const none of [0, 0n, 2n ** 64n]) expect(traceOfTracingId(none)).toBeUndefined();
});

describe('tracing', () => {
  const lines: object[] = [];
  const log = { debug: (text: string, facts?: object) => void lines.push({ text, ...facts }) };

  test('without an export begins nothing by itself, and follows what comes with a trace', () => {
    const tracing = createTracing({ log, share: 1 });
    expect(tracing.begin('rest x', 'server', undefined)).toBeUndefined();
    const followed = tracing.begin('rest x', 'server', { id, span, sampled: true });
    expect(followed?.trace).toEqual({ id, span: expect.stringMatching(/^[0-9a-f]{16}$/), sampled: true });
    expect(followed?.trace.span).not.toBe(span);
    followed?.end({ status: 202 });
    const line = { text: 'traced', trace: id, span: followed?.trace.span, parent: span, name: 'rest x', status: 202 };
    expect(lines).toEqual([{ ...line, ms: expect.any(Number) }]);
  });

  test('with an export begins traces by its share, and gives out only those that are wanted', () => {
    const exported: SpanRecord[] = [];
    const exporter = { add: (record: SpanRecord) => void exported.push(record) };
    expect(createTracing({ log, exporter, share: 0 }).begin('a', 'server', undefined)).toBeUndefined();
    const tracing = createTracing({ log, exporter, share: 1 });
    tracing.begin('unwanted', 'server', { id, span, sampled: false })?.end({});
    tracing.begin('wanted', 'server', { id, span, sampled: true })?.end({}, true);
    tracing.begin('own', 'client', undefined)?.end({});
    const told = exported.map(({ name, parent, failed }) => [name, parent, failed]);
    expect(told).toEqual([
      ['wanted', span, true],
      ['own', undefined, false],
    ]);
  });

  test('knows what is being done while it is done, and only then', () => {
    const tracing = createTracing({ log, share: 1 });
    const outer = tracing.begin('outer', 'server', { id, span, sampled: true })!;
    const inner = tracing.begin('inner', 'consumer', outer.trace)!;
    const seen = tracing.during(outer, () => [
      tracing.current,
      tracing.during(inner, () => tracing.current),
      tracing.current,
    ]);
    expect(seen).toEqual([outer.trace, inner.trace, outer.trace]);
    const fails = (): never => {
      throw new Error('on the way');
    };
    expect(() => tracing.during(outer, fails)).toThrow('on the way');
    expect(tracing.current).toBeUndefined();
  });
});
