/** Each code, and whether the same call may succeed later. */
const codes = {
  ERR_CONNECTION_STRING: false,
  ERR_LINK_REFUSED: false,
  ERR_NO_LINK: true,
  ERR_LINK_LOST: true,
  ERR_QUEUE_FULL: true,
  ERR_TIMEOUT: true,
  ERR_ABORTED: false,
  ERR_STOPPED: false,
  ERR_ENCODE: false,
  ERR_UNAUTHORIZED: false,
  ERR_INVALID_REQUEST: false,
  ERR_TOO_LARGE: false,
  ERR_THROTTLED: true,
  ERR_UNAVAILABLE: true,
  ERR_NOT_SUPPORTED: false,
  ERR_CLIENT_GONE: false,
  ERR_CLIENT_FAILED: false,
  ERR_TOKEN_TOO_LONG: false,
} as const;

/** What went wrong, for a program to act on. The README's table says what each code means. */
export type ErrorCode = keyof typeof codes;

/** Whether what was asked for may have happened: `notSent` is sure, `unknown` is not. */
export type Outcome = 'notSent' | 'unknown';

/** All codes with `retryable`, in the order of the README's table. */
export const errorCodes: Readonly<Record<ErrorCode, boolean>> = codes;

/** What an SDK error is made of besides its code and text. `outcome` is `notSent` unless said. */
export interface ErrorFacts {
  outcome?: Outcome;
  cause?: unknown;
}

/**
 * What the SDK rejects with; the programmer's mistakes are `TypeError`s. `retryable`: the same call may succeed later.
 * After outcome `unknown` a repeat may double it.
 */
export class SignalboxError extends Error {
  override readonly name: string = 'SignalboxError';
  readonly code: ErrorCode;
  readonly outcome: Outcome;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.outcome = facts.outcome ?? 'notSent';
    this.retryable = codes[code];
  }
}

/** The service answered a REST request with an error: its status, and its own code where it gave one. */
export class RestError extends SignalboxError {
  override readonly name: string = 'RestError';
  readonly status: number;
  readonly serviceCode?: string;

  constructor(
    code: ErrorCode,
    message: string,
    facts: ErrorFacts & { status: number; serviceCode?: string | undefined },
  ) {
    super(code, message, facts);
    this.status = facts.status;
    if (facts.serviceCode !== undefined) this.serviceCode = facts.serviceCode;
  }
}

/** A client that was asked for a result is gone, or its handler failed. */
export class ClientResultError extends SignalboxError {
  override readonly name: string = 'ClientResultError';
  readonly connectionId: string;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts & { connectionId: string }) {
    super(code, message, facts);
    this.connectionId = facts.connectionId;
  }
}

/**
 * Thrown by hub methods and filters to refuse a call: its text reaches the client, behind the words that clients parse.
 * Recognised by its name, as two copies of this package may be loaded.
 */
export class HubException extends Error {
  override readonly name = 'HubException';
}
