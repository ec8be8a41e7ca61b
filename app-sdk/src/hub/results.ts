import { randomBytes } from 'node:crypto';
import { Deadline } from '../deadline.ts';
import { ClientResultError, type ErrorCode, SignalboxError } from '../errors.ts';
import type { CallOptions } from '../hub-context.ts';
import type { CompletionMessage } from '../protocol/hub.ts';
import { hubProtocol } from '../protocol/hub-protocols.ts';
import { readMessages } from './frames.ts';
import { texts } from './texts.ts';

/** A question to one client, on its way. */
interface Pending {
  readonly connectionId: string;
  readonly deadline: Deadline;
  /** Whether the service carried it, and is to be told of the end. */
  readonly told: boolean;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** What is asked, and the way it takes: `ask` sends it, in its place in the line. */
export interface Asking {
  readonly connectionId: string;
  readonly target: string;
  readonly options: CallOptions | undefined;
  readonly timeoutMs: number;
  /** Whether the service carries the question, rather than the client's own connection. */
  readonly told: boolean;
  ask(invocationId: string): Promise<void>;
}

/** What became of a client's answer. */
export type Fate = 'unknown' | 'wrong connection' | 'taken' | 'taken and told';

const notAnswer = 'the answer must be a completion';

/** Questions to clients that wait for their results. Each ends: by its answer, its client's end or its deadline. */
export class ClientResults {
  readonly #pending = new Map<string, Pending>();
  /** Letters in front, so that no counter of a client makes the same id. */
  readonly #prefix = `r${randomBytes(12).toString('hex')}-`;
  #count = 0;

  /**
   * Asks and waits. Rejects with `ClientResultError`: ERR_CLIENT_GONE, ERR_CLIENT_FAILED or ERR_TIMEOUT; or with
   * ERR_ABORTED, or with what the way to the client rejects with.
   */
  ask({ connectionId, target, options = {}, timeoutMs, told, ask }: Asking): Promise<unknown> {
    const id = `${this.#prefix}${++this.#count}`;
    const deadline = new Deadline(timeoutMs, options.signal);
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { connectionId, deadline, told, resolve, reject });
      deadline.onEnd(() => this.#take(id)?.reject(late(deadline, target, connectionId)));
      if (deadline.reason !== undefined) return this.#take(id)?.reject(late(deadline, target, connectionId));
      ask(id).catch((error: unknown) => this.#take(id)?.reject(error));
    });
  }

  /** A client of this server answered. */
  answered(connectionId: string, message: CompletionMessage): Fate {
    const pending = this.#pending.get(message.invocationId);
    if (pending === undefined) return 'unknown';
    if (pending.connectionId !== connectionId) return 'wrong connection';
    this.#settle(message.invocationId, message);
    return pending.told ? 'taken and told' : 'taken';
  }

  /** A client of another server answered: `bytes` are its framed Completion. What nobody waits for is left alone. */
  completed(invocationId: string, protocolName: string, bytes: Uint8Array): void {
    const protocol = hubProtocol(protocolName);
    try {
      const [message] = protocol === undefined ? [] : readMessages(protocol, bytes);
      if (message?.kind === 'completion') this.#settle(invocationId, message);
      else this.failed(invocationId, notAnswer, 'ERR_CLIENT_FAILED');
    } catch {
      this.failed(invocationId, notAnswer, 'ERR_CLIENT_FAILED');
    }
  }

  /** The service could not get an answer; by default because the client is gone. */
  failed(invocationId: string, text: string, code: ErrorCode = 'ERR_CLIENT_GONE'): void {
    const pending = this.#take(invocationId);
    pending?.reject(new ClientResultError(code, text, { connectionId: pending.connectionId, outcome: 'unknown' }));
  }

  /** A connection of this server ended: what it was asked is not answered any more. */
  gone(connectionId: string): void {
    for (const [id, pending] of this.#pending) {
      if (pending.connectionId === connectionId) this.failed(id, texts.disconnected(connectionId));
    }
  }

  /** Ends all waiting. */
  close(): void {
    for (const id of [...this.#pending.keys()]) {
      this.#take(id)?.reject(new SignalboxError('ERR_STOPPED', 'the hub was stopped', { outcome: 'unknown' }));
    }
  }

  #settle(id: string, { error, result }: CompletionMessage): void {
    if (error !== undefined) this.failed(id, error, 'ERR_CLIENT_FAILED');
    else this.#take(id)?.resolve(result);
  }

  #take(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.deadline.clear();
    return pending;
  }
}

function late(deadline: Deadline, target: string, connectionId: string): SignalboxError {
  const error = deadline.error(`the result of "${target}" from connection "${connectionId}"`, 'unknown');
  if (error.code !== 'ERR_TIMEOUT') return error;
  return new ClientResultError('ERR_TIMEOUT', error.message, { connectionId, outcome: 'unknown' });
}
