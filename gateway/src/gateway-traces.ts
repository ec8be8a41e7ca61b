import { type Config, ConfigError } from './config.ts';
import type { Events } from './observe/events.ts';
import type { Log } from './observe/log.ts';
import { OtlpExporter } from './observe/otlp.ts';
import { createTracing, type Tracing } from './observe/tracing.ts';
import { version } from './version.ts';

/** The traces of a node, and their way out. */
export interface Traces {
  readonly tracing: Tracing;
  /** Sends what waits. */
  close(): Promise<void>;
}

/** What traces are made from. */
export interface TracesParts {
  readonly config: Config;
  readonly node: string;
  readonly label: string;
  readonly events: Events;
  readonly log: Log;
}

/**
 * Traces in the log, and to a collector where one is set.
 * @throws {ConfigError} when its headers break the form.
 */
export function createTraces(parts: TracesParts): Traces {
  const { config, log } = parts;
  const exporter = config.otlpEndpoint === undefined ? undefined : createExporter(parts, config.otlpEndpoint);
  const tracing = createTracing({ log, exporter, share: config.traceShare });
  return { tracing, close: async () => exporter?.close() };
}

function createExporter({ config, node, label, events, log }: TracesParts, endpoint: string): OtlpExporter {
  const resource = {
    'service.name': config.serviceName,
    'service.version': version,
    'service.instance.id': node,
    'signalbox.label': label,
  };
  const headers = readHeaders(config.otlpHeaders ?? '');
  const { spanQueue: queue, spanDelayMs: delayMs } = config;
  return new OtlpExporter({ endpoint, headers, resource, queue, delayMs, events, log });
}

/** Names and values as in W3C Baggage: between commas, percent-encoded. */
function readHeaders(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return Object.fromEntries(pairs.map(readHeader));
}

function readHeader(pair: string): [string, string] {
  const [, name, value] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
  if (name === undefined || value === undefined) {
    throw new ConfigError('OTEL_EXPORTER_OTLP_HEADERS must be name=value, between commas');
  }
  try {
    return [name.toLowerCase(), decodeURIComponent(value)];
  } catch {
    throw new ConfigError(`OTEL_EXPORTER_OTLP_HEADERS must be percent-encoded, the value of ${name} is not`);
  }
}
