import { randomBytes } from 'node:crypto';
import type { Facts, Log } from './log.ts';
import type { Trace } from './trace.ts';

/** What a span is to the others: asked by somebody, asking somebody, or what another node handed on. */
export type SpanKind = 'server' | 'client' | 'consumer';

/** Something that is followed, while it lasts. */
export interface Span {
  /** For what it causes. */
  readonly trace: Trace;
  /** It is over. Facts are never payloads, tokens or names of groups. */
  end(facts: Facts, failed?: boolean): void;
}

/** A span that is over. */
export interface SpanRecord {
  readonly trace: Trace;
  /** Id of the span that caused it; undefined: it began the trace. */
  readonly parent: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  /** In ms since 1970. */
  readonly startedAt: number;
  readonly ms: number;
  readonly facts: Facts;
  readonly failed: boolean;
}

/** Follows what was asked to be followed: a line in the log at debug level for each span, and an export when there is one. */
export interface Tracing {
  /**
   * Begins a span. Without a cause only an export makes one, and begins a trace with it, as often as its share says.
   * @returns undefined: nobody follows this, and nothing was made.
   */
  begin(name: string, kind: SpanKind, cause: Trace | undefined): Span | undefined;
  /** What is being done at this moment; undefined: nothing that is followed. */
  readonly current: Trace | undefined;
  /** Does something that causes more before it returns: meanwhile the span is what is being done. */
  during<T>(span: Span, act: () => T): T;
}

export interface TracerOptions {
  readonly log: Pick<Log, 'debug'>;
  /** Takes spans of traces that are to be recorded; absent: nobody does. */
  readonly exporter?: { add(span: SpanRecord): void } | undefined;
  /** Of what comes without a trace, this share begins one, 0 to 1. */
  readonly share: number;
}

/** Makes the tracing of one node. */
export function createTracing(options: TracerOptions): Tracing {
  return new Tracer(options);
}

class Tracer implements Tracing {
  readonly #options: TracerOptions;
  #current: Trace | undefined;

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  get current(): Trace | undefined {
    return this.#current;
  }

  begin(name: string, kind: SpanKind, cause: Trace | undefined): Span | undefined {
    const { exporter, share } = this.#options;
    if (cause === undefined && (exporter === undefined || Math.random() >= share)) return undefined;
    const span = randomBytes(8).toString('hex');
    const trace = { id: cause?.id ?? randomBytes(16).toString('hex'), span, sampled: cause?.sampled ?? true };
    const startedAt = Date.now();
    const since = performance.now();
    const end = (facts: Facts, failed = false): void => {
      const ms = performance.now() - since;
      this.#ended({ trace, parent: cause?.span, name, kind, startedAt, ms, facts, failed });
    };
    return { trace, end };
  }

  during<T>(span: Span, act: () => T): T {
    const before = this.#current;
    this.#current = span.trace;
    try {
      return act();
    } finally {
      this.#current = before;
    }
  }

  #ended(record: SpanRecord): void {
    const { log, exporter } = this.#options;
    const { trace, parent, name, ms, facts } = record;
    log.debug('traced', {
      trace: trace.id,
      span: trace.span,
      parent,
      name,
      ms: Math.round(ms * 1000) / 1000,
      ...facts,
    });
    if (trace.sampled) exporter?.add(record);
  }
}
