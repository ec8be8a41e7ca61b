import { type ErrorCode, type Outcome, RestError, SignalboxError } from './errors.ts';
import type { NoAnswer, RestAnswer } from './rest-exchange.ts';

/** What a status means. `notSent`: the service surely took nothing. */
interface Meaning {
  code: ErrorCode;
  outcome: Outcome;
}

const meanings: Readonly<Record<number, Meaning>> = {
  401: { code: 'ERR_UNAUTHORIZED', outcome: 'notSent' },
  403: { code: 'ERR_UNAUTHORIZED', outcome: 'notSent' },
  405: { code: 'ERR_NOT_SUPPORTED', outcome: 'notSent' },
  408: { code: 'ERR_TIMEOUT', outcome: 'unknown' },
  413: { code: 'ERR_TOO_LARGE', outcome: 'notSent' },
  414: { code: 'ERR_TOO_LARGE', outcome: 'notSent' },
  429: { code: 'ERR_THROTTLED', outcome: 'notSent' },
  431: { code: 'ERR_TOO_LARGE', outcome: 'notSent' },
  501: { code: 'ERR_NOT_SUPPORTED', outcome: 'notSent' },
  503: { code: 'ERR_UNAVAILABLE', outcome: 'notSent' },
};
const otherServerError: Meaning = { code: 'ERR_UNAVAILABLE', outcome: 'unknown' };
const otherRefusal: Meaning = { code: 'ERR_INVALID_REQUEST', outcome: 'notSent' };

/** What the error header of the dated REST versions says, else the body's `code`. */
export function serviceCode(answer: RestAnswer): string | undefined {
  return answer.headers.get('x-ms-error-code') ?? detail(answer)?.code;
}

/** `ErrorDetail` of the REST API, section 7, where the body is one. */
function detail(answer: RestAnswer): { code?: string; message?: string } | undefined {
  if (!answer.headers.get('content-type')?.includes('json')) return undefined;
  try {
    const { code, message } = JSON.parse(answer.body) as { code?: unknown; message?: unknown };
    return { ...(typeof code === 'string' && { code }), ...(typeof message === 'string' && { message }) };
  } catch {
    // An error body that is no JSON object adds nothing to the status.
    return undefined;
  }
}

/** The service's own sentence about an error, cut to a readable length. */
export function serviceText(answer: RestAnswer): string | undefined {
  return detail(answer)?.message?.slice(0, 300);
}

/** What is known after several attempts: one whose fate is unknown decides. */
function joined(earlier: Outcome, latest: Outcome): Outcome {
  return earlier === 'unknown' ? earlier : latest;
}

/** The error for an answer that is no success. `operation` opens the text; `earlier` is the outcome of attempts before. */
export function answerError(operation: string, answer: RestAnswer, earlier: Outcome = 'notSent'): RestError {
  const meaning = meanings[answer.status] ?? (answer.status >= 500 ? otherServerError : otherRefusal);
  const code = serviceCode(answer);
  const said = serviceText(answer);
  const text = `${operation}: the service answered ${answer.status}${code ? ` (${code})` : ''}${said ? `: ${said}` : ''}`;
  const outcome = joined(earlier, meaning.outcome);
  return new RestError(meaning.code, text, { status: answer.status, serviceCode: code, outcome });
}

/** The error for a request that got no answer. Its cause is the network's error; `earlier` as above. */
export function networkError(operation: string, failure: NoAnswer, earlier: Outcome = 'notSent'): SignalboxError {
  const outcome = joined(earlier, failure.started ? 'unknown' : 'notSent');
  const happened = failure.started ? 'the connection was lost before the answer' : 'no connection to the service';
  const reason = networkReason(failure.cause);
  return new SignalboxError('ERR_UNAVAILABLE', `${operation}: ${happened}${reason ? ` (${reason})` : ''}`, {
    outcome,
    cause: failure.cause,
  });
}

/** ECONNREFUSED, UND_ERR_SOCKET …: short, and without the address. */
function networkReason(cause: unknown): string | undefined {
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
