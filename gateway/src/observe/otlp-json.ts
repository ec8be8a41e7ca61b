import type { Facts } from './log.ts';
import type { SpanKind, SpanRecord } from './tracing.ts';

/** Whose spans they are: attributes of the resource, under the names of OpenTelemetry. */
export type ResourceFacts = Readonly<Record<string, string>>;

/** Numbers of `SpanKind` and of `Status` (opentelemetry-proto, trace.proto). */
const kinds: Readonly<Record<SpanKind, number>> = { server: 2, client: 3, consumer: 5 };
const failedStatus = { code: 2 };

/** The body of a request to `/v1/traces`, in the JSON form of OTLP: ids in hexadecimal, 64-bit integers as text. */
export function spansText(resource: ResourceFacts, spans: readonly SpanRecord[]): string {
  const scopeSpans = [{ scope: { name: 'signalbox' }, spans: spans.map(spanOf) }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: attributesOf(resource) }, scopeSpans }] });
}

function spanOf({ trace, parent, name, kind, startedAt, ms, facts, failed }: SpanRecord): object {
  return {
    traceId: trace.id,
    spanId: trace.span,
    ...(parent !== undefined && { parentSpanId: parent }),
    name,
    kind: kinds[kind],
    startTimeUnixNano: nanoseconds(startedAt),
    endTimeUnixNano: nanoseconds(startedAt + ms),
    attributes: attributesOf(facts, 'signalbox.'),
    ...(failed && { status: failedStatus }),
  };
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}

function attributesOf(facts: Facts, prefix = ''): object[] {
  return Object.entries(facts).flatMap(([name, fact]) =>
    fact === undefined || fact === null ? [] : [{ key: prefix + name, value: anyValue(fact) }],
  );
}

function anyValue(fact: NonNullable<Facts[string]>): object {
  if (typeof fact === 'boolean') return { boolValue: fact };
  if (typeof fact === 'number' && !Number.isInteger(fact)) return { doubleValue: fact };
  if (typeof fact === 'number' || typeof fact === 'bigint') return { intValue: String(fact) };
  return { stringValue: fact instanceof Error ? fact.message : fact };
}
