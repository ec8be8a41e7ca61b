import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from '../config.ts';

/** What may stand in a line beside its message. Flat, so that no request, header or body gets in by being part of something. */
export type Facts = Readonly<Record<string, string | number | bigint | boolean | null | undefined | Error>>;

/** One JSON line per fact: a fixed message, and what varies as facts. Nothing per message above debug. */
export interface Log {
  debug(message: string, facts?: Facts): void;
  info(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
  error(message: string, facts?: Facts): void;
  /** The log of one part; its lines carry `part`. */
  child(part: string): Log;
}

/** Who writes the lines. */
export interface LogOptions {
  readonly level: Config['logLevel'];
  readonly node: string;
  readonly label: string;
  /** Where lines go. Default: standard output. */
  readonly to?: DestinationStream;
}

/** Makes the log of one node. */
export function createLog(options: LogOptions): Log {
  const settings = {
    level: options.level,
    base: { node: options.node, label: options.label },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }) },
  };
  return wrap(options.to === undefined ? pino(settings) : pino(settings, options.to));
}

type Level = 'debug' | 'info' | 'warn' | 'error';

function wrap(logger: Logger): Log {
  const write = (level: Level) => (message: string, facts?: Facts) => {
    if (logger.isLevelEnabled(level)) logger[level](clean(facts), message);
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (part) => wrap(logger.child({ part })),
  };
}

function clean(facts: Facts = {}): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {};
  for (const [name, fact] of Object.entries(facts)) cleaned[name] = cleanFact(fact);
  return cleaned;
}

function cleanFact(fact: Facts[string]): unknown {
  if (typeof fact === 'string') return withoutSecrets(fact);
  if (typeof fact === 'bigint') return String(fact);
  if (!(fact instanceof Error)) return fact;
  const code = 'code' in fact && typeof fact.code === 'string' ? fact.code : undefined;
  // Only these: libraries hang requests, with their headers, on their errors.
  return { type: fact.name, code, message: withoutSecrets(fact.message), stack: withoutSecrets(fact.stack ?? '') };
}

/** The last net, for texts of libraries that quote what they were given. Each form loses its secret and keeps its name. */
const secretForms: readonly (readonly [RegExp, string])[] = [
  [/\beyJ[\w-]*\.[\w-]+\.[\w-]*/g, '(token)'],
  [/\b(access_token|id|asrs_request_id)=[^&\s"]+/gi, '$1=(hidden)'],
  [/\b(AccessKey)=[^;\s"]+/gi, '$1=(hidden)'],
  [/\b(Bearer) [^\s"]+/gi, '$1 (hidden)'],
  [/(:\/\/)[^/\s"@]+@/g, '$1(hidden)@'],
];

function withoutSecrets(text: string): string {
  return secretForms.reduce((rest, [form, instead]) => rest.replace(form, instead), text);
}

/** The path of a URL or request target, for a log: a query may hold a token and never gets there. */
export function pathOf(target: string): string {
  const path = target.replace(/^[a-z][a-z+.-]*:\/\/[^/?#]*/i, '');
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}
