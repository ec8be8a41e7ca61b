import { readers } from './config-readers.ts';
import { type Setting, setting } from './config-setting.ts';

const { count, ms, optional, ratio, text } = readers;

/** Settings about traces, under the names that OpenTelemetry gives them. */
export const traces = {
  otlpEndpoint: setting(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    optional(text(1, 2048, /^https?:\/\/[^\s?#]+$/)),
    undefined,
    'Where traces are sent: OTLP over HTTP in JSON, /v1/traces is added. Unset: nowhere, at no cost.',
  ),
  otlpHeaders: setting(
    'OTEL_EXPORTER_OTLP_HEADERS',
    optional(text(1, 4096, /^[!-~]+=[ -~]*$/)),
    undefined,
    'Headers of these requests: name=value, between commas.',
    true,
  ),
  serviceName: setting('OTEL_SERVICE_NAME', text(1, 255), 'signalbox', 'Name of the service in traces.'),
  traceShare: setting(
    'OTEL_TRACES_SAMPLER_ARG',
    ratio,
    1,
    'Share of the REST requests and webhooks that begin a trace when they come without one. Those with one obey it.',
  ),
  spanQueue: setting('OTEL_BSP_MAX_QUEUE_SIZE', count(1, 1_000_000), 2048, 'Spans that may wait; more are dropped.'),
  spanDelayMs: setting('OTEL_BSP_SCHEDULE_DELAY', ms(1, 600_000), 5000, 'Spans wait so long for others to leave with.'),
} as const satisfies Record<string, Setting<unknown>>;
