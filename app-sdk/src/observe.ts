import type { Places } from './address.ts';
import { type ErrorCode, RestError, SignalboxError } from './errors.ts';
import type { DisconnectReason } from './hub.ts';

type Log = (facts: object, text: string) => void;

/** pino's shape; default: warn and up as JSON lines on stderr. Never arguments, tokens, keys. */
export interface Logger {
  debug: Log;
  info: Log;
  warn: Log;
  error: Log;
}

/** How a call of a hub method ended. `exception`: a `HubException`; `error`: anything else thrown. */
export type MethodOutcome = 'ok' | 'exception' | 'error' | 'unauthorized' | 'invalid' | 'cancelled' | 'unknown';

/** Facts as they happen, for metrics; label values are bounded. What an observer throws is logged and goes no further. */
export interface Observer {
  /** A link is up. `link`: its id; `links`: how many are up now. */
  linkUp?(event: { hub: string; link: string; links: number }): void;
  /** A link ended, or an attempt failed; `reason` is one of a few words. `retryInMs` is undefined when none follows. */
  linkDown?(event: { hub: string; link: string; links: number; reason: string; retryInMs: number | undefined }): void;
  clientConnected?(event: { hub: string }): void;
  /** `ms`: since it connected; 0 behind webhooks, which do not tell. */
  clientDisconnected?(event: { hub: string; reason: DisconnectReason['kind']; ms: number }): void;
  /** A call of a hub method ended, a stream with its last item. A name that the hub does not have stands as `unknown`. */
  methodEnded?(event: { hub: string; method: string; outcome: MethodOutcome; ms: number; error?: unknown }): void;
  /** A send was accepted. `bytes`: of its body. */
  sent?(event: { hub: string; to: keyof Places; via: 'link' | 'rest'; bytes: number }): void;
  /** A send was rejected. */
  failed?(event: { hub: string; to: keyof Places; code: ErrorCode }): void;
  /** One attempt of a REST request ended; `status` is undefined when no answer came. */
  request?(event: { operation: string; status: number | undefined; attempt: number; ms: number }): void;
}

/** Tells the observer a fact. Never throws. */
export type Tell = <K extends keyof Observer>(fact: K, event: Parameters<NonNullable<Observer[K]>>[0]) => void;

/** Reports a send that failed; `facts` are its hub and kind of address. */
export type ReportFailure = (error: unknown, facts: object) => void;

function silent(): void {
  // Levels below warn are off by default.
}

function line(level: 'warn' | 'error'): Log {
  return (facts, text) => {
    process.stderr.write(`${JSON.stringify({ level, time: new Date().toISOString(), msg: text, ...facts })}\n`);
  };
}

/** The logger of whoever gives none: warn and up as JSON lines on stderr. */
export const stderrLogger: Logger = { debug: silent, info: silent, warn: line('warn'), error: line('error') };

/** The safe way to an observer, which belongs to somebody else and may throw. */
export function teller(observer: Observer | undefined, logger: Logger): Tell {
  return (fact, event) => {
    try {
      (observer?.[fact] as ((event: unknown) => void) | undefined)?.call(observer, event);
    } catch (error) {
      logger.error({ fact, error: String(error) }, 'observer failed');
    }
  };
}

/**
 * Logs failed sends, at most once per code and second: nobody may await them, and thousands can fail at once. `more`
 * counts those that were left out before. A text is logged only for a `TypeError`, where it is the program's own; other
 * texts may quote the service. `now` is the clock, in milliseconds.
 */
export function failureReporter(logger: Logger, now: () => number = Date.now): ReportFailure {
  const last = new Map<string, { at: number; more: number }>();
  return (error, facts) => {
    const code = error instanceof SignalboxError ? error.code : errorName(error);
    const before = last.get(code);
    if (before && now() - before.at < 1000) {
      before.more++;
      return;
    }
    last.set(code, { at: now(), more: 0 });
    const more = before?.more ? { more: before.more } : {};
    logger.warn({ code, ...facts, ...detail(error), ...more }, 'send failed');
  };
}

function errorName(error: unknown): string {
  return error instanceof TypeError ? 'TypeError' : 'Error';
}

function detail(error: unknown): object {
  if (error instanceof RestError) return { outcome: error.outcome, status: error.status };
  if (error instanceof SignalboxError) return { outcome: error.outcome };
  return error instanceof TypeError ? { error: error.message } : {};
}
