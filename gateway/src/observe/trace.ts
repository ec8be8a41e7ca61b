/** Where in a trace something happens (W3C Trace Context): what it causes names `span` as its parent. */
export interface Trace {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** 16 hexadecimal digits. */
  readonly span: string;
  /** Whoever began the trace wants it recorded. */
  readonly sampled: boolean;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const zeros = /^0+$/;
const mostTracingId = 2n ** 64n - 1n;

/** Reads a header `traceparent`, of any version; undefined when it is absent or breaks the form, as the standard asks. */
export function readTraceparent(text: string | undefined): Trace | undefined {
  if (text === undefined) return undefined;
  const [, version, id = '', span = '', flags = '', more] = form.exec(text) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (zeros.test(id) || zeros.test(span)) return undefined;
  return { id, span, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The header `traceparent`, and what stands in an envelope between nodes. */
export function writeTraceparent({ id, span, sampled }: Trace): string {
  return `00-${id}-${span}-${sampled ? '01' : '00'}`;
}

/**
 * The trace of a message tracing id (REST header, or service protocol): its 64 bits in hexadecimal, at the end of the trace
 * id and as the span. Whoever gives one wants to see it. Undefined for 0 and above 64 bits,
 * which are no ids.
 */
export function traceOfTracingId(tracingId: number | bigint): Trace | undefined {
  if (tracingId < 1 || tracingId > mostTracingId) return undefined;
  const span = tracingId.toString(16).padStart(16, '0');
  return { id: span.padStart(32, '0'), span, sampled: true };
}
