import { type Dispatcher, Pool } from 'undici';
import { audienceBase, type ConnectionString, serverBase } from './connection-string.ts';
import { checkTimeout, Deadline } from './deadline.ts';
import { type Outcome, SignalboxError } from './errors.ts';
import type { CallOptions } from './hub-context.ts';
import type { Tell } from './observe.ts';
import { answerError, networkError, serviceCode } from './rest-errors.ts';
import { exchange, NoAnswer, type RestAnswer } from './rest-exchange.ts';
import { backoffMs, mayRepeat, type Repeat } from './retry.ts';
import { TokenShelf, type TokenSigner } from './token.ts';
import { type Leave, Lines, Turns } from './turns.ts';

/** One thing asked of the service over REST. */
export interface RestCall {
  /** Its name in events and error texts: one of a few. */
  readonly operation: string;
  readonly method: Dispatcher.HttpMethod;
  /** Below the server base, without a leading slash; escaped, with its query. */
  readonly path: string;
  readonly body?: string;
  /** Media type of the body; JSON unless said. */
  readonly contentType?: string;
  readonly repeat: Repeat;
  /** Codes with which a 404 is an answer and no error. */
  readonly absent?: readonly string[];
  /** Calls that share a line go out one after the other. `passes`: waits for those before it and holds up none. */
  readonly lines?: readonly string[];
  readonly passes?: boolean;
}

/** What a door is made of. `dispatcher` is the caller's own undici dispatcher, which the door does not close. */
export interface RestDoorParts {
  connectionString: ConnectionString;
  signer: TokenSigner;
  dispatcher?: Dispatcher | undefined;
  timeoutMs: number;
  retries: number;
  connections: number;
  tell: Tell;
}

/** All bodies that wait or are under way, each request counted with `requestBytes` on top. */
const maxPendingBytes = 16 * 1024 * 1024;
const requestBytes = 512;

function stay(): void {
  // Who stands in no line has nothing to leave.
}

/** Half the time is for one connect, so that a second one fits in and none outlives its request for long. */
function poolFor(origin: string, { connections, timeoutMs }: RestDoorParts): Pool {
  return new Pool(origin, { connections, connect: { timeout: timeoutMs / 2 } });
}

/** The way to the REST API: tokens, turns, deadlines and retries. Knows no operation by name. */
export class RestDoor {
  readonly #parts: RestDoorParts;
  readonly #dispatcher: Dispatcher;
  readonly #base: URL;
  readonly #audience: string;
  readonly #tokens: TokenShelf;
  readonly #lines = new Lines();
  readonly #turns: Turns;
  #pendingBytes = 0;
  #pending = 0;
  #closing: Promise<void> | undefined;
  #idle: () => void = stay;
  #signalbox: boolean | undefined;

  constructor(parts: RestDoorParts) {
    this.#parts = parts;
    this.#base = new URL(serverBase(parts.connectionString));
    this.#audience = audienceBase(parts.connectionString);
    this.#dispatcher = parts.dispatcher ?? poolFor(this.#base.origin, parts);
    this.#tokens = new TokenShelf(parts.signer);
    this.#turns = new Turns(parts.connections);
  }

  /** Whether the service is a Signalbox, by the header of its answers; undefined before the first. */
  get signalbox(): boolean | undefined {
    return this.#signalbox;
  }

  /** Throws ERR_STOPPED after `close`, and ERR_QUEUE_FULL when `requests` more requests of `bytes` in all do not fit. */
  checkRoom(requests: number, bytes: number): void {
    if (this.#closing) throw new SignalboxError('ERR_STOPPED', 'the client was closed');
    if (this.#pendingBytes + bytes + requests * requestBytes > maxPendingBytes) {
      throw new SignalboxError('ERR_QUEUE_FULL', `requests that wait must be at most ${maxPendingBytes} bytes in all`);
    }
  }

  /**
   * Resolves with an answer that is a success, or a 404 of the kind `absent` expects. Takes its place in line before
   * it returns. Rejects with `SignalboxError`: see the README's table.
   */
  async call(call: RestCall, options: CallOptions = {}): Promise<RestAnswer> {
    const bytes = call.body === undefined ? 0 : Buffer.byteLength(call.body);
    this.checkRoom(1, bytes);
    const deadline = new Deadline(checkTimeout(options.timeoutMs, this.#parts.timeoutMs), options.signal);
    this.#count(1, bytes);
    try {
      return await this.#inLine(call, deadline);
    } finally {
      deadline.clear();
      this.#count(-1, bytes);
    }
  }

  /** Lets what is under way end, then closes the connections. Later calls reject with ERR_STOPPED. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#pending > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    if (this.#parts.dispatcher === undefined) await this.#dispatcher.destroy();
  }

  #count(requests: 1 | -1, bytes: number): void {
    this.#pending += requests;
    this.#pendingBytes += requests * (bytes + requestBytes);
    if (this.#pending === 0) this.#idle();
  }

  async #inLine(call: RestCall, deadline: Deadline): Promise<RestAnswer> {
    const leave = await this.#enter(call.lines ?? [], deadline);
    if (leave === undefined) throw deadline.error(`the turn of ${call.operation}`, 'notSent');
    if (call.passes) leave();
    try {
      return await this.#inTurn(call, deadline);
    } finally {
      leave();
    }
  }

  /** Its places in all lines are taken in one turn, so two calls never wait for each other. */
  async #enter(lines: readonly string[], deadline: Deadline): Promise<Leave | undefined> {
    const leaves = await Promise.all(lines.map((line) => this.#lines.enter(line, deadline)));
    const leaveAll = (): void => {
      for (const leave of leaves) leave?.();
    };
    if (!leaves.includes(undefined)) return leaveAll;
    leaveAll();
    return undefined;
  }

  async #inTurn(call: RestCall, deadline: Deadline): Promise<RestAnswer> {
    const leave = await this.#turns.enter(deadline);
    if (leave === undefined) throw deadline.error(`the turn of ${call.operation}`, 'notSent');
    try {
      return await this.#tryAgain(call, deadline);
    } finally {
      leave();
    }
  }

  async #tryAgain(call: RestCall, deadline: Deadline): Promise<RestAnswer> {
    let outcome: Outcome = 'notSent';
    for (let attempt = 1; ; attempt++) {
      const result = await this.#try(call, attempt, outcome, deadline);
      if (!(result instanceof SignalboxError)) return result;
      outcome = result.outcome;
      const pauseMs = backoffMs(attempt);
      const last = attempt > this.#parts.retries || pauseMs >= deadline.remainingMs;
      if (last || deadline.reason !== undefined || !mayRepeat(call.repeat, result)) throw result;
      await pause(pauseMs, deadline);
      if (deadline.reason !== undefined) throw deadline.error(`the next try of ${call.operation}`, outcome);
    }
  }

  /** One attempt. `outcome` is what is known of the attempts before it. */
  async #try(call: RestCall, attempt: number, outcome: Outcome, deadline: Deadline) {
    const startedAt = performance.now();
    const { operation } = call;
    const result = await this.#exchange(call, deadline);
    const status = result instanceof NoAnswer ? undefined : result.status;
    this.#parts.tell('request', { operation, status, attempt, ms: performance.now() - startedAt });
    if (result instanceof NoAnswer) {
      if (deadline.reason === undefined) return networkError(operation, result, outcome);
      return deadline.error(`the answer to ${operation}`, result.started ? 'unknown' : outcome);
    }
    return isAnswer(call, result) ? result : answerError(operation, result, outcome);
  }

  async #exchange(call: RestCall, deadline: Deadline): Promise<RestAnswer | NoAnswer> {
    const { method, path, body, contentType = 'application/json; charset=utf-8' } = call;
    const token = await this.#tokens.take(this.#audience + path.split('?', 1)[0]);
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': contentType }),
    };
    const { origin, pathname } = this.#base;
    const request = { origin, method, path: pathname + path, headers, ...(body !== undefined && { body }) };
    try {
      const answer = await exchange(this.#dispatcher, request, deadline);
      this.#learn(answer);
      return answer;
    } catch (error) {
      if (error instanceof NoAnswer) return error;
      throw error;
    }
  }

  /** A proxy on the way may answer too, so a server error proves nothing, and what was proven once stays. */
  #learn({ status, headers }: RestAnswer): void {
    if (headers.has('x-signalbox')) this.#signalbox = true;
    else if (status < 500) this.#signalbox ??= false;
  }
}

function isAnswer({ absent }: RestCall, answer: RestAnswer): boolean {
  if (answer.status >= 200 && answer.status < 300) return true;
  if (answer.status !== 404 || absent === undefined) return false;
  const code = serviceCode(answer)?.toLowerCase();
  return absent.some((expected) => expected.toLowerCase() === code);
}

function pause(ms: number, deadline: Deadline): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stopWatching();
      resolve();
    };
    const timer = setTimeout(done, ms);
    const stopWatching = deadline.onEnd(done);
  });
}
